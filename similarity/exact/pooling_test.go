package exact

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// What choosing the layers costs is paid in the pooled result for every axis, and in
// each layer's own.
func TestResultsPayForTheChoiceOfLayers(t *testing.T) {
	of := func(charge stats.LogP) []stats.LogP {
		var all []tally
		for layer := range 3 {
			all = append(all, tally{axis: &axis.Axis{Name: "x", Component: "mlp", LayerB: layer, Charge: charge}, count: 9, n: 20, p: -40})
		}
		c := &component{name: "mlp", tower: "main", coordinates: "raw"}
		var out []stats.LogP
		for _, e := range c.results("fixed-points", all, nil, func([]tally) stats.LogP { return -100 }) {
			out = append(out, *e.P)
		}
		return out
	}
	free, charged := of(0), of(2)
	require.Len(t, charged, 4)
	require.InDelta(t, float64(free[0])+3*2, float64(charged[0]), 1e-9)
	for i := range 3 {
		require.InDelta(t, float64(free[i+1])+2, float64(charged[i+1]), 1e-9)
	}
}
