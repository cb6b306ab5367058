package axis

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// throughTokens compares the units by their responses to tokens. Where these
// are much the same for all units, because few directions make up the tokens,
// the spectrum of the tokens is flattened first.
func (x Axis) throughTokens(views []bothSides, reads, writes *Anchor, room *scratch) (*Axis, error) {
	by := func(reads, writes *Anchor) *Axis {
		return x.on(views, room, func(v bothSides) (bothSides, bool) {
			by := reads
			if v.plan.columns {
				by = writes
			}
			if v.a.Dim != by.da || v.b.Dim != by.db {
				return v, false
			}
			return bothSides{plan: v.plan, a: by.respond(v.a, false, room), b: by.respond(v.b, true, room)}, true
		})
	}
	out := by(reads, writes)
	if !out.flat {
		return out, nil
	}
	r, err := reads.flattened()
	if err != nil {
		return nil, err
	}
	w, err := writes.flattened()
	if err != nil {
		return nil, err
	}
	return by(r, w), nil
}

// bothSides holds one view as read.
type bothSides struct {
	plan  viewPlan
	a, b  Rows
	gains [2][]float32 // that rows in raw coordinates are multiplied by, nil where there are none
}

// on compares the units in one system of coordinates; to brings a view into
// it, or says that it cannot.
func (x Axis) on(views []bothSides, room *scratch, to func(bothSides) (bothSides, bool)) *Axis {
	defer room.release(room.mark())
	x.A.Eligible, x.B.Eligible = slices.Clone(x.A.Eligible), slices.Clone(x.B.Eligible)
	var kept []bothSides
	for _, v := range views {
		if v, ok := to(v); ok && v.a.Dim > 0 {
			v.a.centre(x.A.Eligible, room)
			v.b.centre(x.B.Eligible, room)
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		x.Skipped = "the two sides have no common coordinates: their widths differ"
		return &x
	}
	for _, v := range kept {
		a, b := gramOf(v.a.Unit, v.a.N, v.a.Dim, x.A.Eligible), gramOf(v.b.Unit, v.b.N, v.b.Dim, x.B.Eligible)
		x.check(v.a, x.A, a, "A")
		x.check(v.b, x.B, b, "B")
		view := View{Name: v.plan.name, SignEquivariant: v.plan.equivariant, Rank: math.Sqrt(a.directions() * b.directions())}
		view.compare(v.a, v.b, len(x.A.Units), len(x.B.Units))
		view.extent(v, &x)
		x.Views = append(x.Views, view)
	}
	for i, v := range kept {
		if x.compared(v.plan) {
			pairs := clearly(i, &x)
			x.Views[i].Leading, x.Views[i].Acting = leadingSubspace(v.a, v.b, pairs), actingOf(v, pairs)
		}
	}
	return &x
}

// compared tells whether a view is one on which leading directions are compared:
// one a layer, and where there are many layers one layer in six.
func (x *Axis) compared(v viewPlan) bool {
	few := x.deep < 12 || x.LayerB%6 == 1
	return x.Skipped == "" && (v.name == "gate" || v.name == "v" || v.name == "embedding" || v.name == "rows" || v.name == "up" && !v.equivariant) && few
}

// check runs the guards of one side of one view.
func (x *Axis) check(s Rows, side Side, g gram, name string) {
	if x.Skipped != "" {
		return
	}
	if n := side.Count(); n < MinUnits {
		x.Skipped = fmt.Sprintf("%s has fewer than %d units that can be told apart", name, MinUnits)
		return
	}
	if why := basis(s.Raw, s.N, s.Dim, side.Eligible); why != "" {
		x.Skipped, x.Table = name+": "+why, true
		return
	}
	if why := g.defect(); why != "" {
		x.Skipped, x.flat = name+": "+why, true
		return
	}
	if why := structured(s.Raw, s.Unit, s.N, s.Dim, side.Eligible, g, max(1, x.gates)); why != "" {
		x.Skipped = "the units of " + name + " are not exchangeable: " + why
	}
}

// compare fills in the cosines between all units of B and all of A.
func (v *View) compare(a, b Rows, na, nb int) {
	v.Cosine = make([]float32, nb*na)
	dense.MulNT(v.Cosine, b.Unit, a.Unit, nb, na, a.Dim)
	var squares float64
	for j := range nb {
		row := v.Cosine[j*na : (j+1)*na]
		q, _ := dense.Sums(row)
		if j < na {
			q -= float64(float64(row[j]) * float64(row[j]))
		}
		squares += q
	}
	count := nb*na - min(na, nb)
	v.Spread = math.Sqrt(max(0, squares) / float64(max(1, count)))
}

// extent notes what the units are seen through.
func (v *View) extent(s bothSides, x *Axis) {
	v.Width, v.Places = s.b.Dim/max(1, x.gates), max(1, x.gates)
	if shape := s.plan.b.Dims(); x.Component == "generic" && len(shape) > 2 && shape[1] > 0 && s.b.Dim%int(shape[1]) == 0 {
		v.Width, v.Places = int(shape[1]), s.b.Dim/int(shape[1])
	}
}

func allTrue(n int) []bool {
	b := make([]bool, n)
	for i := range b {
		b[i] = true
	}
	return b
}
