package exact

import (
	"cmp"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/untrained"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// TokenSigns is the name of the test.
const TokenSigns = untrained.Test

// untrainedTokens are the numbers of rows that the test tries: the first that
// both sides left untrained is taken.
var untrainedTokens = []int{128, 64}

// CountTokenSigns fills in the result of the exact test on rows of the embeddings
// that training did not touch. Turning
// the sign of row i of A turns c(i) = Σ A(i,j)·B(i,j) over the rows j before
// it, A(i,j) and B(i,j) being cosines, and leaves c of the rows before it as
// they are. A random initialisation is as likely with row i as with its
// negative, so under the null the signs of c are fair coins, whatever the order
// of the rows and whatever B is. Rows are chosen by their lengths, and the
// guards look at eigenvalues and squares: no sign plays a part in either.
//
// What the guards let pass of training could make coins lean, and explains
// cosines that correlate a little. Where they correlate no more than that,
// nothing is found. See internal/untrained.
func CountTokenSigns(e *similarity.Evidence, a, b TokenRows) {
	order, why := shortInBoth(a.ByLength(a.Len()), b.ByLength(b.Len())), "too few differ from one another"
	poor := [2]map[int]bool{a.poor(), b.poor()}
	order = slices.DeleteFunc(order, func(row int) bool { return poor[0][row] || poor[1][row] })
	for _, n := range untrainedTokens {
		if len(order) < 2*n {
			continue
		}
		rows := slices.Clone(order[:n])
		slices.Sort(rows)
		ga, whyA := a.cosines(rows)
		gb, whyB := b.cosines(rows)
		if why = cmp.Or(whyA, whyB); why != "" {
			continue
		}
		agree, effect := coins(ga, gb, n)
		log := stats.LogP(0)
		if effect >= max(untrained.Floor, untrained.Explained(n, n, n*(n-1)/2)) {
			log = stats.SignAgreements(agree, n-1)
		}
		e.Effect, e.Statistic, e.N, e.P = effect, float64(agree), n-1, &log
		return
	}
	e.Skipped = "little-used embeddings are not as a random initialisation leaves them: " + why
}

// cosines are those among some rows, and in what these differ from a random
// initialisation.
func (t TokenRows) cosines(rows []int) (g []float64, why string) {
	x := make([]float32, 0, len(rows)*t.Dim)
	for _, r := range rows {
		x = append(x, t.X[r*t.Dim:(r+1)*t.Dim]...)
	}
	g = untrained.Cosines(x, len(rows), t.Dim)
	return g, untrained.Why(x, g, len(rows), t.Dim)
}

// coins counts the rows whose products with the rows before them go along, and
// correlates all products.
func coins(a, b []float64, n int) (agree int, effect float64) {
	var xs, ys []float64
	for i := 1; i < n; i++ {
		x, y := a[i*n:i*n+i], b[i*n:i*n+i]
		sum := 0.0
		for k, v := range x {
			sum += float64(v * y[k])
		}
		if sum > 0 {
			agree++
		}
		xs, ys = append(xs, x...), append(ys, y...)
	}
	effect, _ = stats.Correlation(xs, ys)
	return agree, effect
}

// shortInBoth orders rows by the later of their places in two orders.
func shortInBoth(a, b []int) []int {
	place := make([]int, len(a))
	for i := range a {
		place[a[i]] = max(place[a[i]], i)
		place[b[i]] = max(place[b[i]], i)
	}
	out := slices.Clone(a)
	slices.SortFunc(out, func(i, j int) int { return cmp.Or(cmp.Compare(place[i], place[j]), cmp.Compare(i, j)) })
	return out
}

// poor lists the rows that hold next to nothing or repeat another: such rows
// were set by hand.
func (t TokenRows) poor() map[int]bool {
	out := map[int]bool{}
	row := func(i int) []float32 { return t.X[i*t.Dim : (i+1)*t.Dim] }
	order := t.ByLength(t.Len())
	for k, i := range order {
		if !dense.Varies(row(i)) {
			out[i] = true
		}
		for _, j := range order[k+1:] { // equal rows are of equal length
			if row(j)[0] != row(i)[0] || !slices.Equal(row(i), row(j)) {
				break
			}
			out[i], out[j] = true, true
		}
	}
	return out
}
