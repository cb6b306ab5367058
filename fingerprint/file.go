package fingerprint

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"github.com/zeebo/blake3"
)

// A fingerprint file is, little-endian throughout:
//
//	magic "WPRINT\r\n" · version u32 · flags u32 · body · digest (32 bytes)
//
// The digest covers everything before it. docs/FORMAT.md describes the body.
const (
	// Magic begins every fingerprint file.
	Magic = "WPRINT\r\n"

	magic          = Magic
	currentVersion = 2

	flagComplete = 1

	hasBlocks = 1 // of a tensor
	hasStats  = 2
)

const purposeFile purpose = "weightprint v1 fingerprint file"

// Errors of reading a fingerprint file.
var (
	ErrFile    = errors.New("not a valid fingerprint file")
	ErrVersion = errors.New("the fingerprint file has a version this program does not know")
)

var order = binary.LittleEndian

// WriteTo writes the file form. The same fingerprint always gives the same
// bytes. What Read would refuse is not written: ErrLimit where it is larger than
// files may be, ErrFile where it could not have been computed from a model.
func (f *Fingerprint) WriteTo(w io.Writer) (int64, error) {
	b, err := f.encoded()
	if err != nil {
		return 0, err
	}
	if _, err := Decode(b); err != nil {
		return 0, fmt.Errorf("a fingerprint that cannot be read back: %w", err)
	}
	n, err := w.Write(b)
	return int64(n), err
}

// Digest is the digest that ends the file form: over all that the fingerprint
// says.
func (f *Fingerprint) Digest() (d Digest) {
	b := f.encode()
	copy(d[:], b[len(b)-len(d):])
	return d
}

func (f *Fingerprint) encode() []byte {
	b, _ := f.encoded() // what it says, also where it is too large for a file
	return b
}

// encoded holds every number against its limit.
func (f *Fingerprint) encoded() ([]byte, error) {
	e := &encoder{}
	e.file(f)
	d := fileDigest(e.b)
	b := append(e.b, d[:]...)
	e.check(limitFile, uint64(len(b)))
	return b, e.err
}

// fileHashers are kept, as making one costs more than hashing a small file.
var fileHashers = sync.Pool{New: func() any { return newHash(purposeFile) }}

// fileDigest is the digest that ends a file of some content.
func fileDigest(b []byte) Digest {
	h := fileHashers.Get().(*blake3.Hasher)
	defer fileHashers.Put(h)
	h.Reset()
	h.Write(b)
	return sum(h)
}

// file writes all of a file but the digest that ends it.
func (e *encoder) file(f *Fingerprint) {
	e.b = append(e.b, magic...)
	e.u32(uint32(f.Version))
	e.body(f)
}

func (e *encoder) body(f *Fingerprint) {
	flags := uint32(0)
	if f.Complete {
		flags = flagComplete
	}
	e.u32(flags)
	e.raw(f.Header[:])
	if f.Complete {
		e.raw(f.Root[:])
		e.raw(f.RoleRoot[:])
		e.raw(f.Stored[:])
	}
	e.number(limitParameters, uint64(f.Parameters))
	e.number(limitTensors, uint64(len(f.Tensors)))
	before := ""
	for i := range f.Tensors {
		e.tensor(&f.Tensors[i], before)
		before = f.Tensors[i].Name
	}
	e.number(limitKinds, uint64(len(f.Kinds)))
	for i := range f.Kinds {
		e.text(f.Kinds[i].Kind)
		e.number(limitTensors, uint64(f.Kinds[i].Tensors))
		e.stats(&f.Kinds[i].Stats)
	}
	e.number(limitSketches, uint64(len(f.Sketches)))
	for i := range f.Sketches {
		e.sketch(&f.Sketches[i], f.Version)
	}
	e.number(limitProbed, uint64(len(f.Probes)))
	for i := range f.Probes {
		e.probes(&f.Probes[i])
	}
	if f.Version > 1 {
		e.tokens(f.Tokens)
	}
}

type encoder struct {
	b   []byte
	err error // the first limit that was broken
}

func (e *encoder) check(l limit, v uint64) {
	if err := l.check(v); err != nil && e.err == nil {
		e.err = fmt.Errorf("%w: %w", ErrLimit, err)
	}
}

func (e *encoder) number(l limit, v uint64) {
	e.check(l, v)
	e.uv(v)
}

func (e *encoder) raw(p []byte)  { e.b = append(e.b, p...) }
func (e *encoder) u16(v uint16)  { e.b = order.AppendUint16(e.b, v) }
func (e *encoder) u32(v uint32)  { e.b = order.AppendUint32(e.b, v) }
func (e *encoder) u64(v uint64)  { e.b = order.AppendUint64(e.b, v) }
func (e *encoder) uv(v uint64)   { e.b = binary.AppendUvarint(e.b, v) }
func (e *encoder) sv(v int64)    { e.b = binary.AppendVarint(e.b, v) }
func (e *encoder) text(s string) { e.number(limitText, uint64(len(s))); e.raw([]byte(s)) }

func (e *encoder) tensor(p *TensorPrint, before string) {
	same := 0
	for same < min(len(before), len(p.Name)) && before[same] == p.Name[same] {
		same++
	}
	e.check(limitText, uint64(len(p.Name)))
	e.uv(uint64(same))
	e.text(p.Name[same:])
	e.text(p.DType)
	e.number(limitRank, uint64(len(p.Shape)))
	for _, d := range p.Shape {
		e.number(limitDimension, uint64(d))
	}
	e.raw(p.Values[:])
	has := byte(0)
	if p.Blocks != [rowBlocks][blockBytes]byte{} {
		has |= hasBlocks
	}
	if p.Stats != nil {
		has |= hasStats
	}
	e.b = append(e.b, has)
	if has&hasBlocks != 0 {
		for i := range p.Blocks {
			e.raw(p.Blocks[i][:])
		}
	}
	if has&hasStats != 0 {
		e.stats(p.Stats)
	}
}

func (e *encoder) stats(s *Stats) {
	e.uv(s.NonFinite)
	for _, q := range s.Quantiles {
		e.u16(uint16(q))
	}
	for _, m := range s.Moments {
		e.u64(math.Float64bits(m))
	}
	for _, x := range s.Exponents {
		e.u16(x)
	}
	e.b = append(e.b, s.Top)
}

// sketch leaves the positions out: they follow from length and number of the
// units, and in version 1 that number from length and dimension.
func (e *encoder) sketch(s *Sketch, version int) {
	e.text(s.Axis)
	e.number(limitLength, uint64(s.Length))
	e.number(limitWidth, uint64(s.Dim))
	if version > 1 {
		e.uv(uint64(len(s.Units)))
	}
	e.sv(int64(s.Trend))
	packed := make([]byte, (len(s.Eligible)+7)/8)
	for i, ok := range s.Eligible {
		if ok {
			packed[i/8] |= 1 << (i % 8)
		}
	}
	e.raw(packed)
	for _, w := range s.Words {
		e.u64(w)
	}
}

func (e *encoder) probes(p *Probes) {
	e.text(p.Axis)
	e.number(limitUnits, uint64(p.Length))
	gated := uint64(0)
	if p.Gated {
		gated = 1
	}
	e.uv(gated)
	e.number(limitProbes, uint64(len(p.Units)))
	for _, u := range p.Units {
		e.sv(int64(u))
	}
	e.u32(p.Signs)
	for _, w := range p.Profile {
		e.u64(w)
	}
}

// tokens writes no rows where there is no sketch.
func (e *encoder) tokens(t *Tokens) {
	if t == nil {
		e.uv(0)
		return
	}
	e.number(limitTokens, uint64(len(t.Rows)))
	e.number(limitVocabulary, uint64(t.Vocabulary))
	before := -1
	for _, r := range t.Rows {
		e.uv(uint64(r - before - 1))
		before = r
	}
	n := countPublished(t.Rows)
	for k := 0; k < n; k += 8 {
		e.b = append(e.b, byte(t.Signs[k/64]>>(k%64)))
	}
}
