package commitment

import (
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/escape"
)

// ErrMismatch is the class of everything that check finds wrong with a
// response.
var ErrMismatch = errors.New("the response does not hold")

// Check verifies a response to a challenge with nothing but the two: that it
// answers this challenge for a commitment named in it, that axes and tensors
// are those committed, that exactly the drawn units are opened, that every
// opened row is the committed one, and that its sketch is what the answer
// says. It returns the sketches, ready for the unit tests. All errors are
// ErrMismatch.
func (c *Challenge) Check(r *Response) ([]AxisSketch, error) {
	a := &r.Answer
	switch {
	case a.Challenge != c.Digest():
		return nil, fmt.Errorf("%w: it answers another challenge", ErrMismatch)
	case !c.names(a.Commitment):
		return nil, fmt.Errorf("%w: the challenge does not name its commitment %s", ErrMismatch, a.Commitment)
	}
	entries, err := a.committed()
	if err != nil {
		return nil, err
	}
	if err := a.shapes(entries); err != nil {
		return nil, err
	}
	if err := r.opens(c, entries); err != nil {
		return nil, err
	}
	return compared(a.Axes, a.Sketches), nil
}

func (c *Challenge) names(d fingerprint.Digest) bool {
	for _, x := range c.Commitments {
		if x == d {
			return true
		}
	}
	return false
}

// committed verifies axes and tensors against the commitment.
func (a *Answer) committed() (map[int]*Tensor, error) {
	root, ok := climb(axesLeaf(a.Salt, a.Axes), 0, a.Leaves, a.Path)
	if !ok || commitmentOf(a.Leaves, root).Root != a.Commitment {
		return nil, fmt.Errorf("%w: the axes are not those committed", ErrMismatch)
	}
	entries := map[int]*Tensor{}
	for k := range a.Tensors {
		e := &a.Tensors[k]
		root, ok := climb(e.Tensor.entry(e.Salt), int64(e.Index)+1, a.Leaves, e.Path)
		if !ok || commitmentOf(a.Leaves, root).Root != a.Commitment {
			return nil, fmt.Errorf("%w: tensor %s is not the one committed", ErrMismatch, escape.Printable(e.Tensor.Name))
		}
		entries[e.Index] = &e.Tensor
	}
	return entries, nil
}

// shapes verifies that the axes lie within their tensors and that everything
// is answered, nothing twice and nothing besides.
func (a *Answer) shapes(entries map[int]*Tensor) error {
	wanted := axisTensors(a.Axes)
	if len(a.Axes) == 0 || len(a.Sketches) != len(a.Axes) || len(a.Tensors) != len(wanted) {
		return fmt.Errorf("%w: %d axes, %d sketches and %d tensors are answered", ErrMismatch, len(a.Axes), len(a.Sketches), len(a.Tensors))
	}
	for i, e := range a.Tensors {
		if e.Index != wanted[i] {
			return fmt.Errorf("%w: tensor number %d is opened where %d is asked", ErrMismatch, e.Index, wanted[i])
		}
	}
	names := map[string]bool{}
	for k, x := range a.Axes {
		t := entries[x.Tensor]
		last := x.First + int64(x.Units-1)*x.Step // no overflow: 22 and 40 bits
		n := pairs(x.Units, x.Dim)
		if names[x.Name] || x.Step < 1 || int64(x.Dim) != t.Length || last >= t.Leaves || n < minPairs {
			return fmt.Errorf("%w: axis %s does not lie in its tensor", ErrMismatch, escape.Printable(x.Name))
		}
		names[x.Name] = true
		s := &a.Sketches[k]
		if len(s.Eligible) != n || len(s.Words) != n*sketchWords {
			return fmt.Errorf("%w: axis %s has %d sketches instead of %d", ErrMismatch, escape.Printable(x.Name), len(s.Eligible), n)
		}
		if !s.consistent() {
			return fmt.Errorf("%w: axis %s has sketches of pairs that it says have none", ErrMismatch, escape.Printable(x.Name))
		}
	}
	return nil
}

// consistent tells whether pairs without sketch have zeros for one.
func (s *Sketch) consistent() bool {
	for i, ok := range s.Eligible {
		words := [sketchWords]uint64(s.Words[i*sketchWords:])
		if ok && s.Withdrawn || !ok && words != [sketchWords]uint64{} {
			return false
		}
	}
	return true
}

// opens verifies the opened units.
func (r *Response) opens(c *Challenge, entries map[int]*Tensor) error {
	drawn := r.Opened(c)
	if len(r.Proofs) != len(drawn) {
		return fmt.Errorf("%w: %d units are opened, %d were drawn", ErrMismatch, len(r.Proofs), len(drawn))
	}
	p := newProjector(c.Digest())
	h := newHash(purposeSalted)
	for n, s := range drawn {
		x := &r.Answer.Axes[s.Axis]
		t := entries[x.Tensor]
		units := p.pairs(x.Units, pairs(x.Units, x.Dim))[s.Pair]
		var rows [2][]float32
		for side, u := range units {
			o := &r.Proofs[n][side]
			leaf := salted(h, o.Salt, rowDigest(o.Row))
			root, ok := climb(leaf, x.First+int64(u)*x.Step, t.Leaves, o.Path)
			if !ok || root != t.Root {
				return fmt.Errorf("%w: row %d of axis %s is not the committed one", ErrMismatch, u, escape.Printable(x.Name))
			}
			if rows[side], ok = values(o.Row, x.Dim); !ok {
				return fmt.Errorf("%w: row %d of axis %s has not %d values", ErrMismatch, u, escape.Printable(x.Name), x.Dim)
			}
		}
		if err := r.Answer.Sketches[s.Axis].agrees(p, s.Pair, rows); err != nil {
			return fmt.Errorf("%w: the sketch of units %d and %d of axis %s is not that of the committed rows", ErrMismatch, units[0], units[1], escape.Printable(x.Name))
		}
	}
	return nil
}

// agrees recomputes the sketch of a pair from its opened rows. Of an axis that
// was withdrawn there is none.
func (s *Sketch) agrees(p *projector, pair int, rows [2][]float32) error {
	words, ok := p.sketch(rows[0], rows[1])
	if s.Withdrawn {
		words, ok = [sketchWords]uint64{}, false
	}
	if s.Eligible[pair] != ok || [sketchWords]uint64(s.Words[pair*sketchWords:]) != words {
		return ErrMismatch
	}
	return nil
}

// Pairs is how many pairs of units a response sketches, and Withdrawn on how
// many axes the party gave none because any network could have such units.
func (r *Response) Pairs() (n, withdrawn int) {
	for k, x := range r.Answer.Axes {
		n += pairs(x.Units, x.Dim)
		if r.Answer.Sketches[k].Withdrawn {
			withdrawn++
		}
	}
	return n, withdrawn
}

// MissProbability is the chance that none of n forged units is among opened
// ones drawn from all: C(all−n, opened)/C(all, opened), which is at most
// (1 − n/all)^opened.
func MissProbability(all, n, opened int) float64 {
	opened = min(opened, all)
	if n > all-opened {
		return 0
	}
	p := 1.0
	for i := range opened {
		p *= float64(all-n-i) / float64(all-i)
	}
	return p
}
