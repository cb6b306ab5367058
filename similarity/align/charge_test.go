package align

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
)

// A choice among layers costs as many looks as there were layers, unless the units
// that made it take no part in tests.
func TestChoiceOfLayersIsCharged(t *testing.T) {
	tower := &roles.Tower{Layers: make([]*roles.Layer, 12)}
	p := &Pair{Towers: []TowerPair{{A: tower, B: tower}}}
	require.Zero(t, p.Towers[0].Charge(), "nothing was chosen")
	layers := []LayerPair{{3, 0}, {1, 1}}
	p.Follow(0, layers, nil)
	require.InDelta(t, math.Log(12), float64(p.Towers[0].Charge()), 1e-12)
	p.Follow(0, layers, []int{4, 7})
	require.Zero(t, p.Towers[0].Charge(), "units were held back for it")
	require.Equal(t, []int{4, 7}, p.Towers[0].Held())
	require.Equal(t, layers, p.Towers[0].Layers)
}
