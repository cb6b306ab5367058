package forward

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// The functions agree with the mathematical library's to some units in the last
// place.
func TestFunctions(t *testing.T) {
	close := func(name string, want, got, x float64) {
		t.Helper()
		require.InDelta(t, want, got, 4e-15*max(1, math.Abs(want)), "%s of %g", name, x)
	}
	for i := -4000; i <= 4000; i++ {
		x := float64(i) / 97
		close("exp", 1, exp(x)/math.Exp(x), x)
		sin, cos := sincos(x)
		close("sin", math.Sin(x), sin, x)
		close("cos", math.Cos(x), cos, x)
		close("tanh", math.Tanh(x), tanh(x), x)
		close("erf", math.Erf(x), erf(x), x)
		if x > 0 {
			close("log", math.Log(x), log(x), x)
			close("log", math.Log(x*1e-200), log(x*1e-200), x)
		}
	}
	require.Zero(t, exp(-800))
	require.True(t, math.IsInf(exp(800), 1))
	require.True(t, math.IsNaN(exp(math.NaN())))
}

func TestActivations(t *testing.T) {
	for _, c := range []struct {
		name    string
		x, want float64
	}{
		{"silu", 1, 0.7310585786300049}, {"gelu", 1, 0.8413447460685429}, {"gelu_new", 1, 0.8411919906082768},
		{"quick_gelu", 1, 0.8457957659328212}, {"relu", -2, 0}, {"relu2", 3, 9}, {"silu", -800, 0},
	} {
		require.InDelta(t, c.want, functions[c.name](c.x), 1e-12, c.name)
	}
}
