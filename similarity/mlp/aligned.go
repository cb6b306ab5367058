package mlp

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Layers that were put in or taken out shift all that follow them. Which layer came
// from which is then asked of a few rows of gate and up matrices, by what neither a
// change of basis nor an order, sign or scale of up rows alters: lengths of gate rows,
// how far they point one way, and cosines among rows and between the two rows of a unit.

// What the profile of a layer rests on: rows of either matrix, and the share of what is
// left of a budget that may go into them.
const (
	profiledRows  = 64
	profiledShare = 20
)

// features of a layer's profile.
const features = 6

// aligned lists the layers of the shorter tower with those of the longer one whose
// profiles are most like theirs, in order; nil where the two have as many layers, which
// stand at their places, where layers were paired by more than these already, or where
// they cannot be profiled within the budget.
func aligned(ctx context.Context, p *align.Pair, t align.TowerPair) ([]align.LayerPair, error) {
	if len(t.A.Layers) == 0 || len(t.B.Layers) == 0 {
		return nil, nil
	}
	chosen := slices.ContainsFunc(t.Layers, func(l align.LayerPair) bool { return l.A != l.B })
	if len(t.A.Layers) == len(t.B.Layers) || chosen || !p.Fits(max(profileCost(t.A), profileCost(t.B)), profiledShare) {
		return nil, nil
	}
	a, err := profiles(ctx, p, t.A)
	if err != nil || a == nil {
		return nil, err
	}
	b, err := profiles(ctx, p, t.B)
	if err != nil || b == nil {
		return nil, err
	}
	few, many := a, b
	if len(a.layers) > len(b.layers) {
		few, many = b, a
	}
	found, far := inOrder(measured(few, many, false))
	if other, nearer := inOrder(measured(few, many, true)); nearer < far {
		found = other
	}
	var out []align.LayerPair
	for i, j := range found {
		l := align.LayerPair{A: i, B: j}
		if len(a.layers) > len(b.layers) {
			l = align.LayerPair{A: j, B: i}
		}
		out = append(out, l)
	}
	return out, nil
}

func profileCost(t *roles.Tower) (bytes int64) {
	for i, l := range t.Layers {
		if !whole(t, i) || l.MLPs()[0].Gate == nil {
			return 0
		}
		m := l.MLPs()[0]
		bytes += m.Gate.Cost(min(m.Gate.Rows, profiledRows)) + m.Up.Cost(min(m.Up.Rows, profiledRows)) + m.Gate.Gain.Cost()
	}
	return bytes
}

// profiled are the profiles of all layers of a tower.
type profiled struct {
	layers [][features]float64
	noise  [features]float64 // what other rows of the same layers would change, usually
}

// profiles reads the profiles of a tower; nil where some layer has no gated MLP.
func profiles(ctx context.Context, p *align.Pair, t *roles.Tower) (*profiled, error) {
	out := &profiled{layers: make([][features]float64, len(t.Layers))}
	var halves [features][]float64
	for i, l := range t.Layers {
		if !whole(t, i) || l.MLPs()[0].Gate == nil {
			return nil, nil
		}
		m := l.MLPs()[0]
		rows := rng.New(p.Seed, "profiles of layers").Sample(m.Gate.Rows, min(m.Gate.Rows, profiledRows))
		gate, err := axis.ReadRows(ctx, m.Gate, rows, true)
		if err != nil {
			return nil, err
		}
		up, err := axis.ReadRows(ctx, m.Up, rows, true)
		if err != nil {
			return nil, err
		}
		g, u := unit(gate), unit(up)
		out.layers[i] = profile(g, u)
		first, second := profile(g.part(0), u.part(0)), profile(g.part(1), u.part(1))
		for k := range features {
			halves[k] = append(halves[k], math.Abs(first[k]-second[k])/2)
		}
	}
	for k := range features {
		out.noise[k] = stats.Median(halves[k])
	}
	return out, nil
}

// unitRows are rows of length one, with the lengths that they had.
type unitRows struct {
	rows   []float64
	length []float64
	n, dim int
}

func unit(r axis.Rows) unitRows {
	u := unitRows{make([]float64, len(r.Raw)), make([]float64, r.N), r.N, r.Dim}
	for i := range r.N {
		row, to := r.Raw[i*r.Dim:(i+1)*r.Dim], u.rows[i*r.Dim:(i+1)*r.Dim]
		sum := 0.0
		for _, x := range row {
			sum += float64(float64(x) * float64(x))
		}
		u.length[i] = math.Sqrt(sum)
		for k, x := range row {
			to[k] = float64(x) / max(u.length[i], math.SmallestNonzeroFloat32)
		}
	}
	return u
}

// part is one half of the rows.
func (u unitRows) part(half int) unitRows {
	from, to := half*u.n/2, (half+1)*u.n/2
	return unitRows{u.rows[from*u.dim : to*u.dim], u.length[from:to], to - from, u.dim}
}

func (u unitRows) row(i int) []float64 { return u.rows[i*u.dim : (i+1)*u.dim] }

func profile(gate, up unitRows) (out [features]float64) {
	n := float64(gate.n)
	mean, square := 0.0, 0.0
	for _, l := range gate.length {
		x := math.Log(l + math.SmallestNonzeroFloat32)
		mean, square = mean+x/n, square+float64(x*x)/n
	}
	out[0], out[1] = mean, math.Sqrt(max(0, square-float64(mean*mean)))
	var own float64
	for i := range gate.n {
		own += math.Abs(dense.Dot64(gate.row(i), up.row(i))) / n
		for j := range i {
			c, d := dense.Dot64(gate.row(i), gate.row(j)), dense.Dot64(up.row(i), up.row(j))
			out[2] += 2 * c / (n * n)
			out[3] += 2 * float64(c*c) / (n * n)
			out[4] += 2 * float64(d*d) / (n * n)
		}
	}
	out[5] = own
	return out
}

// farthest is how many times its noise a difference counts at most: what was put in may
// be anything.
const farthest = 20

// measured brings each feature to multiples of its noise, from the median of both sides
// or each side from its own, so that what changes all layers of one alike changes
// nothing.
func measured(few, many *profiled, apart bool) (x, y [][features]float64) {
	x, y = slices.Clone(few.layers), slices.Clone(many.layers)
	for k := range features {
		noise := max(few.noise[k], many.noise[k], 1e-12)
		mx := stats.Median(append(column(x, k), column(y, k)...))
		my := mx
		if apart {
			mx, my = stats.Median(column(x, k)), stats.Median(column(y, k))
		}
		for i := range x {
			x[i][k] = (x[i][k] - mx) / noise
		}
		for i := range y {
			y[i][k] = (y[i][k] - my) / noise
		}
	}
	return x, y
}

func column(rows [][features]float64, k int) (out []float64) {
	for i := range rows {
		out = append(out, rows[i][k])
	}
	return out
}

// inOrder finds for each of few profiles one of many, in the same order, so that the sum
// of their distances is least: which, and that sum.
func inOrder(few, many [][features]float64) ([]int, float64) {
	n, m := len(few), len(many)
	least := make([][]float64, n+1) // [i][j]: of the first i among the first j
	for i := range least {
		least[i] = make([]float64, m+1)
		for j := range least[i] {
			if i == 0 {
				continue
			}
			least[i][j] = math.Inf(1)
			if j > 0 {
				least[i][j] = min(least[i][j-1], least[i-1][j-1]+apart(few[i-1], many[j-1]))
			}
		}
	}
	out := make([]int, n)
	for i, j := n, m; i > 0; j-- {
		if j == i || least[i][j] < least[i][j-1] {
			i--
			out[i] = j - 1
		}
	}
	return out, least[n][m]
}

func apart(a, b [features]float64) (sum float64) {
	for k := range a {
		sum += min(math.Abs(a[k]-b[k]), farthest)
	}
	return sum
}
