package fingerprint

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Mismatch is the first place where a model differs from its fingerprint.
type Mismatch struct {
	Tensor string
	What   string // "missing", "added", "shape", "values of rows 0 to 63", "sketch"
}

// errFound ends a pass that has found a difference.
var errFound = errors.New("a difference was found")

// Verify holds a model against a fingerprint and returns the first difference,
// nil if there is none. Names must agree; stored types need not. Everything
// that the file says of the values is made anew, sketches included: a file
// must not state the digests of one model and carry the sketches of another.
func (f *Fingerprint) Verify(ctx context.Context, m tensor.Model) (*Mismatch, error) {
	if !f.Complete {
		got, err := Compute(ctx, m, &Options{SketchOnly: true, Version: f.Version})
		if err != nil {
			return nil, err
		}
		return f.differs(got), nil
	}
	if d := f.names(m); d != nil {
		return d, nil
	}
	prints := map[string]*TensorPrint{}
	for i := range f.Tensors {
		prints[f.Tensors[i].Name] = &f.Tensors[i]
	}
	got := &Fingerprint{Version: f.Version, Header: Header(m), Complete: true, Parameters: f.Parameters}
	c := newComputation(m, got, newPass(&Options{}))
	var found *Mismatch
	c.check = func(w *whole) error {
		if want := prints[w.t.Name]; w.digest() != want.Values {
			found = &Mismatch{w.t.Name, w.firstBlock(want)}
			return errFound
		}
		return nil
	}
	switch err := c.run(ctx); {
	case found != nil:
		return found, nil
	case err != nil:
		return nil, err
	}
	return f.differs(got), nil
}

// names compares the lists of tensors.
func (f *Fingerprint) names(m tensor.Model) *Mismatch {
	known := map[string]bool{}
	for i := range f.Tensors {
		p := &f.Tensors[i]
		known[p.Name] = true
		t, ok := m.Tensor(p.Name)
		switch {
		case !ok:
			return &Mismatch{p.Name, "missing"}
		case !slices.Equal(t.Shape, p.Shape):
			return &Mismatch{p.Name, "shape"}
		}
	}
	for _, t := range byName(m) {
		if !known[t.Name] {
			return &Mismatch{t.Name, "added"}
		}
	}
	return nil
}

// differs compares what two fingerprints of the same values say; how values
// are stored may differ.
func (f *Fingerprint) differs(got *Fingerprint) *Mismatch {
	if !f.Complete && got.Header != f.Header {
		return &Mismatch{"", "names, types or shapes"}
	}
	for i := range f.Sketches {
		if i >= len(got.Sketches) || !got.Sketches[i].equal(&f.Sketches[i]) {
			return &Mismatch{f.Sketches[i].Axis, "sketch"}
		}
	}
	for i := range f.Tensors {
		if s := f.Tensors[i].Stats; (s == nil) != (got.Tensors[i].Stats == nil) || s != nil && *s != *got.Tensors[i].Stats {
			return &Mismatch{f.Tensors[i].Name, "figures of the distribution"}
		}
	}
	if !bytes.Equal(f.values(), got.values()) {
		return &Mismatch{"", "roots, kinds, probes or tokens"}
	}
	return nil
}

// values encodes what does not depend on how values are stored.
func (f *Fingerprint) values() []byte {
	c := *f
	c.Header, c.Stored, c.Tensors = Digest{}, Digest{}, slices.Clone(f.Tensors)
	for i := range c.Tensors {
		c.Tensors[i].DType = ""
	}
	return c.encode()
}

// firstBlock names the rows of the first block that differs.
func (w *whole) firstBlock(want *TensorPrint) string {
	got := w.print()
	per := max(1, (w.leaves()+rowBlocks-1)/rowBlocks)
	first, last := int64(0), max(1, w.leaves())
	for i := range int64(rowBlocks) {
		if got.Blocks[i] != want.Blocks[i] {
			first, last = i*per, min((i+1)*per, w.leaves())
			break
		}
	}
	from, to := w.rows(first, last)
	return fmt.Sprintf("values of rows %d to %d", from, to)
}
