// Package recipe finds how a network was mixed from others: which of the given
// parents took part, with what weight in every layer, and by which method
// (linear, SLERP, task arithmetic, TIES, DARE, whole layers spliced).
//
// Its premise is that the child is related to the parents; it describes, and
// accuses nobody. What the parents leave unexplained beyond the rounding of
// the child's storage is reported: a parent is missing, or training followed.
package recipe

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// Method is how parents were mixed.
type Method string

// The methods.
const (
	Copy           Method = "copy"            // one parent, unchanged but for rounding
	Linear         Method = "linear"          // Σ cᵢPᵢ with Σ cᵢ = 1
	SLERP          Method = "slerp"           // along the arc between two parents, tensor by tensor (Shoemake 1985)
	TaskArithmetic Method = "task-arithmetic" // base + Σ λᵢ(Pᵢ − base) (Ilharco et al. 2023)
	TIES           Method = "ties"            // trimmed, sign-elected task vectors (Yadav et al. 2023)
	DARE           Method = "dare"            // randomly dropped, rescaled task vectors (Yu et al. 2024)
	Spliced        Method = "spliced"         // whole layers, each from one parent
	Unknown        Method = "unknown"         // the parents do not explain the child
)

// Recipe is what was found.
type Recipe struct {
	Method   Method
	Base     int       // parent that the task vectors start from, -1 if none
	Weights  []float64 // of each parent over all layers
	CI       []float64 // half width of the 95 % interval of each weight
	Layers   []Layer
	Density  float64 // TIES: share of each task vector kept; DARE: 1 − drop rate
	Residual float64 // |child − mixture| / |child − nearest parent|
	Rounding float64 // the residual's size in units of the child's rounding
	Exact    float64 // share of values that are what the mixture rounds to; -1 where that cannot be asked
	Missing  bool    // the residual is more than rounding: a parent is missing, or training followed
	Values   int     // values that were fitted
	Warnings []string
}

// Layer is the mixture in one layer of the child, or outside the layers.
type Layer struct {
	Name     string // "layers.3", or the component
	Sources  []int  // the layer of each parent that was fitted, -1 if none
	Weights  []float64
	CI       []float64
	Residual float64 // |child − mixture| / |child|
}

// tensorFit holds one tensor of the child and of each parent.
type tensorFit struct {
	role, group string
	sources     []int
	dtype       tensor.DType
	y           []float32
	x           [][]float32 // by parent; nil where the parent has no such tensor

	cached    *moments
	cachedFor [2]int
	cutsOf    map[[2]int]*[101]float64 // by base and parent
}

// maxValues bounds what is held in memory of each subject.
const maxValues = 1 << 23

// Find fits the child of every pair to the parents, which are the A sides of
// pairs; B is the child in all of them.
func Find(ctx context.Context, pairs []*align.Pair) (*Recipe, error) {
	if len(pairs) == 0 {
		return nil, fmt.Errorf("recipe: no parents")
	}
	all, err := load(ctx, pairs)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return &Recipe{Method: Unknown, Base: -1, Weights: make([]float64, len(pairs)), CI: make([]float64, len(pairs)), Missing: true, Exact: -1, Warnings: []string{"no tensor of the child has the shape of a tensor of a parent in the same role"}}, nil
	}
	return fit(all, len(pairs)), nil
}

// load reads the tensors that the child and at least one parent have in
// common, all rows of small models and a sample of large ones.
func load(ctx context.Context, pairs []*align.Pair) ([]*tensorFit, error) {
	by := map[string]*tensorFit{}
	var order []*tensorFit
	total := 0
	matchings := make([]*align.Matching, len(pairs))
	for k, p := range pairs {
		matchings[k] = p.Match()
		for _, m := range matchings[k].Matrices {
			if m.A.Rows != m.B.Rows || m.A.Cols != m.B.Cols {
				continue
			}
			t := by[m.B.Role]
			if t == nil {
				t = &tensorFit{role: m.B.Role, group: m.Component, sources: filled(len(pairs), -1), dtype: m.B.Tensor.DType, x: make([][]float32, len(pairs))}
				if m.LayerB >= 0 {
					t.group = "layers." + strconv.Itoa(m.LayerB)
				}
				by[m.B.Role] = t
				order = append(order, t)
				total += m.B.Rows * m.B.Cols
			}
			t.sources[k] = m.LayerA
		}
	}
	share := math.Min(1, maxValues/float64(max(1, total)))
	for k, p := range pairs {
		for _, m := range matchings[k].Matrices {
			t := by[m.B.Role]
			if t == nil || m.A.Rows != m.B.Rows || m.A.Cols != m.B.Cols {
				continue
			}
			rows := rng.New(p.Seed[:0:0], "recipe "+m.B.Role).Sample(m.B.Rows, max(1, int(share*float64(m.B.Rows))))
			if t.y == nil {
				t.y = make([]float32, len(rows)*m.B.Cols)
				if err := m.B.Gather(ctx, t.y, rows); err != nil {
					return nil, err
				}
			}
			t.x[k] = make([]float32, len(t.y))
			if err := m.A.Gather(ctx, t.x[k], rows); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(order, func(t *tensorFit) bool { return t.y == nil }), nil
}

func filled(n, v int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// groups sorts the tensors into layers, in the order of their first tensor.
func groups(all []*tensorFit) (names []string, by map[string][]*tensorFit) {
	by = map[string][]*tensorFit{}
	for _, t := range all {
		if by[t.group] == nil {
			names = append(names, t.group)
		}
		by[t.group] = append(by[t.group], t)
	}
	return names, by
}

// candidate is one explanation with what it leaves.
type candidate struct {
	method  Method
	base    int
	density float64
	weights []float64
	rss     float64
}

// fit explains the child by the parents: first a mixture of its own in every
// layer, then the methods that share their numbers over all layers, the
// simplest that leaves no more than rounding.
func fit(all []*tensorFit, n int) *Recipe {
	r := &Recipe{Base: -1}
	names, by := groups(all)
	var rounding, nearest float64
	nearest = nearestParent(all, n)
	rss := 0.0
	for _, t := range all {
		rounding += t.rounding()
		r.Values += len(t.y)
	}
	for _, name := range names {
		l, left := fitLayer(name, by[name], n)
		r.Layers = append(r.Layers, l)
		rss += left
	}
	pooled := regress(all, everyone(n))
	r.Weights, r.CI = pooled.weights, pooled.ci
	perLayer := rss
	best := candidate{method: Unknown, base: -1, weights: pooled.weights, rss: perLayer}
	enough := 2.25 * rounding // half as large again as rounding alone
	first := func(of []candidate, fits func(c candidate) bool) bool {
		i := slices.IndexFunc(of, fits)
		if i >= 0 {
			best = of[i]
		}
		return i >= 0
	}
	if !first(simpleCandidates(all, r.Layers, pooled, perLayer, n), func(c candidate) bool { return c.rss <= enough }) {
		first(taskCandidates(all, n), func(c candidate) bool { return c.rss <= max(enough, 0.05*perLayer) })
	}
	r.Method, r.Base, r.Density, r.Weights = best.method, best.base, best.density, best.weights
	r.Residual = math.Sqrt(best.rss / math.Max(nearest, 1e-300))
	r.Rounding = math.Sqrt(best.rss / math.Max(rounding, 1e-300))
	r.Missing, r.Exact = best.method == Unknown, -1
	if share, ok := exact(all, r); ok {
		r.Exact = share
	}
	return r
}

// taskCandidates lists what task vectors may have been made into, the best fit
// first. Each is tried at many settings, so they are asked only where nothing
// simpler explains the child.
func taskCandidates(all []*tensorFit, n int) []candidate {
	out := append(tiesCandidates(all, n), dareCandidates(all, n)...)
	slices.SortStableFunc(out, func(a, b candidate) int { return cmp.Compare(a.rss, b.rss) })
	return out
}

// simpleCandidates lists explanations from the simplest to the richest.
func simpleCandidates(all []*tensorFit, layers []Layer, pooled fitted, perLayer float64, n int) []candidate {
	var out []candidate
	for k := range n {
		if rss, ok := against(all, k); ok {
			out = append(out, candidate{Copy, -1, 0, unit(n, k), rss})
		}
	}
	if w, ok := spliced(layers, n); ok {
		out = append(out, candidate{Spliced, -1, 0, w, perLayer})
	}
	active := taking(pooled.weights)
	if len(active) >= 2 {
		out = append(out, slerps(all, active, n)...)
		method, base := Linear, -1
		if b, ok := baseOf(all, pooled.weights, active); ok {
			method, base = TaskArithmetic, b
		}
		out = append(out, candidate{method, base, 0, pooled.weights, pooled.rss})
	}
	// A copy and a splice leave nothing; a richer method must not hide behind
	// them, nor they behind it: the order above decides among equals.
	slices.SortStableFunc(out, func(a, b candidate) int {
		if a.method == SLERP && b.method == Linear || a.method == Linear && b.method == SLERP {
			return cmp.Compare(a.rss, b.rss)
		}
		return 0
	})
	return out
}

func unit(n, k int) []float64 {
	w := make([]float64, n)
	w[k] = 1
	return w
}

// taking lists parents whose weight is not nothing.
func taking(w []float64) (out []int) {
	for k, c := range w {
		if math.Abs(c) > 0.02 {
			out = append(out, k)
		}
	}
	return out
}

// spliced tells whether every layer comes from one parent, and not all from
// the same.
func spliced(layers []Layer, n int) ([]float64, bool) {
	w := make([]float64, n)
	for _, l := range layers {
		best := 0
		for k, c := range l.Weights {
			if c > l.Weights[best] {
				best = k
			}
		}
		if math.Abs(l.Weights[best]-1) > 0.02 || l.Residual > 0.02 {
			return nil, false
		}
		w[best] += 1 / float64(len(layers))
	}
	for _, x := range w {
		if x > 0.999 {
			return nil, false
		}
	}
	return w, true
}
