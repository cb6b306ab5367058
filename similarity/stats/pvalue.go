package stats

import (
	"math"
	"sync"
)

// LogP is the natural logarithm of a p-value, at most 0. Evidence between
// related networks lies far below what a float64 probability can hold, so
// p-values are kept, combined and compared as logarithms only.
type LogP float64

// Log10 converts to the decimal logarithm that reports print.
func (p LogP) Log10() float64 { return float64(p) / math.Ln10 }

// capped keeps a bound from exceeding probability 1.
func capped(x float64) LogP { return LogP(math.Min(x, 0)) }

// FixedPoints bounds the probability of k or more fixed points in total over
// l independent axes, each of whose labels is a uniform permutation:
// P ≤ l^k / k!. For one axis the expected number of k-subsets that are all
// fixed is at most 1/k!; over l independent axes these sum, by Vandermonde
// and the multinomial theorem, to l^k/k!. Units left out on either side and
// axes of which only a part was read keep the bound.
func FixedPoints(k, l int) LogP {
	if k <= 0 || l <= 0 {
		return 0
	}
	return capped(float64(k)*math.Log(float64(l)) - LogFactorial(float64(k)))
}

// Ordered bounds the probability that n units, matched to labels in uniformly
// random order, hold an increasing subsequence of length k: the expected
// number of such subsequences is C(n,k)/k!.
func Ordered(n, k int) LogP {
	if k <= 0 {
		return 0
	}
	return capped(LogChoose(n, k) - LogFactorial(float64(k)))
}

// SignAgreements is the probability that at least s of m fair coins agree.
func SignAgreements(s, m int) LogP {
	switch {
	case s <= 0:
		return 0
	case s > m || m >= len(coins):
		return headsOrMore(m, s, nil)
	}
	of := &coins[m]
	of.once.Do(func() {
		of.tails = make([]LogP, m+1)
		headsOrMore(m, 0, of.tails)
	})
	return of.tails[s]
}

// coins holds the tails for few coins, which searches ask for by the hundred.
var coins [129]struct {
	once  sync.Once
	tails []LogP
}

// headsOrMore is the probability of at least s heads of m, and notes those of more.
func headsOrMore(m, s int, all []LogP) (p LogP) {
	sum := math.Inf(-1)
	p = capped(sum)
	for i := m; i >= s; i-- {
		sum = logAdd(sum, LogChoose(m, i))
		if p = capped(sum - float64(m)*math.Ln2); all != nil {
			all[i] = p
		}
	}
	return p
}

// Swaps bounds the probability that a sum of ±d_i with fair independent signs
// reaches the given sum, by Hoeffding: exp(−sum²/(2·Σd_i²)).
func Swaps(sum, sumSquares float64) LogP {
	if sum <= 0 || sumSquares <= 0 {
		return 0
	}
	return capped(-sum * sum / (2 * sumSquares))
}

// Fisher combines independent p-values: −2Σln p against chi-square with two
// degrees of freedom each. With even degrees the tail is a Poisson sum, so it
// is computed without approximation. Conservative p-values stay conservative.
func Fisher(ps []LogP) LogP {
	half := 0.0
	for _, p := range ps {
		half -= float64(p)
	}
	if len(ps) == 0 || half <= 0 {
		return 0
	}
	sum := math.Inf(-1)
	for i := range ps {
		sum = logAdd(sum, float64(i)*math.Log(half)-LogFactorial(float64(i)))
	}
	return capped(sum - half)
}

// Bonferroni corrects the smallest of p-values of unknown dependence when so
// many of them were computed, or could have been.
func Bonferroni(p LogP, tests int) LogP {
	return capped(float64(p) + math.Log(float64(max(1, tests))))
}

// LogFactorial is ln x!, for x that need not be whole lnΓ(x+1).
func LogFactorial(x float64) float64 {
	v, _ := math.Lgamma(x + 1)
	return v
}

// LogChoose is the natural logarithm of the number of choices of k of n things,
// -Inf where there are none.
func LogChoose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	return LogFactorial(float64(n)) - LogFactorial(float64(k)) - LogFactorial(float64(n-k))
}

// logAdd is ln(e^a + e^b).
func logAdd(a, b float64) float64 {
	if a < b {
		a, b = b, a
	}
	if math.IsInf(b, -1) {
		return a
	}
	return a + math.Log1p(math.Exp(b-a))
}
