package report_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Strangers behind one fixed transform, its rows in whatever order, have no
// common origin.
func TestFixedTransformAccusesNobody(t *testing.T) {
	const units, inputs = 64, 128
	front := func(seed uint64) *zoo.Model {
		m, r := zoo.New(), rand.New(rand.NewPCG(seed, 1))
		order := rand.New(rand.NewPCG(5, 5)).Perm(inputs - 1)
		basis := make([]float32, units*inputs)
		for i := range basis {
			basis[i] = float32(math.Cos(math.Pi / inputs * (float64(i%inputs) + 0.5) * float64(1+order[i/inputs])))
		}
		m.Add("front.weight", basis, units, inputs)
		for _, x := range []zoo.Spec{{Name: "fc1.weight", Shape: []int64{200, units}}, {Name: "fc2.weight", Shape: []int64{10, 200}}} {
			v := make([]float32, x.Shape[0]*x.Shape[1])
			for i := range v {
				v[i] = float32(r.NormFloat64())
			}
			m.Add(x.Name, v, x.Shape...)
		}
		return m
	}
	r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: front(1)}, report.Input{Ref: "b", Model: front(2)}, nil)
	require.NoError(t, err)
	require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, r.Verdict.Relation, "%v", r.Verdict.Because)
}
