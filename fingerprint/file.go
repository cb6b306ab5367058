package fingerprint

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// A fingerprint file is, little-endian throughout:
//
//	magic "WPRINT\r\n" · version u32 · flags u32 · body · digest (32 bytes)
//
// The digest covers everything before it. docs/FORMAT.md describes the body.
const (
	magic   = "WPRINT\r\n"
	version = 1

	// MaxFileBytes is the largest fingerprint file that is read.
	MaxFileBytes = 16 << 20

	maxTensors = 1 << 16
	maxName    = 4 << 10
	maxRank    = 64
	maxUnits   = 1 << 10

	flagComplete = 1
)

const purposeFile purpose = "weightprint v1 fingerprint file"

// Errors of reading a fingerprint file.
var (
	ErrFile    = errors.New("not a valid fingerprint file")
	ErrVersion = errors.New("the fingerprint file has a version this program does not know")
)

// WriteTo writes the file form. The same fingerprint always gives the same
// bytes.
func (f *Fingerprint) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(f.encode())
	return int64(n), err
}

func (f *Fingerprint) encode() []byte {
	e := &encoder{}
	e.b = append(e.b, magic...)
	e.u32(version)
	flags := 0
	if f.Complete {
		flags = flagComplete
	}
	e.u32(flags)
	e.b = append(e.b, f.Header[:]...)
	e.b = append(e.b, f.Root[:]...)
	e.u64(uint64(f.Parameters))
	e.u32(len(f.Tensors))
	for i := range f.Tensors {
		e.tensor(&f.Tensors[i])
	}
	e.u32(len(f.Sketches))
	for i := range f.Sketches {
		e.sketch(&f.Sketches[i])
	}
	h := newHash(purposeFile)
	h.Write(e.b)
	d := sum(h)
	return append(e.b, d[:]...)
}

type encoder struct{ b []byte }

func (e *encoder) u32(v int)    { e.b = order.AppendUint32(e.b, uint32(v)) }
func (e *encoder) u64(v uint64) { e.b = order.AppendUint64(e.b, v) }
func (e *encoder) text(s string) {
	e.b = binary.AppendUvarint(e.b, uint64(len(s)))
	e.b = append(e.b, s...)
}

func (e *encoder) tensor(p *TensorPrint) {
	e.text(p.Name)
	e.text(p.DType)
	e.b = append(e.b, byte(len(p.Shape)))
	for _, d := range p.Shape {
		e.b = binary.AppendUvarint(e.b, uint64(d))
	}
	e.b = append(e.b, p.Values[:]...)
	for i := range p.Blocks {
		e.b = append(e.b, p.Blocks[i][:]...)
	}
	for _, q := range p.Quantiles {
		e.b = order.AppendUint16(e.b, q)
	}
}

func (e *encoder) sketch(s *Sketch) {
	e.text(s.Axis)
	e.u32(s.Length)
	e.u32(s.Dim)
	e.u32(len(s.Units))
	for i, u := range s.Units {
		v := uint32(u) << 1
		if s.Eligible[i] {
			v |= 1
		}
		e.u32(int(v))
	}
	for _, w := range s.Words {
		e.u64(w)
	}
}

// Read reads a fingerprint file. Errors are ErrFile or ErrVersion; every
// changed or missing byte is found.
func Read(r io.Reader) (*Fingerprint, error) {
	b, err := io.ReadAll(io.LimitReader(r, MaxFileBytes+1))
	if err != nil {
		return nil, err
	}
	return Decode(b)
}

// Decode is Read for bytes.
func Decode(b []byte) (*Fingerprint, error) {
	switch {
	case len(b) > MaxFileBytes:
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrFile, MaxFileBytes)
	case len(b) < len(magic)+8+len(Digest{}) || string(b[:len(magic)]) != magic:
		return nil, fmt.Errorf("%w: no magic", ErrFile)
	}
	if v := order.Uint32(b[len(magic):]); v != version {
		return nil, fmt.Errorf("%w: version %d, known %d", ErrVersion, v, version)
	}
	body, stated := b[:len(b)-len(Digest{})], b[len(b)-len(Digest{}):]
	h := newHash(purposeFile)
	h.Write(body)
	if d := sum(h); !bytes.Equal(d[:], stated) {
		return nil, fmt.Errorf("%w: the digest over the file does not agree", ErrFile)
	}
	d := &decoder{b: body, at: len(magic) + 4}
	f := d.fingerprint()
	if d.err == nil && d.at != len(d.b) {
		d.fail("%d bytes are left over", len(d.b)-d.at)
	}
	if d.err != nil {
		return nil, d.err
	}
	if !bytes.Equal(f.encode(), b) {
		return nil, fmt.Errorf("%w: the encoding is not canonical", ErrFile)
	}
	return f, nil
}

type decoder struct {
	b   []byte
	at  int
	err error
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: offset %d: %s", ErrFile, d.at, fmt.Sprintf(format, args...))
	}
}

// take returns the next n bytes.
func (d *decoder) take(n int) []byte {
	if d.err != nil || n > len(d.b)-d.at {
		d.fail("%d bytes expected, %d are left", n, len(d.b)-d.at)
		return make([]byte, min(n, 64))
	}
	d.at += n
	return d.b[d.at-n : d.at]
}

func (d *decoder) u32(most int, what string) int {
	v := int64(order.Uint32(d.take(4)))
	if v > int64(most) {
		d.fail("%s %d exceeds %d", what, v, most)
		return 0
	}
	return int(v)
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 {
		d.fail("bad variable-length number")
		return 0
	}
	d.at += n
	return v
}

func (d *decoder) text() string {
	n := d.uvarint()
	if n > maxName {
		d.fail("a name of %d bytes", n)
		return ""
	}
	if d.err != nil {
		return ""
	}
	return string(d.take(int(n)))
}

func (d *decoder) fingerprint() *Fingerprint {
	f := &Fingerprint{Complete: d.u32(flagComplete, "flags") == flagComplete}
	copy(f.Header[:], d.take(32))
	copy(f.Root[:], d.take(32))
	f.Parameters = int64(order.Uint64(d.take(8)))
	for n := d.u32(maxTensors, "tensors"); n > 0 && d.err == nil; n-- {
		f.Tensors = append(f.Tensors, d.tensor())
	}
	for n := d.u32(maxSketches*4, "sketches"); n > 0 && d.err == nil; n-- {
		f.Sketches = append(f.Sketches, d.sketch())
	}
	return f
}

func (d *decoder) tensor() (p TensorPrint) {
	p.Name, p.DType = d.text(), d.text()
	rank := int(d.take(1)[0])
	if rank > maxRank {
		d.fail("rank %d", rank)
		return p
	}
	p.Shape = make([]int64, rank)
	for i := range p.Shape {
		p.Shape[i] = int64(d.uvarint())
	}
	copy(p.Values[:], d.take(32))
	for i := range p.Blocks {
		copy(p.Blocks[i][:], d.take(blockBytes))
	}
	for i := range p.Quantiles {
		p.Quantiles[i] = order.Uint16(d.take(2))
	}
	return p
}

func (d *decoder) sketch() (s Sketch) {
	s.Axis = d.text()
	s.Length, s.Dim = d.u32(1<<30, "length"), d.u32(1<<30, "dimension")
	n := d.u32(maxUnits, "units")
	for range n {
		v := d.u32(1<<31-1, "unit")
		if d.err != nil {
			return s
		}
		s.Units, s.Eligible = append(s.Units, v>>1), append(s.Eligible, v&1 == 1)
	}
	for range n * sketchWords {
		s.Words = append(s.Words, order.Uint64(d.take(8)))
		if d.err != nil {
			return s
		}
	}
	return s
}
