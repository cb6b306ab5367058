package recipe

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// Of few experts all are read; of very many, some of every layer, so that one row of each
// fits, and everything that is no expert's.
func TestExpertsAreSampled(t *testing.T) {
	of := func(layers, experts int) []*align.Matching {
		m := &align.Matching{}
		add := func(role string) {
			x := &roles.Matrix{Role: role, Rows: 8, Cols: 4096}
			m.Matrices = append(m.Matrices, align.MatrixPair{A: x, B: x})
		}
		for l := range layers {
			add(fmt.Sprintf("layers.%d.attn.q", l))
			for e := range experts {
				add(fmt.Sprintf("layers.%d.experts.%d.gate", l, e))
			}
		}
		return []*align.Matching{m}
	}
	require.Nil(t, choose(of(4, 8)))
	many := of(60, 512)
	c := choose(many)
	read := map[string]int{}
	for _, m := range many[0].Matrices {
		if c.reads(m.B.Role) {
			layer, _, ok := expertOf(m.B.Role)
			if !ok {
				layer = "none"
			}
			read[layer]++
		}
	}
	require.Equal(t, 60, read["none"])
	require.Len(t, read, 61, "some of every layer")
	row := 0
	for layer, n := range read {
		require.Positive(t, n)
		if layer != "none" {
			row += n * 4096
		}
	}
	require.LessOrEqual(t, row, maxValues/expertShare)
	require.Equal(t, c, choose(many), "the same experts every time")
}
