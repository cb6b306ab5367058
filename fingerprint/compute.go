package fingerprint

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Fingerprint is what may be published of a model: digests of its values and
// one-bit sketches of a few of its units.
type Fingerprint struct {
	Complete   bool   // every value was read; Root and the tensors' digests are set
	Header     Digest // over names, types and shapes
	Root       Digest // over all values, whatever the names; zero unless Complete
	Parameters int64
	Tensors    []TensorPrint // by name; empty unless Complete
	Sketches   []Sketch
}

// TensorPrint is what is kept of one tensor.
type TensorPrint struct {
	Name      string
	DType     string
	Shape     []int64
	Values    Digest
	Blocks    [rowBlocks][blockBytes]byte // beginnings of the digests of its row blocks
	Quantiles [quantiles]uint16           // upper half of the float32 at 0, ⅛, … 1 of its values in order
}

const (
	rowBlocks  = 4 // row blocks of a tensor that are told apart
	blockBytes = 8
	quantiles  = 9
)

// Options changes what Compute reads; nil and zero fields are the defaults.
type Options struct {
	SketchOnly bool // read only the sketched units; the digests stay empty
}

// Compute fingerprints a model. Unless only sketches are asked for, every
// value is read and decoded once; the sketched units are read besides.
func Compute(ctx context.Context, m tensor.Model, o *Options) (*Fingerprint, error) {
	f := &Fingerprint{Header: Header(m), Complete: o == nil || !o.SketchOnly}
	for _, t := range byName(m) {
		n, _ := tensor.Elements(t.Shape)
		f.Parameters += n
		if !f.Complete {
			continue
		}
		p, err := printTensor(ctx, t)
		if err != nil {
			return nil, err
		}
		f.Tensors = append(f.Tensors, *p)
	}
	if f.Complete {
		f.Root = rootOf(f.Tensors)
	}
	var err error
	f.Sketches, err = sketches(ctx, roles.Map(m))
	return f, err
}

// printTensor reads a tensor once: digests of rows, of row blocks and of the
// whole, and a histogram of the upper halves of its values.
func printTensor(ctx context.Context, t *tensor.Tensor) (*TensorPrint, error) {
	p := &TensorPrint{Name: t.Name, DType: t.DType.String(), Shape: t.Shape}
	var whole Tree
	var blocks [rowBlocks]Tree
	per := max(1, (t.Rows()+rowBlocks-1)/rowBlocks)
	histogram := make([]int64, 1<<16)
	count := int64(0)
	err := rows(ctx, t, func(row int64, values []float32, d Digest) {
		whole.Add(d)
		blocks[row/per].Add(d)
		for _, v := range values {
			histogram[sortable(v)]++
		}
		count += int64(len(values))
	})
	if err != nil {
		return nil, err
	}
	p.Values = tensorDigest(t.Shape, whole.Root())
	for i := range blocks {
		root := blocks[i].Root()
		copy(p.Blocks[i][:], root[:])
	}
	p.Quantiles = quantilesOf(histogram, count)
	return p, nil
}

// sortable is the upper half of a float32 in an order that rises with the
// value.
func sortable(v float32) uint16 {
	b := uint16(math.Float32bits(v) >> 16)
	if b>>15 == 1 {
		return ^b
	}
	return b | 1<<15
}

// quantilesOf reads quantiles off a histogram: integers only, so their bits do
// not depend on the order of reading.
func quantilesOf(histogram []int64, n int64) (q [quantiles]uint16) {
	if n == 0 {
		return q
	}
	var below int64
	k := 0
	for bin, c := range histogram {
		below += c
		for k < quantiles && below > (n-1)*int64(k)/(quantiles-1) {
			q[k] = uint16(bin)
			k++
		}
	}
	return q
}

// rootOf is Root over digests that are known.
func rootOf(tensors []TensorPrint) Digest {
	all := make([]Digest, len(tensors))
	for i := range tensors {
		all[i] = tensors[i].Values
	}
	slices.SortFunc(all, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	h := newHash(purposeBare)
	for _, d := range all {
		h.Write(d[:])
	}
	return sum(h)
}

// Mismatch is the first place where a model differs from its fingerprint.
type Mismatch struct {
	Tensor string
	What   string // "missing", "added", "shape", "values of rows 0 to 63", "sketch"
}

// Verify holds a model against a fingerprint and returns the first difference
// in values, nil if there is none. Names must agree; stored types need not.
func (f *Fingerprint) Verify(ctx context.Context, m tensor.Model) (*Mismatch, error) {
	if !f.Complete {
		return f.verifySketches(ctx, m)
	}
	seen := map[string]bool{}
	for i := range f.Tensors {
		p := &f.Tensors[i]
		seen[p.Name] = true
		t, ok := m.Tensor(p.Name)
		switch {
		case !ok:
			return &Mismatch{p.Name, "missing"}, nil
		case !slices.Equal(t.Shape, p.Shape):
			return &Mismatch{p.Name, "shape"}, nil
		}
		got, err := printTensor(ctx, t)
		if err != nil {
			return nil, err
		}
		if got.Values != p.Values {
			return &Mismatch{p.Name, got.firstBlock(p, t.Rows())}, nil
		}
	}
	for _, t := range byName(m) {
		if !seen[t.Name] {
			return &Mismatch{t.Name, "added"}, nil
		}
	}
	return nil, nil
}

func (f *Fingerprint) verifySketches(ctx context.Context, m tensor.Model) (*Mismatch, error) {
	got, err := Compute(ctx, m, &Options{SketchOnly: true})
	if err != nil {
		return nil, err
	}
	if got.Header != f.Header {
		return &Mismatch{"", "names, types or shapes"}, nil
	}
	for i := range f.Sketches {
		if i >= len(got.Sketches) || !got.Sketches[i].equal(&f.Sketches[i]) {
			return &Mismatch{f.Sketches[i].Axis, "sketch"}, nil
		}
	}
	return nil, nil
}

// firstBlock names the first row block that differs.
func (p *TensorPrint) firstBlock(want *TensorPrint, rows int64) string {
	per := max(1, (rows+rowBlocks-1)/rowBlocks)
	for i := range p.Blocks {
		if p.Blocks[i] != want.Blocks[i] {
			return "values of rows " + itoa(int64(i)*per) + " to " + itoa(min(rows, int64(i+1)*per)-1)
		}
	}
	return "values"
}

func itoa(n int64) string {
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

var order = binary.LittleEndian
