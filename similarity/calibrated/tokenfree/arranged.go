package tokenfree

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// Ceiling is what one rotation of the residual stream, aimed at all tested
// layers at once, can reach between strangers: the share of units that agree,
// at most 1, and the mean cosine of matched units. hidden is the width h of the
// residual stream, units the n units of each of the layers.
//
// A rotation that is fitted to N pairs of random rows brings them to a mean
// cosine of (8/3π)·√(h/N): the nuclear norm of their h×h product is that of a
// Gaussian matrix. A unit agrees once two of its rows stand out from the largest
// of n chance cosines, m/√h with m the expected largest of n normal values. So
// at most K units can be made to agree with (8/3π)·√(h/2K) = m/√h, which is
// K = .36·h²/m²; and the cosine of all, three rows a unit, stays below
// (8/3π)·√(h/3nL) + m/√h. The optimiser Arranged reaches .4 to .6 of this share
// and .65 to .85 of this cosine (docs/STATISTICS.md).
//
// CrossFit does not depend on rotations, so a stranger that was arranged stays
// at the level of strangers, far below. The ceiling counts where something
// else than content could have steered the fit, such as planted units.
func Ceiling(hidden, units, layers int) (share, cosine float64) {
	if hidden < 1 || units < 2 || layers < 1 {
		return 1, 1
	}
	h, all := float64(hidden), float64(units)*float64(layers)
	m := largestOf(units)
	const spread = 8 / (3 * math.Pi)
	share = spread * spread / 2 * h * h / (m * m * all)
	cosine = spread*math.Sqrt(h/(3*all)) + m/math.Sqrt(h)
	return math.Min(1, share), math.Min(1, cosine)
}

// largestOf is the expected largest of n standard normal values, to first order.
func largestOf(n int) float64 {
	r := math.Sqrt(2 * math.Log(float64(n)))
	return math.Max(0.5, r-(math.Log(math.Log(float64(n)))+math.Log(4*math.Pi))/(2*r))
}

// Arranged is the attack that Ceiling answers: it turns B's residual stream so
// that as many units as possible agree in all layers at once, tried on the
// layers it was aimed at. aim is the share of units it goes for, in (0, 1].
// The rotation starts at random, drawn from the seed.
func Arranged(a, b []mlp.Block, aim float64, o *Options) *Result {
	opt := o.orDefaults()
	opt.Dims, opt.Units = math.MaxInt, math.MaxInt // an attacker spares no effort
	f := &fit{opt: opt, dims: min(a[0].Hidden, b[0].Hidden), unweighed: true}
	f.a, f.b = slices.Collect(layersOf(a, false).each), slices.Collect(layersOf(b, false).each)
	f.turn = randomTurn(opt.Seed, f.dims, b[0].Hidden)
	best := &Result{}
	for range opt.Rounds {
		r := &Result{Dims: f.dims}
		var matches [][]int
		var cosine sum
		for i := range f.a {
			var t tables
			t.fill(f, f.a[i], f.b[i].onto(f.turn, f.dims), 0, f.b[i].units)
			l := newLikeness(f.b[i].units, f.a[i].units)
			l.see(0, &t)
			layer, c := l.count(f.a[i], f.b[i])
			r.Layers, r.Agree, r.Tested = append(r.Layers, layer), r.Agree+layer.Agree, r.Tested+layer.Tested
			cosine.merge(c)
			both := t.both
			for j, u := range l.agreeing() {
				if u >= 0 {
					both[j*f.a[i].units+u] += won
				}
			}
			matches = append(matches, strongest(both, f.b[i].units, f.a[i].units, aim))
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
	match := linalg.Assign(c, nb, na)
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
