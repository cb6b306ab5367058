package calibrated_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
)

// renamedNorms gives norms one another's values, or names that say nothing.
func renamedNorms(m *zoo.Model, unnamed bool) *zoo.Model {
	out := zoo.New()
	out.Meta = m.Meta
	var norms []string
	for _, t := range m.Tensors() {
		if strings.Contains(t.Name, "norm") {
			norms = append(norms, t.Name)
		}
	}
	at := 0
	for _, t := range m.Tensors() {
		name, values := t.Name, m.Values(t.Name)
		if strings.Contains(name, "norm") {
			values = m.Values(norms[(at+2)%len(norms)])
			if at++; unnamed {
				name = "vector." + strconv.Itoa(at)
			}
		}
		out.Add(name, append([]float32(nil), values...), t.Shape...)
	}
	return out
}

// Gains are paired by their values where names belie or do not say which belong together,
// and only then.
func TestGainsUnderOtherNames(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 1))
	a := withGains(r, 0.1)
	child := a.Clone()
	for _, x := range child.Tensors() {
		if strings.Contains(x.Name, "norm") {
			for k, v := range child.Values(x.Name) {
				child.Values(x.Name)[k] = v + float32(0.05*r.NormFloat64())
			}
		}
	}
	_, named := run(t, a, child)
	require.Greater(t, named.Effect, 0.8)
	require.Empty(t, named.Warnings)
	for _, unnamed := range []bool{false, true} {
		b := renamedNorms(child, unnamed)
		for range 2 { // from either side
			_, got := run(t, a, b)
			require.InDelta(t, named.Effect, got.Effect, 1e-6)
			require.Len(t, got.Warnings, 1)
			require.Equal(t, "norms", got.Component)
			a, b = b, a
		}
		for range 20 { // networks that learned nothing together
			_, other := run(t, withGains(r, 0.1), b)
			require.Empty(t, other.Warnings)
			require.Less(t, other.Effect, 0.4)
		}
	}
}
