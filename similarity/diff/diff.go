// Package diff lays out where two networks differ: tensor by tensor and row by
// row, by how much, and of what form the difference is: a factor, a direction that
// was taken out, a low rank, a few rows. It describes; whether two networks are
// related is not its question.
package diff

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Form says what the values of two tensors in one role have to do with each
// other.
type Form string

// The forms, from least to most change.
const (
	Equal     Form = "equal"     // every value
	Stored    Form = "stored"    // up to rounding to one side's type
	Scaled    Form = "scaled"    // B is A times a factor
	Projected Form = "projected" // B is A without one direction
	LowRank   Form = "low-rank"  // few directions changed
	Rows      Form = "rows"      // some rows changed, the others are equal
	Changed   Form = "changed"   // many values
	Replaced  Form = "replaced"  // nothing of A is left
	Reshaped  Form = "reshaped"  // the shapes differ
	OnlyA     Form = "only-a"    // no counterpart in B
	OnlyB     Form = "only-b"    // no counterpart in A
)

// Forms lists all of them.
func Forms() []Form {
	return []Form{Equal, Stored, Scaled, Projected, LowRank, Rows, Changed, Replaced, Reshaped, OnlyA, OnlyB}
}

// Tensor is the difference of two tensors in one role.
type Tensor struct {
	Role, Component string
	NameA, NameB    string // as stored
	TypeA, TypeB    string
	ShapeA, ShapeB  [2]int // rows and columns as the role sees them; of a vector one row
	LayerA, LayerB  int    // -1 outside layers
	Form            Form

	Values   int64   // compared
	Differ   int64   // of them, those that are not equal
	RowsOf   int     // rows compared
	RowsDiff int     // of them, those with a value that differs
	Relative float64 // |b − a| / |a|
	Cosine   float64
	Largest  float64 // largest |b − a|
	Factor   float64 // of Scaled: B is that many times A
	Rank     int     // directions in which B differs, where they are few; 0 where many or not asked
	Along    []Along // of Projected and LowRank: what became of the strongest direction
	Most     []Row   // the rows that changed most, first
	Changed  []Span  // rows that changed, where they are few
	Heads    []int   // heads that changed, where others did not
	Added    []Row   // rows of B without a counterpart
	Removed  []Row   // rows of A without a counterpart
}

// Along tells what share of a change lies in its strongest direction, on the side
// of the outputs ("rows") or the inputs ("columns"), and how much of A and B lies
// along it.
type Along struct {
	Side   string
	Share  float64
	A, B   float64 // root mean square of the values along it
	vector []float64
}

// Row is one row by its place and what it is of.
type Row struct {
	At       int    // in B, or in A where B has none
	Name     string // its token, head or unit, "" if it has none
	Relative float64
}

// Span is a run of rows, the last one included.
type Span struct{ First, Last int }

// Difference is everything that differs.
type Difference struct {
	Tensors []Tensor
	Shared  []Shared
}

// Shared is a direction in which several tensors changed alike.
type Shared struct {
	Side    string
	Width   int
	Cosine  float64 // mean size of the cosine between the tensors' directions
	Tensors []int   // positions in Tensors
}

// Options bounds what Compare reads.
type Options struct {
	Rows             int      // rows sampled of each matrix; 0 = all
	TokensA, TokensB []string // token strings by row of the embeddings; nil if unknown
}

// Compare lays out how the two sides of a pair differ, in the order of B.
func Compare(ctx context.Context, p *align.Pair, o Options) (*Difference, error) {
	d := &Difference{}
	m := p.Match()
	for _, x := range m.Matrices {
		t, err := compareMatrix(ctx, p, x, o)
		if err != nil {
			return nil, err
		}
		d.Tensors = append(d.Tensors, *t)
	}
	for _, x := range m.Vectors {
		t, err := compareVector(ctx, x)
		if err != nil {
			return nil, err
		}
		d.Tensors = append(d.Tensors, *t)
	}
	for _, role := range m.OnlyA {
		d.Tensors = append(d.Tensors, only(p.A.Net, role, OnlyA))
	}
	for _, role := range m.OnlyB {
		d.Tensors = append(d.Tensors, only(p.B.Net, role, OnlyB))
	}
	d.Shared = shared(d.Tensors)
	return d, nil
}

// only is a tensor that one side has.
func only(n *roles.Network, role string, form Form) Tensor {
	t := Tensor{Role: role, Form: form, LayerA: -1, LayerB: -1}
	name, dtype, shape := stored(n, role)
	if form == OnlyA {
		t.NameA, t.TypeA, t.ShapeA = name, dtype, shape
	} else {
		t.NameB, t.TypeB, t.ShapeB = name, dtype, shape
	}
	return t
}

func stored(n *roles.Network, role string) (name, dtype string, shape [2]int) {
	for _, m := range n.Matrices() {
		if m.Role == role {
			return m.Tensor.Name, m.Tensor.DType.String(), [2]int{m.Rows, m.Cols}
		}
	}
	for _, v := range n.AllVectors() {
		if v.Role == role {
			return v.Tensor.Name, v.Tensor.DType.String(), [2]int{1, v.Len}
		}
	}
	return "", "", shape
}
