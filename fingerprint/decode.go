package fingerprint

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
)

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
	v := order.Uint32(b[len(magic):])
	if v < 1 || v > currentVersion {
		return nil, fmt.Errorf("%w: version %d, known are 1 to %d", ErrVersion, v, currentVersion)
	}
	body, stated := b[:len(b)-len(Digest{})], b[len(b)-len(Digest{}):]
	if d := fileDigest(body); !bytes.Equal(d[:], stated) {
		return nil, fmt.Errorf("%w: the digest over the file does not agree", ErrFile)
	}
	d := &decoder{b: body, at: len(magic) + 4}
	f := d.fingerprint(int(v))
	if d.err == nil && d.at != len(d.b) {
		d.fail("%d bytes are left over", len(d.b)-d.at)
	}
	if d.err != nil {
		return nil, d.err
	}
	e := encoders.Get().(*encoder)
	defer encoders.Put(e)
	e.b, e.err = e.b[:0], nil
	if e.file(f); !bytes.Equal(e.b, body) {
		return nil, fmt.Errorf("%w: the encoding is not canonical", ErrFile)
	}
	return f, nil
}

// encoders are kept, as searches decode some hundred files each.
var encoders = sync.Pool{New: func() any { return new(encoder) }}

type decoder struct {
	b    []byte
	at   int
	err  error
	room []uint64 // for words of all parts: one piece of memory costs less than many
}

// words reads n words, zeros where there are none.
func (d *decoder) words(n int) []uint64 {
	if n > cap(d.room) {
		d.room = make([]uint64, max(n, (len(d.b)-d.at)/8))
	}
	out := d.room[:n:n]
	d.room = d.room[n:]
	if b := d.take(8 * n); d.err == nil {
		for i := range out {
			out[i] = order.Uint64(b[8*i:])
		}
	}
	return out
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: offset %d: %s", ErrFile, d.at, fmt.Sprintf(format, args...))
	}
}

// take returns the next n bytes, zeros where there are none.
func (d *decoder) take(n int) []byte {
	if d.err != nil || n > len(d.b)-d.at {
		d.fail("%d bytes expected, %d are left", n, len(d.b)-d.at)
		return make([]byte, min(n, 512))
	}
	d.at += n
	return d.b[d.at-n : d.at]
}

func (d *decoder) u16() uint16 { return order.Uint16(d.take(2)) }
func (d *decoder) u64() uint64 { return order.Uint64(d.take(8)) }

func (d *decoder) uv() uint64 {
	v, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 {
		d.fail("bad variable-length number")
		return 0
	}
	d.at += n
	return v
}

// number reads a number within its limit.
func (d *decoder) number(l limit) int { return int(d.wide(l)) }

// wide is number for what an int may not hold.
func (d *decoder) wide(l limit) int64 {
	v := d.uv()
	if err := l.check(v); err != nil {
		d.fail("%v", err)
		return 0
	}
	return int64(v)
}

// below is number for one that may be no larger than another of the file.
func (d *decoder) below(most int, what string) int { return d.number(limit{what, uint64(most)}) }

func (d *decoder) signed(most int64, what string) int {
	v, n := binary.Varint(d.b[d.at:])
	if n <= 0 || v > most || v < -most {
		d.fail("bad %s", what)
		return 0
	}
	d.at += n
	return int(v)
}

func (d *decoder) text() string {
	n := d.number(limitText)
	if d.err != nil {
		return ""
	}
	return string(d.take(n))
}

func (d *decoder) fingerprint(version int) *Fingerprint {
	flags := order.Uint32(d.take(4))
	if flags > flagComplete {
		d.fail("unknown flags %#x", flags)
	}
	f := &Fingerprint{Version: version, Complete: flags == flagComplete}
	copy(f.Header[:], d.take(32))
	if f.Complete {
		copy(f.Root[:], d.take(32))
		copy(f.RoleRoot[:], d.take(32))
		copy(f.Stored[:], d.take(32))
	}
	f.Parameters = d.wide(limitParameters)
	before := ""
	for n := d.number(limitTensors); n > 0 && d.err == nil; n-- {
		p := d.tensor(before)
		f.Tensors = append(f.Tensors, p)
		before = p.Name
	}
	for n := d.number(limitKinds); n > 0 && d.err == nil; n-- {
		f.Kinds = append(f.Kinds, KindPrint{d.text(), d.number(limitTensors), d.stats()})
	}
	n := d.number(limitSketches)
	f.Sketches = slices.Grow(f.Sketches, n)
	for ; n > 0 && d.err == nil; n-- {
		f.Sketches = append(f.Sketches, d.sketch(version))
	}
	for n := d.number(limitProbed); n > 0 && d.err == nil; n-- {
		f.Probes = append(f.Probes, d.probes())
	}
	if version > 1 {
		f.Tokens = d.tokens()
	}
	return f
}

func (d *decoder) tensor(before string) (p TensorPrint) {
	same := d.below(len(before), "common beginning")
	p.Name = before[:same] + d.text()
	if err := limitText.check(uint64(len(p.Name))); err != nil {
		d.fail("%v", err)
	}
	p.DType = d.text()
	rank := d.number(limitRank)
	p.Shape = make([]int64, rank)
	for i := range p.Shape {
		p.Shape[i] = d.wide(limitDimension)
	}
	copy(p.Values[:], d.take(32))
	has := d.take(1)[0]
	if has&hasBlocks != 0 {
		for i := range p.Blocks {
			copy(p.Blocks[i][:], d.take(blockBytes))
		}
	}
	if has&hasStats != 0 {
		s := d.stats()
		p.Stats = &s
	}
	return p
}

func (d *decoder) stats() (s Stats) {
	s.NonFinite = d.uv()
	for i := range s.Quantiles {
		s.Quantiles[i] = int16(d.u16())
	}
	for i := range s.Moments {
		s.Moments[i] = math.Float64frombits(d.u64())
		if math.IsNaN(s.Moments[i]) || math.IsInf(s.Moments[i], 0) {
			d.fail("a moment that is no number")
		}
	}
	for i := range s.Exponents {
		s.Exponents[i] = d.u16()
	}
	s.Top = d.take(1)[0]
	return s
}

func (d *decoder) sketch(version int) (s Sketch) {
	s.Axis = d.text()
	s.Length, s.Dim = d.number(limitLength), d.number(limitWidth)
	n := units(1, s.Length, s.Dim, s.Dim)
	if version > 1 {
		n = d.below(min(sketchUnits, s.Length), "sketched units")
	}
	s.Trend = d.signed(sketchUnits*sketchUnits, "trend")
	if d.err != nil {
		return s
	}
	s.Units = sampled(s.Length, n)
	packed := d.take((n + 7) / 8)
	s.Eligible = make([]bool, n)
	for i := range s.Eligible {
		s.Eligible[i] = packed[i/8]>>(i%8)&1 == 1
	}
	s.Words = d.words(n * sketchWords)
	return s
}

func (d *decoder) probes() (p Probes) {
	p.Axis = d.text()
	p.Length = d.number(limitUnits)
	p.Gated = d.below(1, "gate") == 1
	n := d.number(limitProbes)
	p.Units = slices.Grow(p.Units, n)
	for range n {
		u := d.signed(maxProbed, "unit")
		if u < -1 || u >= p.Length {
			d.fail("unit %d of %d", u, p.Length)
		}
		p.Units = append(p.Units, u)
	}
	p.Signs = order.Uint32(d.take(4))
	if n > 0 {
		p.Profile = d.words(n)
	}
	return p
}

func (d *decoder) tokens() *Tokens {
	n := d.number(limitTokens)
	if n == 0 {
		return nil
	}
	t := &Tokens{Vocabulary: d.number(limitVocabulary), Rows: slices.Grow([]int(nil), n)}
	before := -1
	for range n {
		before += 1 + d.below(int(limitVocabulary.most), "step to the next token")
		t.Rows = append(t.Rows, before)
	}
	if before >= t.Vocabulary {
		d.fail("token %d of %d", before, t.Vocabulary)
	}
	pairs := countPublished(t.Rows)
	t.Signs = make([]uint64, (pairs+63)/64)
	for k, b := range d.take((pairs + 7) / 8) {
		t.Signs[k/8] |= uint64(b) << (k % 8 * 8)
	}
	return t
}
