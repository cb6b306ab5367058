package axis

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
)

// LeadingSubspace says how much of what matters most in one network is found in
// the other: for the leading singular directions of the sampled units of one
// side, uₖᵀ·W·vₖ/σₖ with W the corresponding units of the other side, both
// sides brought to one size. A random
// initialisation has no leading directions, so two networks that share only
// that keep its bulk (Middle) and not each other's lead (Top); a derived
// network keeps the lead first of all.
type LeadingSubspace struct {
	Top    float64 // mean over the four leading directions
	Middle float64 // mean over the middle third
	N      int     // pairs of units; 0 when it could not be told
}

// directionUnits is how many pairs of units are looked at.
const directionUnits = 96

// leading is how many directions count as leading.
const leading = 4

// clearly lists the units that correspond as view i sees them and are more than the
// luckiest of strangers, nil where they are too few to say more of them.
func clearly(i int, x *Axis) []unitPair {
	v := x.Views[i]
	pairs := corresponding(v, x)
	if !clearPairs(v, x, pairs) {
		pairs = confirmed(pairs, i, x)
	}
	if len(pairs) < 2*MinUnits {
		return nil
	}
	return pairs
}

// leadingSubspace compares the leading directions of corresponding units, both ways, and
// keeps the way that shows more.
func leadingSubspace(a, b Rows, pairs []unitPair) LeadingSubspace {
	if len(pairs) == 0 {
		return LeadingSubspace{}
	}
	pairs = pairs[:min(len(pairs), directionUnits)]
	n := len(pairs)
	wa, wb := make([]float32, n*a.Dim), make([]float32, n*a.Dim)
	for r, p := range pairs {
		copy(wa[r*a.Dim:], a.Raw[p.a*a.Dim:(p.a+1)*a.Dim])
		row := b.Raw[p.b*a.Dim : (p.b+1)*a.Dim]
		for k, y := range row {
			if p.flipped {
				y = -y
			}
			wb[r*a.Dim+k] = y
		}
	}
	forth, ok1 := kept(wa, wb, n, a.Dim)
	back, ok2 := kept(wb, wa, n, a.Dim)
	if !ok1 || !ok2 {
		return LeadingSubspace{}
	}
	if back.Top > forth.Top {
		forth = back
	}
	forth.N = n
	return forth
}

// clearPairs tells whether the pairs are more than the luckiest of strangers:
// nearly all stand at the same place on both sides, or their cosines are above
// what luck gives (the best of a hundred cosines of spread s is about 2.5 s).
func clearPairs(v View, x *Axis, pairs []unitPair) bool {
	sum, same := 0.0, 0
	for _, p := range pairs {
		sum += math.Abs(float64(v.Cosine[p.b*len(x.A.Units)+p.a]))
		if x.A.Units[p.a] == x.B.Units[p.b] {
			same++
		}
	}
	return 10*same >= 9*len(pairs) || sum/float64(len(pairs)) > 3.5*v.Spread
}

// confirmed keeps the pairs that another view of the units shows too: of
// strangers hardly any.
func confirmed(pairs []unitPair, i int, x *Axis) (out []unitPair) {
	type places struct{ a, b int }
	seen := map[places]bool{}
	for k, other := range x.Views {
		if k != i {
			for _, p := range corresponding(other, x) {
				seen[places{p.a, p.b}] = true
			}
		}
	}
	for _, p := range pairs {
		if seen[places{p.a, p.b}] {
			out = append(out, p)
		}
	}
	return out
}

type unitPair struct {
	a, b    int // indices into the axis' units
	flipped bool
}

// corresponding lists units that are each other's most similar.
func corresponding(v View, x *Axis) (out []unitPair) {
	na := len(x.A.Units)
	for j, i := range x.Matcher().Mutual(v.Likeness()) {
		if i >= 0 {
			out = append(out, unitPair{i, j, v.Cosine[j*na+i] < 0})
		}
	}
	return out
}

// kept projects w on the singular directions of u, both n×d.
func kept(u, w []float32, n, d int) (LeadingSubspace, bool) {
	gram, cross := make([]float32, n*n), make([]float32, n*n)
	dense.Gram(gram, u, n, d)
	dense.MulNT(cross, w, u, n, n, d) // cross[i][j] = wᵢ·uⱼ
	wide := make([]float64, n*n)
	for i, g := range gram {
		wide[i] = float64(g)
	}
	values, vectors, err := linalg.SymEigen(wide, n)
	if err != nil {
		return LeadingSubspace{}, false
	}
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case values[i] > values[j]:
			return -1
		case values[i] < values[j]:
			return 1
		}
		return 0
	})
	size := dense.Norm(u) / math.Max(dense.Norm(w), 1e-30)
	// With u = Σ σₖ pₖ qₖᵀ: pₖᵀ w qₖ/σₖ = pₖᵀ (w uᵀ) pₖ/σₖ².
	share := func(k int) float64 {
		k = order[k]
		sum := 0.0
		for i := range n {
			row := 0.0
			for j := range n {
				row += float64(cross[i*n+j]) * vectors[j*n+k]
			}
			sum += vectors[i*n+k] * row
		}
		return size * sum / math.Max(values[k], 1e-30)
	}
	mean := func(from, to int) float64 {
		sum := 0.0
		for k := from; k < to; k++ {
			sum += share(k)
		}
		return sum / float64(to-from)
	}
	rank := min(n, d)
	return LeadingSubspace{Top: mean(0, leading), Middle: mean(rank/3, 2*rank/3)}, true
}
