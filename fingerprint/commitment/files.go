package commitment

import (
	"bytes"
	"fmt"
)

// The files of the commitment protocol. docs/FORMAT.md describes them.

const (
	maxLength  = 1 << 22 // units of a sketched axis, and values of a unit
	maxIndex   = 1<<40 - 1
	maxTensors = 1 << 20
	maxText    = 4 << 10
	maxRank    = 64
)

// Encode returns the file form.
func (c Commitment) Encode() []byte {
	return sealCommitment.encode(func(e *encoder) { e.digest(c.Root) })
}

// DecodeCommitment reads a commitment's file form. Errors are ErrFile.
func DecodeCommitment(b []byte) (c Commitment, err error) {
	err = sealCommitment.decode(b, func(d *decoder) { c.Root = d.digest() }, func() []byte { return c.Encode() })
	return c, err
}

// Encode returns the file form. It holds the secret.
func (o *Opening) Encode() []byte {
	return sealOpening.encode(func(e *encoder) {
		e.raw(o.Secret[:])
		e.axes(o.Axes)
		e.number(int64(len(o.Tensors)))
		for i := range o.Tensors {
			e.tensor(&o.Tensors[i])
		}
	})
}

// DecodeOpening reads an opening's file form. Errors are ErrFile.
func DecodeOpening(b []byte) (*Opening, error) {
	o := &Opening{}
	err := sealOpening.decode(b, func(d *decoder) {
		o.Secret = Secret(d.digest())
		o.Axes = d.axes()
		for n := d.number(maxTensors, "number of tensors"); n > 0 && d.err == nil; n-- {
			o.Tensors = append(o.Tensors, d.tensor())
		}
		for _, x := range o.Axes {
			if x.Tensor >= len(o.Tensors) {
				d.fail("an axis in tensor %d of %d", x.Tensor, len(o.Tensors))
			}
		}
	}, o.Encode)
	if err != nil {
		return nil, err
	}
	return o, nil
}

// Encode returns the file form.
func (c *Challenge) Encode() []byte {
	return sealChallenge.encode(func(e *encoder) { e.challenge(c) })
}

// DecodeChallenge reads a challenge's file form. Errors are ErrFile.
func DecodeChallenge(b []byte) (*Challenge, error) {
	c := &Challenge{}
	err := sealChallenge.decode(b, func(d *decoder) {
		for n := d.number(2, "number of commitments"); n > 0; n-- {
			c.Commitments = append(c.Commitments, d.digest())
		}
		c.Beacon = string(d.bytes(maxText, "a text"))
		c.Open = int(d.number(MaxOpen, "units to open"))
		if rule := c.broken(); d.err == nil && rule != "" {
			d.fail("%s", rule)
		}
	}, c.Encode)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Encode returns the file form.
func (r *Response) Encode() []byte {
	return sealResponse.encode(func(e *encoder) {
		e.answer(&r.Answer)
		e.text(r.Beacon)
		e.number(int64(len(r.Proofs)))
		for _, p := range r.Proofs {
			for _, row := range p {
				e.bytes(row.Row)
				e.digest(row.Salt)
				e.digests(row.Path)
			}
		}
	})
}

// DecodeResponse reads a response's file form. Errors are ErrFile. What it
// says is not verified: see Challenge.Check.
func DecodeResponse(b []byte) (*Response, error) {
	r := &Response{}
	err := sealResponse.decode(b, func(d *decoder) {
		r.Answer = d.answer()
		r.Beacon = string(d.bytes(maxText, "a text"))
		for n := d.number(MaxOpen, "number of proofs"); n > 0 && d.err == nil; n-- {
			var p UnitProof
			for side := range p {
				p[side] = RowProof{d.bytes(MaxFileBytes, "a row"), d.digest(), d.digests()}
			}
			r.Proofs = append(r.Proofs, p)
		}
	}, r.Encode)
	if err != nil {
		return nil, err
	}
	return r, nil
}

func (e *encoder) challenge(c *Challenge) {
	e.digests(c.Commitments)
	e.text(c.Beacon)
	e.number(int64(c.Open))
}

func (e *encoder) axes(axes []Axis) {
	e.number(int64(len(axes)))
	for _, x := range axes {
		e.text(x.Name)
		for _, v := range []int64{int64(x.Tensor), x.First, x.Step, int64(x.Units), int64(x.Dim)} {
			e.number(int64(v))
		}
	}
}

func (d *decoder) axes() (out []Axis) {
	for n := d.number(maxAxes, "number of axes"); n > 0 && d.err == nil; n-- {
		out = append(out, Axis{
			Name: string(d.bytes(maxText, "a text")), Tensor: int(d.number(maxTensors, "tensor")),
			First: d.number(maxIndex, "first leaf"), Step: d.number(maxIndex, "step"),
			Units: int(d.number(maxLength, "units")), Dim: int(d.number(maxLength, "dimension")),
		})
	}
	return out
}

func (e *encoder) tensor(c *Tensor) {
	e.text(c.Name)
	e.number(int64(len(c.Shape)))
	for _, v := range c.Shape {
		e.number(int64(v))
	}
	e.flag(c.Columns)
	e.number(int64(c.Length))
	e.number(int64(c.Leaves))
	e.digest(c.Root)
}

func (d *decoder) tensor() (c Tensor) {
	const most = 1<<63 - 1
	c.Name = string(d.bytes(maxText, "a text"))
	for n := d.number(maxRank, "rank"); n > 0 && d.err == nil; n-- {
		c.Shape = append(c.Shape, d.number(most, "dimension"))
	}
	c.Columns = d.flag()
	c.Length, c.Leaves = d.number(most, "length of a leaf"), d.number(most, "leaves")
	c.Root = d.digest()
	return c
}

func (e *encoder) answer(a *Answer) {
	e.digest(a.Commitment)
	e.digest(a.Challenge)
	e.number(int64(a.Leaves))
	e.digest(a.Salt)
	e.axes(a.Axes)
	e.digests(a.Path)
	e.number(int64(len(a.Tensors)))
	for i := range a.Tensors {
		t := &a.Tensors[i]
		e.number(int64(t.Index))
		e.tensor(&t.Tensor)
		e.digest(t.Salt)
		e.digests(t.Path)
	}
	e.number(int64(len(a.Sketches)))
	for i := range a.Sketches {
		e.pairs(&a.Sketches[i])
	}
}

func (d *decoder) answer() (a Answer) {
	a.Commitment, a.Challenge = d.digest(), d.digest()
	a.Leaves = d.number(maxTensors+1, "leaves")
	a.Salt, a.Axes, a.Path = d.digest(), d.axes(), d.digests()
	for n := d.number(maxAxes, "number of tensors"); n > 0 && d.err == nil; n-- {
		a.Tensors = append(a.Tensors, Entry{int(d.number(maxTensors, "tensor")), d.tensor(), d.digest(), d.digests()})
	}
	for n := d.number(maxAxes, "number of sketches"); n > 0 && d.err == nil; n-- {
		a.Sketches = append(a.Sketches, d.pairs())
	}
	return a
}

func (e *encoder) pairs(s *Sketch) {
	e.flag(s.Withdrawn)
	e.number(int64(len(s.Eligible)))
	for _, ok := range s.Eligible {
		e.flag(ok)
	}
	for _, w := range s.Words {
		e.b = le.AppendUint64(e.b, w)
	}
}

func (d *decoder) pairs() (s Sketch) {
	s.Withdrawn = d.flag()
	n := d.number(maxPairs, "number of sketched pairs")
	for range n {
		s.Eligible = append(s.Eligible, d.flag())
	}
	for range n * sketchWords {
		s.Words = append(s.Words, d.word())
	}
	return s
}

// Decode reads any file of the protocol: a Commitment, *Opening, *Challenge or
// *Response.
func Decode(b []byte) (any, error) {
	for _, k := range kinds {
		if bytes.HasPrefix(b, []byte(k.seal.magic)) {
			return k.decode(b)
		}
	}
	return nil, fmt.Errorf("%w: offset 0: the magic of no kind of file", ErrFile)
}

var kinds = []struct {
	seal   seal
	decode func([]byte) (any, error)
}{
	{sealCommitment, func(b []byte) (any, error) { return DecodeCommitment(b) }},
	{sealOpening, func(b []byte) (any, error) { return DecodeOpening(b) }},
	{sealChallenge, func(b []byte) (any, error) { return DecodeChallenge(b) }},
	{sealResponse, func(b []byte) (any, error) { return DecodeResponse(b) }},
}
