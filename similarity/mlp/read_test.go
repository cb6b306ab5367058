package mlp

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
)

// tower has two layers of a shape.
func tower(hidden, width int) *roles.Tower {
	matrix := func(rows, cols int) *roles.Matrix { return &roles.Matrix{Rows: rows, Cols: cols} }
	t := &roles.Tower{Hidden: hidden}
	for i := range 2 {
		t.Layers = append(t.Layers, &roles.Layer{Index: i, Experts: []*roles.MLP{{Gate: matrix(width, hidden), Up: matrix(width, hidden), Down: matrix(hidden, width)}}})
	}
	return t
}

// Layers are compared whole up to the sizes that the documents state: under a budget
// those of models of 10⁸ parameters, without one of 10⁹.
func TestExtent(t *testing.T) {
	for _, c := range []struct {
		hidden, width         int
		bounded, whole, depth int // layers of 30
	}{
		{96, 256, 6, 8, 30},
		{576, 1536, 4, 8, 30},
		{2048, 5632, 0, 2, 7},
		{8192, 28672, 0, 0, 0},
	} {
		x := tower(c.hidden, c.width)
		for e, want := range map[*extent]int{&bounded: c.bounded, &unbounded: c.whole, &deep: c.depth} {
			require.Equal(t, want, e.layersOf(30, cost(x, 0), 2*values(x, 0)), "%d × %d", c.hidden, c.width)
		}
	}
}
