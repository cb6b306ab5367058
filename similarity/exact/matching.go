package exact

import (
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/axis"
)

// pooled adds the views of an axis, units of B × units of A; views that change
// sign with the unit count by their size.
func pooled(x *axis.Axis) []float32 {
	out := make([]float32, len(x.B.Units)*len(x.A.Units))
	for i := range x.Views {
		if v := &x.Views[i]; v.SignEquivariant {
			dense.AddSizes(out, v.Cosine)
		} else {
			dense.Add(out, v.Cosine)
		}
	}
	return out
}

// signed adds the views as they are: a child that kept its units in place kept
// their signs.
func signed(x *axis.Axis) []float32 {
	out := make([]float32, len(x.B.Units)*len(x.A.Units))
	for i := range x.Views {
		dense.Add(out, x.Views[i].Cosine)
	}
	return out
}

// Partners returns for each unit of B its mutual best match by all views, as an
// index into A's units, -1 for none.
func Partners(x *axis.Axis) []int { return x.Matcher().Mutual(pooled(x)) }
