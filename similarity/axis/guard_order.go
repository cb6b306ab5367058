package axis

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// structured looks for anything about the raw rows of X that depends on their
// position: a trend or a neighbour correlation of their lengths, means, sign
// changes and largest features (a diagonal, as an identity leaves it, or a
// bank of filters), or neighbours that resemble one another. It returns what
// it found, or "". unit holds the centred rows. With gates, units that so many places or
// fewer lie apart are neighbours, too: rows that stand unit by unit, gate by gate, are no
// blocks of gates.
func structured(raw, unit []float32, n, d int, ok []bool, g gram, gates int) string {
	var length, mean, changes, peak []float64
	var rows [][]float32
	for i := range n {
		if !ok[i] {
			continue
		}
		row := raw[i*d : (i+1)*d]
		squares, sum := dense.Sums(row)
		length = append(length, squares)
		mean = append(mean, sum)
		changes = append(changes, float64(dense.SignChanges(row)))
		centred := unit[i*d : (i+1)*d]
		peak = append(peak, float64(dense.Largest(centred)))
		rows = append(rows, centred)
	}
	for _, s := range []struct {
		name   string
		values []float64
	}{{"length", length}, {"mean", mean}, {"sign changes", changes}, {"largest feature", peak}} {
		r := ranks(s.values)
		if z := trend(r); math.Abs(z) > exchangeZ {
			return fmt.Sprintf("the %s of the units follows their order", s.name)
		}
		for lag := 1; lag <= gates; lag++ {
			if z := serial(r, lag); math.Abs(z) > exchangeZ {
				return fmt.Sprintf("neighbouring units are alike in %s", s.name)
			}
		}
	}
	if z := g.adjacency(rows); math.Abs(z) > exchangeZ {
		return "neighbouring units resemble one another"
	}
	return ""
}

// ranks returns mid-ranks, centred and scaled to variance 1; all zero when
// every value is the same.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	r := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			r[order[k]] = float64(i+j-1)/2 - float64(len(v)-1)/2
		}
		i = j
	}
	var ss float64
	for _, x := range r {
		ss += x * x
	}
	if ss == 0 {
		return r
	}
	scale := math.Sqrt(float64(len(r)) / ss)
	for i := range r {
		r[i] *= scale
	}
	return r
}

// trend is the z-score of the rank correlation with position.
func trend(r []float64) float64 {
	n := float64(len(r))
	var dot, ss float64
	for i, x := range r {
		p := float64(i) - (n-1)/2
		dot += x * p
		ss += p * p
	}
	if ss == 0 {
		return 0
	}
	return dot / math.Sqrt(ss*n) * math.Sqrt(n-1)
}

// serial is the z-score of the correlation between units so many places apart. For ranks
// in random order Σ r_i·r_{i+lag} has mean −(n−lag)/(n−1) and variance close to n.
func serial(r []float64, lag int) float64 {
	n := len(r)
	if n < lag+2 {
		return 0
	}
	var dot float64
	for i := lag; i < n; i++ {
		dot += r[i] * r[i-lag]
	}
	return (dot + float64(n-lag)/float64(n-1)) / math.Sqrt(float64(n))
}
