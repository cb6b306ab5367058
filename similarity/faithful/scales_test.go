package faithful

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// asked is a tensor's groups as the source has them, and how many steps its codes have.
type asked struct {
	groups []quant.Group
	seen   *ranges
	top    float32
	steps  int
	fitted bool
	grouped
}

func (a *asked) Levels() (float32, int) { return a.top, a.steps }
func (a *asked) FittedZero() bool       { return a.fitted }

// groupsOf makes groups of which a quantiser stores what give says, in bfloat16 where
// half says so.
func groupsOf(seed uint64, half bool, give func(lo, hi float64) (scale, zero, bias float64)) *asked {
	r, round := rand.New(rand.NewPCG(seed, 3)), tensor.BF16.Rounding()
	const n = 400
	a := &asked{seen: &ranges{make([]float32, n), make([]float32, n), make([]int64, n)}, top: 15, steps: 15}
	for g := range n {
		a.seen.lo[g], a.seen.hi[g], a.seen.seen[g] = round(float32(-.01-.05*r.Float64())), round(float32(.01+.05*r.Float64())), 32
		scale, zero, bias := give(float64(a.seen.lo[g]), float64(a.seen.hi[g]))
		x := quant.Group{Scale: float32(scale), Zero: float32(zero), Bias: float32(bias), Size: 32}
		_, e := math.Frexp(scale)
		fraction := 24
		if half {
			x.Scale, x.Bias, fraction = round(x.Scale), round(x.Bias), 8
		}
		unit := float32(math.Ldexp(1, e-fraction))
		x.Low, x.High = x.Scale-unit/2, x.Scale+unit/2
		a.groups = append(a.groups, x)
	}
	return a
}

// Each quantiser's scales are explained by its own rule, whole, and a scale or a
// zero-point that is moved is named and nothing else.
func TestScaleRules(t *testing.T) {
	for _, c := range []struct {
		rule string
		half bool
		give func(lo, hi float64) (scale, zero, bias float64)
		move func(*quant.Group)
		want Grade
	}{
		{"the largest size over the largest code", false, func(lo, hi float64) (float64, float64, float64) { return max(hi, -lo) / 7, 0, 0 }, func(g *quant.Group) { shift(g, 1.001) }, Deviates},
		{"the largest size over half the range of codes", true, func(lo, hi float64) (float64, float64, float64) { return max(hi, -lo) / 7.5, 8, 0 }, func(g *quant.Group) { shift(g, 1.03) }, Deviates},
		{"the largest size over half the range of codes", true, func(lo, hi float64) (float64, float64, float64) { return max(hi, -lo) / 7.5, 8, 0 }, func(g *quant.Group) { shift(g, 1+1./128) }, Open},
		{"the span of the values and zero", false, func(lo, hi float64) (float64, float64, float64) {
			s := (hi - lo) / 15
			return s, math.Round(-lo / s), 0
		}, func(g *quant.Group) { g.Zero++ }, Deviates},
		{"the span of the values, counted from the least", false, func(lo, hi float64) (float64, float64, float64) { return (hi - lo) / 15, 0, lo }, func(g *quant.Group) { g.Bias *= 1.001 }, Deviates},
	} {
		a := groupsOf(7, c.half, c.give)
		got := a.seen.ruleOf(a.groups, a, passages(tensor.BF16))
		require.NotNil(t, got, c.rule)
		require.Equal(t, c.rule, got.rule)
		require.NotContains(t, got.of, Deviates, c.rule)
		require.NotContains(t, got.of, Open, c.rule)
		c.move(&a.groups[11])
		got = a.seen.ruleOf(a.groups, a, passages(tensor.BF16))
		for g, grade := range got.of {
			want := Exact
			if g == 11 {
				want = c.want
			}
			require.Equal(t, want, grade, "%s, group %d", c.rule, g)
		}
	}
}

func shift(g *quant.Group, by float32) { g.Scale, g.Low, g.High = g.Scale*by, g.Low*by, g.High*by }

// Scales that follow from something else are explained by no rule.
func TestSearchedScalesHaveNoRule(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	a := groupsOf(8, false, func(lo, hi float64) (float64, float64, float64) {
		return max(hi, -lo) / 7 * (.8 + .2*r.Float64()), 0, 0
	})
	require.Nil(t, a.seen.ruleOf(a.groups, a, passages(tensor.BF16)))
}
