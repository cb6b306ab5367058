package commitment

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/degenerate"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/rng"
)

// Response answers a challenge for one commitment: sketches of the committed
// model under the challenge, and proofs for some of the units, drawn only after
// the sketches were fixed.
type Response struct {
	Answer Answer
	Beacon string      // second public value, of after the answer's digest; may be empty
	Proofs []UnitProof // of the opened units, in the order of the axes
}

// Answer is the part of a response that is fixed before units are opened.
type Answer struct {
	Commitment fingerprint.Digest
	Challenge  fingerprint.Digest
	Leaves     int64 // of the commitment's tree
	Salt       fingerprint.Digest
	Axes       []Axis
	Path       []fingerprint.Digest // from the axes to the commitment
	Tensors    []Entry              // those of the axes, ascending
	Sketches   []Sketch
}

// Entry opens what a commitment says of one tensor.
type Entry struct {
	Index  int
	Tensor Tensor
	Salt   fingerprint.Digest
	Path   []fingerprint.Digest
}

// Sketch is the sketch of one axis: SketchBits bits for each pair of units, and
// zeros for pairs that are not eligible.
type Sketch struct {
	Withdrawn bool // the party's own check found units that any network could have
	Eligible  []bool
	Words     []uint64
}

// UnitProof opens the two rows of one sketched pair.
type UnitProof [2]RowProof

// RowProof opens one row: its canonical bytes, its salt and the way to the
// tensor's root.
type RowProof struct {
	Row  []byte
	Salt fingerprint.Digest
	Path []fingerprint.Digest
}

// Errors of answering.
var (
	ErrNotNamed = errors.New("the challenge does not name the commitment of this opening")
	ErrNoAxes   = errors.New("the model has no axis of units that can be sketched")
)

// Digest identifies an answer. Published before the second beacon value, it
// keeps a party from choosing its sketches after seeing which units it must
// open, and from copying the other party's.
func (a *Answer) Digest() fingerprint.Digest {
	e := &encoder{}
	e.answer(a)
	return purposeAnswer.of(e.b)
}

// Respond answers a challenge. beacon is a public value of after the answer's
// digest was published, or empty. The tensors of the sketched axes are read
// once, and held against the commitment on the way.
func Respond(ctx context.Context, m tensor.Model, o *Opening, c *Challenge, beacon string) (*Response, error) {
	root := o.Commitment().Root
	switch {
	case !slices.Contains(c.Commitments, root):
		return nil, ErrNotNamed
	case len(o.Axes) == 0:
		return nil, ErrNoAxes
	case len(beacon) > maxBeacon:
		return nil, fmt.Errorf("a beacon value has at most %d bytes", maxBeacon)
	}
	w, err := readUnits(ctx, m, o, c)
	if err != nil {
		return nil, err
	}
	leaves := o.leaves()
	r := &Response{Beacon: beacon, Answer: Answer{
		Commitment: root, Challenge: c.Digest(), Leaves: int64(len(leaves)),
		Salt: newSalter(o.Secret, 0).salt(saltAxes), Axes: slices.Clone(o.Axes), Path: proofOf(leaves, 0),
		Sketches: w.sketches(newProjector(c.Digest())),
	}}
	for _, i := range axisTensors(o.Axes) {
		r.Answer.Tensors = append(r.Answer.Tensors, Entry{i, o.Tensors[i], newSalter(o.Secret, i).salt(saltEntry), proofOf(leaves, int64(i)+1)})
	}
	r.Proofs = w.prove(o, r.Opened(c))
	return r, nil
}

// axisTensors lists the tensors that hold axes, ascending, each once.
func axisTensors(axes []Axis) []int {
	var out []int
	for _, x := range axes {
		out = append(out, x.Tensor)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Spot is a sketched pair: the positions of its axis in Answer.Axes and of the
// pair on it.
type Spot struct{ Axis, Pair int }

// Opened draws the pairs that the response has to open, ascending. The draw
// depends on every bit of the answer, so none of them can be chosen with the
// draw in view.
func (r *Response) Opened(c *Challenge) []Spot {
	var all []Spot
	for k, x := range r.Answer.Axes {
		for i := range pairs(x.Units, x.Dim) {
			all = append(all, Spot{k, i})
		}
	}
	challenge, answer := c.Digest(), r.Answer.Digest()
	seed := purposeOpenings.of(challenge[:], answer[:], []byte(r.Beacon))
	var out []Spot
	for _, i := range rng.New(seed[:], "openings").Sample(len(all), c.Open) {
		out = append(out, all[i])
	}
	return out
}

// witness holds what a response is made of: the canonical rows of all drawn
// units, axis by axis, and the leaves of the tensors they lie in.
type witness struct {
	axes   []Axis
	pairs  [][][2]int                   // by axis
	rows   []map[int][]byte             // by axis and unit
	leaves map[int][]fingerprint.Digest // by tensor
}

// readUnits reads the tensors of the axes once.
func readUnits(ctx context.Context, m tensor.Model, o *Opening, c *Challenge) (*witness, error) {
	w := newWitness(o.Axes, c.Digest())
	for _, i := range axisTensors(o.Axes) {
		x := &o.Tensors[i]
		t, ok := m.Tensor(x.Name)
		if !ok || !slices.Equal(t.Shape, x.Shape) {
			return nil, fmt.Errorf("%w: tensor %s is missing or of another shape", ErrNotCommitted, escape.Printable(x.Name))
		}
		s := newSalter(o.Secret, i)
		leaves, err := w.read(ctx, t, layout{x.Columns, x.Length}, i, s.leaf)
		if err != nil {
			return nil, err
		}
		if rootOf(leaves...) != x.Root {
			return nil, fmt.Errorf("%w: tensor %s has other values", ErrNotCommitted, escape.Printable(x.Name))
		}
		w.leaves[i] = leaves
	}
	return w, nil
}

func newWitness(axes []Axis, challenge fingerprint.Digest) *witness {
	w := &witness{axes: axes, leaves: map[int][]fingerprint.Digest{}}
	p := newProjector(challenge)
	for _, x := range axes {
		w.pairs = append(w.pairs, p.pairs(x.Units, pairs(x.Units, x.Dim)))
		w.rows = append(w.rows, map[int][]byte{})
	}
	return w
}

// read streams tensor number i, keeps the rows that were drawn and returns
// the leaves that leaf makes.
func (w *witness) read(ctx context.Context, t *tensor.Tensor, l layout, i int, leaf func(int64, fingerprint.Digest) fingerprint.Digest) ([]fingerprint.Digest, error) {
	wanted := map[int64][]Spot{} // leaf to axis and, as Pair, unit
	for k, x := range w.axes {
		for _, p := range w.pairs[k] {
			for _, u := range p {
				if x.Tensor == i {
					at := x.First + int64(u)*x.Step
					wanted[at] = append(wanted[at], Spot{k, u})
				}
			}
		}
	}
	var leaves []fingerprint.Digest
	err := l.each(ctx, t, func(n int64, canonical []byte, d fingerprint.Digest) {
		if leaf != nil {
			leaves = append(leaves, leaf(n, d))
		}
		for _, s := range wanted[n] {
			w.rows[s.Axis][s.Pair] = slices.Clone(canonical)
		}
	})
	return leaves, err
}

// sketches projects all drawn pairs.
func (w *witness) sketches(p *projector) []Sketch {
	out := make([]Sketch, len(w.axes))
	for k, x := range w.axes {
		n := len(w.pairs[k])
		s := Sketch{Eligible: make([]bool, n), Words: make([]uint64, n*sketchWords), Withdrawn: w.generic(k)}
		for i, u := range w.pairs[k] {
			if s.Withdrawn {
				break
			}
			a, _ := values(w.rows[k][u[0]], x.Dim)
			b, _ := values(w.rows[k][u[1]], x.Dim)
			words, ok := p.sketch(a, b)
			s.Eligible[i] = ok
			copy(s.Words[i*sketchWords:], words[:])
		}
		out[k] = s
	}
	return out
}

// generic tells whether the drawn rows of an axis, in stored order, are such as
// any network may have.
func (w *witness) generic(k int) bool {
	var units []int
	for u := range w.rows[k] {
		units = append(units, u)
	}
	slices.Sort(units)
	d := w.axes[k].Dim
	x := make([]float32, 0, len(units)*d)
	for _, u := range units {
		v, _ := values(w.rows[k][u], d)
		x = append(x, v...)
	}
	return degenerate.Units(x, len(units), d) != ""
}

// prove opens pairs.
func (w *witness) prove(o *Opening, opened []Spot) []UnitProof {
	out := make([]UnitProof, len(opened))
	for n, s := range opened {
		x := w.axes[s.Axis]
		for side, u := range w.pairs[s.Axis][s.Pair] {
			at := x.First + int64(u)*x.Step
			out[n][side] = RowProof{w.rows[s.Axis][u], newSalter(o.Secret, x.Tensor).salt(at), proofOf(w.leaves[x.Tensor], at)}
		}
	}
	return out
}
