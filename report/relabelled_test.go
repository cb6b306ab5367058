package report_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/verdict"
)

// perceptron is a stack of dense layers of the given sizes, drawn at random.
func perceptron(r *rand.Rand, sizes ...int) [][]float32 {
	var all [][]float32
	for k := range sizes[1:] {
		w := make([]float32, sizes[k+1]*sizes[k])
		for i := range w {
			w[i] = float32(r.NormFloat64())
		}
		all = append(all, w)
	}
	return all
}

// shuffled is the same function with all hidden units in other places, and noise.
func shuffled(r *rand.Rand, net [][]float32, noise float64, sizes ...int) [][]float32 {
	in := make([]int, sizes[0])
	for i := range in {
		in[i] = i
	}
	var all [][]float32
	for k, w := range net {
		out := r.Perm(sizes[k+1])
		if k == len(net)-1 {
			slices.Sort(out)
		}
		y := make([]float32, len(w))
		for i, from := range out {
			for j, of := range in {
				y[i*sizes[k]+j] = w[from*sizes[k]+of] + float32(noise*r.NormFloat64())
			}
		}
		all, in = append(all, y), out
	}
	return all
}

func stack(net [][]float32, sizes ...int) *zoo.Model {
	m := zoo.New()
	for k, w := range net {
		m.Add(fmt.Sprintf("w%d", k), w, int64(sizes[k+1]), int64(sizes[k]))
	}
	return m
}

// A copy of an unknown architecture whose hidden units were permuted is found by its
// values. Likeness alone leaves the verdict open, however large: a task may determine
// units. A stranger is never called related.
func TestPermutedUnknownArchitecture(t *testing.T) {
	sizes := []int{40, 128, 96, 64, 10}
	for seed := range uint64(cases(2, 3, 20)) {
		r := rand.New(rand.NewPCG(seed, 0x4e1a))
		net := perceptron(r, sizes...)
		v := verdictOf(t, stack(net, sizes...), stack(shuffled(r, net, 0, sizes...), sizes...))
		require.Equal(t, verdict.Related, v.Relation, "%v", v.Because)
		require.Contains(t, v.Kinds, verdict.Reparameterised)
		for _, noise := range []float64{1e-4, 0.2} {
			v = verdictOf(t, stack(net, sizes...), stack(shuffled(r, net, noise, sizes...), sizes...))
			require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
			require.Contains(t, strings.Join(v.Because, " "), "a task that determines the units")
		}
		v = verdictOf(t, stack(net, sizes...), stack(perceptron(r, sizes...), sizes...))
		require.Contains(t, []verdict.Relation{verdict.NoEvidence, verdict.Inconclusive}, v.Relation, "%v", v.Because)
	}
}

// Two networks of a teacher's size that learn it from different beginnings come to its
// units, one by one: what they share is the task.
func TestOneTaskIsNoOrigin(t *testing.T) {
	sizes := []int{40, 64, 20}
	r := rand.New(rand.NewPCG(7, 0x4e1a))
	teacher := perceptron(r, sizes...)
	for _, off := range []float64{1e-5, 1e-2} { // how far each student stays from it
		v := verdictOf(t, stack(shuffled(r, teacher, off, sizes...), sizes...), stack(shuffled(r, teacher, off, sizes...), sizes...))
		require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
	}
}
