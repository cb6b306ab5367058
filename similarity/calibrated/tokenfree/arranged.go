package tokenfree

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// Ceiling is the share of agreeing units that one rotation of the residual
// stream, aimed at all tested layers at once, was seen to reach between
// strangers, times a margin: 1.5·(h/nL)^¾ for residual width h and L layers of
// n units, at most 1. A rotation has h²/2 free directions, and every unit that
// it makes agree uses up some twenty to thirty; the power is a fit to what the
// optimiser Arranged reaches on random networks, the constant lies a seventh
// above the largest ratio that it showed (see docs/STATISTICS.md).
//
// CrossFit does not depend on rotations, so an arranged stranger stays at the
// level of strangers, far below. The ceiling counts where something else than
// content could have steered the fit, such as planted units: a share above it
// is not made by any rotation.
func Ceiling(hidden, units, layers int) float64 {
	if hidden < 1 || units < 1 || layers < 1 {
		return 1
	}
	return math.Min(1, 1.5*math.Pow(float64(hidden)/(float64(units)*float64(layers)), 0.75))
}

// Arranged is the attack that Ceiling answers: it turns B's residual stream so
// that as many units as possible agree in all layers at once, tried on the
// layers it was aimed at. aim is the share of units it goes for, in (0, 1].
// The rotation starts at random, drawn from the seed.
func Arranged(a, b []mlp.Block, aim float64, o *Options) *Result {
	opt := o.orDefaults()
	opt.Dims, opt.Units = math.MaxInt, math.MaxInt // an attacker spares no effort
	f := &fit{opt: opt, dims: min(a[0].Hidden, b[0].Hidden), unweighed: true}
	f.a, f.b = directionsAll(a), directionsAll(b)
	f.turn = randomTurn(opt.Seed, f.dims, b[0].Hidden)
	best := &Result{}
	for range opt.Rounds {
		r := &Result{Dims: f.dims}
		var matches [][]int
		var cosine sum
		for i := range f.a {
			first, second := f.tables(f.a[i], f.b[i])
			layer, c := count(f.a[i], f.b[i], first, second)
			r.Layers, r.Agree, r.Tested = append(r.Layers, layer), r.Agree+layer.Agree, r.Tested+layer.Tested
			cosine.merge(c)
			likeness := added(first, second)
			for j, u := range agreeing(first, second, f.b[i].units, f.a[i].units) {
				if u >= 0 {
					likeness[j*f.a[i].units+u] += won
				}
			}
			matches = append(matches, strongest(likeness, f.b[i].units, f.a[i].units, aim))
		}
		r.Cosine = cosine.mean()
		if r.Agree >= best.Agree {
			best = r
		}
		f.turn = f.procrustes(matches, false)
	}
	return best
}

// won is what a unit that agrees already is preferred by: more than any
// likeness.
const won = 4

func randomTurn(seed []byte, rows, cols int) []float32 {
	r := rng.New(seed, "rotation to start from")
	x := make([]float32, rows*cols)
	for i := range x {
		for range 6 { // near enough to a normal value
			x[i] += float32(int64(r.Uint64()>>40)-1<<23) / (1 << 23)
		}
	}
	return basis.Orthonormal(x, rows, cols)
}

// strongest pairs every unit of B with a unit of A of its own so that the sum
// of likenesses is largest, and keeps the share of pairs that are most alike;
// the others are −1.
func strongest(c []float32, nb, na int, share float64) []int {
	match := assign(c, nb, na)
	var order []int
	for j, i := range match {
		if i >= 0 {
			order = append(order, j)
		}
	}
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(cmp.Compare(c[y*na+match[y]], c[x*na+match[x]]), cmp.Compare(x, y))
	})
	for _, j := range order[int(share*float64(len(order))):] {
		match[j] = -1
	}
	return match
}

// agreeing returns, for each unit of B, the unit of A that both tables give,
// each mutually, or −1.
func agreeing(first, second []float32, nb, na int) []int {
	x, y := mutual(first, nb, na), mutual(second, nb, na)
	for j, i := range x {
		if y[j] != i {
			x[j] = -1
		}
	}
	return x
}

// count counts agreeing units in tables of likeness.
func count(a, b *directions, first, second []float32) (Layer, sum) {
	l := Layer{Tested: min(a.live(), b.live())}
	for _, i := range agreeing(first, second, b.units, a.units) {
		if i >= 0 {
			l.Agree++
		}
	}
	c := cosines(first, mutual(added(first, second), b.units, a.units), a)
	l.Cosine = c.mean()
	return l, c
}
