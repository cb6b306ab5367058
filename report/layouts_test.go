package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/verdict"
)

// tensorOf is one tensor of a network under test.
type tensorOf struct {
	name   string
	shape  []int64
	values []float32
}

func normals(r *rand.Rand, shape ...int64) []float32 {
	n := int64(1)
	for _, d := range shape {
		n *= d
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// asKeras is a stack of convolutions as Keras stores it: kernels window × inputs × outputs,
// each with a bias, under names that say nothing.
func asKeras(r *rand.Rand, channels ...int64) (out []tensorOf) {
	for k := range channels[1:] {
		in, to := channels[k], channels[k+1]
		out = append(out,
			tensorOf{fmt.Sprintf("k%d", k), []int64{9, in, to}, normals(r, 9, in, to)},
			tensorOf{fmt.Sprintf("b%d", k), []int64{to}, normals(r, to)})
	}
	return out
}

// lstm is a recurrent network that reads symbols and answers seven questions.
func lstm(r *rand.Rand, symbols, units int64) (out []tensorOf) {
	for k, shape := range [][]int64{{4 * units, symbols}, {4 * units, units}, {4 * units, units}, {4 * units, units}, {7, units}, {4 * units}} {
		out = append(out, tensorOf{fmt.Sprintf("w%d", k), shape, normals(r, shape...)})
	}
	return out
}

// onnxGRU is a recurrent layer of two directions as ONNX stores it.
func onnxGRU(r *rand.Rand, inputs, units int64) (out []tensorOf) {
	for k, shape := range [][]int64{{2, 3 * units, inputs}, {2, 3 * units, units}, {7, 2 * units}} {
		out = append(out, tensorOf{fmt.Sprintf("w%d", k), shape, normals(r, shape...)})
	}
	return out
}

// trainedOn is a network whose matrices have a cosine of c with the given ones.
func trainedOn(r *rand.Rand, net []tensorOf, c float64) (out []tensorOf) {
	for _, t := range net {
		if len(t.shape) > 1 {
			y := normals(r, t.shape...)
			for i, x := range t.values {
				y[i] = float32(c*float64(x) + math.Sqrt(1-c*c)*float64(y[i]))
			}
			t.values = y
		}
		out = append(out, t)
	}
	return out
}

func stored(net []tensorOf) *zoo.Model {
	m := zoo.New()
	for _, t := range net {
		m.Add(t.name, t.values, t.shape...)
	}
	return m
}

// Networks of unknown architecture show their hidden units however a library lays
// matrices, and through all gates of a recurrent layer: a copy that was trained on is
// found, a stranger is not.
func TestHiddenUnitsInAnyLayout(t *testing.T) {
	for name, make := range map[string]func(r *rand.Rand) []tensorOf{
		"convolutions of Keras": func(r *rand.Rand) []tensorOf { return asKeras(r, 4, 48, 64, 48, 64, 3) },
		"LSTM":                  func(r *rand.Rand) []tensorOf { return lstm(r, 60, 64) },
		"GRU of ONNX":           func(r *rand.Rand) []tensorOf { return onnxGRU(r, 50, 96) },
	} {
		for seed := range uint64(cases(1, 2, 20)) {
			r := rand.New(rand.NewPCG(seed, 0x1a70))
			net := make(r)
			v := verdictOf(t, stored(net), stored(trainedOn(r, net, 0.75)))
			require.Contains(t, []verdict.Relation{verdict.Related, verdict.SharedInit}, v.Relation, "%s: %v", name, v.Because)
			require.NotNil(t, v.Log10P, name)
			require.Less(t, *v.Log10P, -9.0, name)
			v = verdictOf(t, stored(net), stored(make(r)))
			require.Equal(t, verdict.Inconclusive, v.Relation, "%s: %v", name, v.Because)
		}
	}
}

// The same values under the same names, with the axes of some tensors in another order, are
// stored otherwise: not identical.
func TestAxesInAnotherOrderAreNotIdentical(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 0x1a71))
	net := asKeras(r, 4, 48, 64, 48, 64, 3)
	var other []tensorOf
	for _, x := range net {
		if len(x.shape) == 3 {
			w, in, out := x.shape[0], x.shape[1], x.shape[2]
			y := make([]float32, len(x.values))
			for i, v := range x.values {
				k, j, o := int64(i)/(in*out), int64(i)/out%in, int64(i)%out
				y[(o*in+j)*w+k] = v
			}
			x = tensorOf{x.name, []int64{out, in, w}, y}
		}
		other = append(other, x)
	}
	v := verdictOf(t, stored(net), stored(other))
	require.Equal(t, verdict.Reencoded, v.Relation)
	require.Contains(t, v.Kinds, verdict.Repackaged)
	require.Equal(t, verdict.Identical, verdictOf(t, stored(net), stored(net)).Relation)
}

// Names of unknown architectures can be exchanged, and square matrices stored the other way
// round: a copy that was trained on is found all the same, and a stranger is not.
func TestExchangedNamesAndTurnedSquares(t *testing.T) {
	squares := func(r *rand.Rand) (out []tensorOf) {
		for k, s := range [][]int64{{64, 40}, {64, 64}, {64, 64}, {64, 64}, {64, 64}, {7, 64}} {
			out = append(out, tensorOf{fmt.Sprintf("l%d.weight", k), s, normals(r, s...)}, tensorOf{fmt.Sprintf("l%d.bias", k), s[:1], normals(r, s[0])})
		}
		return out
	}
	exchanged := func(net []tensorOf) []tensorOf {
		out := slices.Clone(net)
		out[2].name, out[4].name, out[6].name = net[4].name, net[6].name, net[2].name
		return out
	}
	sideways := func(net []tensorOf) []tensorOf {
		out := slices.Clone(net)
		for k, x := range net {
			if len(x.shape) == 2 && x.shape[0] == x.shape[1] {
				n := int(x.shape[0])
				out[k].values = make([]float32, n*n)
				for i, v := range x.values {
					out[k].values[i%n*n+i/n] = v
				}
			}
		}
		return out
	}
	for seed := range uint64(cases(1, 2, 20)) {
		r := rand.New(rand.NewPCG(seed, 0x1a72))
		net := squares(r)
		child, stranger := trainedOn(r, net, 0.9), squares(r)
		for name, arranged := range map[string]func([]tensorOf) []tensorOf{"exchanged": exchanged, "sideways": sideways} {
			v := verdictOf(t, stored(net), stored(arranged(child)))
			require.Contains(t, []verdict.Relation{verdict.Related, verdict.SharedInit}, v.Relation, "%s: %v", name, v.Because)
			v = verdictOf(t, stored(net), stored(arranged(stranger)))
			require.Equal(t, verdict.Inconclusive, v.Relation, "%s: %v", name, v.Because)
		}
	}
}

// Where some of the matrices were taken over and trained on, and the others are another's,
// the part is found, and nothing says that no more than its beginning is common.
func TestPartTakenOverInUnknownArchitecture(t *testing.T) {
	for seed := range uint64(cases(1, 2, 20)) {
		r := rand.New(rand.NewPCG(seed, 0x1a73))
		net, other := asKeras(r, 4, 48, 64, 48, 64, 48, 64, 48, 3), asKeras(r, 4, 48, 64, 48, 64, 48, 64, 48, 3)
		part := append(trainedOn(r, net, 0.6)[:4:4], other[4:]...)
		v := verdictOf(t, stored(net), stored(part))
		require.Contains(t, []verdict.Relation{verdict.Related, verdict.SharedInit}, v.Relation, "%v", v.Because)
		require.Contains(t, strings.Join(v.Because, " "), "axes most alike")
		if v.Relation == verdict.SharedInit {
			require.Contains(t, strings.Join(v.Alternatives, " "), "a common trained origin")
		}
		v = verdictOf(t, stored(net), stored(other))
		require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
		bank := slices.Clone(other)
		bank[2] = trainedOn(r, net, 0.9)[2] // one matrix alone may be filters that both began with
		v = verdictOf(t, stored(net), stored(bank))
		require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
	}
}

// Two networks that learn one task from different beginnings are strangers where hidden units
// were taught a meaning, so that their first layer is the same: no single matrix makes content.
func TestTaughtUnitsAreNoOrigin(t *testing.T) {
	for seed := range uint64(cases(1, 2, 20)) {
		r := rand.New(rand.NewPCG(seed, 0x1a74))
		stack := func(shapes ...[]int64) (out []tensorOf) {
			for k, s := range shapes {
				out = append(out, tensorOf{fmt.Sprintf("w%d", k), s, normals(r, s...)})
			}
			return out
		}
		for _, shapes := range [][][]int64{{{40, 20}, {7, 40}}, {{40, 20}, {64, 40}, {7, 64}}} {
			a, b := stack(shapes...), stack(shapes...)
			b[0] = trainedOn(r, a, 0.999)[0]
			v := verdictOf(t, stored(a), stored(b))
			require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
			require.Contains(t, strings.Join(v.Alternatives, " "), "one task that both learned")
		}
	}
}
