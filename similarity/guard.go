package similarity

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// The guards that stand between data and a p-value. Each is a rule that looks
// at one subject alone, so that none of them can see the answer.
const (
	minUnits       = 16   // eligible units an axis must have on either side
	minRank        = 8.0  // effective rank of the units on either side
	exchangeZ      = 3.3  // |z| at which the order of units counts as structured (two-sided 1e-3)
	OrderCheckLoss = 0.03 // bound on how often the order check stops a good axis (9 checks of up to 3 views), paid for in every combination
	orthogonal     = 0.02 // rows whose cosines are all this small a share of what random rows show, 1/√d, are a fixed basis: rounding to bf16 leaves a third of that
)

// eligible marks the rows of X (n×d) that can be told apart: finite, not nearly
// constant, and no exact copy of another.
func eligible(x []float32, n, d int, ok []bool) {
	key := make([]byte, 4*d)
	seen := map[string]int{}
	for i := range n {
		row := x[i*d : (i+1)*d]
		if !dense.Varies(row) {
			ok[i] = false
			continue
		}
		for k, v := range row {
			binary.LittleEndian.PutUint32(key[4*k:], math.Float32bits(v))
		}
		if first, dup := seen[string(key)]; dup {
			ok[i], ok[first] = false, false
			continue
		}
		seen[string(bytes.Clone(key))] = i
	}
}

// center subtracts from the eligible rows of X their mean row, scales the
// columns alike, then subtracts from each row its own mean and scales it to
// length 1. Rows that vanish become ineligible. Mean and scale of a column
// are symmetric functions of the units, so taking them away keeps the units
// exchangeable; without it a few outlier columns would speak for all.
func center(x []float32, n, d int, ok []bool) {
	mean, scale := columns(x, n, d, ok)
	for i := range n {
		row := x[i*d : (i+1)*d]
		if !ok[i] {
			clear(row)
			continue
		}
		own := 0.0
		for k, v := range row {
			own += float64((float64(v) - mean[k]) * scale[k])
		}
		own /= float64(d)
		for k, v := range row {
			row[k] = float32(float64((float64(v)-mean[k])*scale[k]) - own)
		}
		norm := dense.Norm(row)
		if !(norm > 1e-5*math.Sqrt(float64(d))) {
			ok[i] = false
			clear(row)
			continue
		}
		for k := range row {
			row[k] = float32(float64(row[k]) / norm)
		}
	}
}

// columns returns mean and inverse scale of each column over the eligible
// rows. The scale is the standard deviation, but not below a quarter of the
// median one: columns that hardly vary must not be blown up to noise.
func columns(x []float32, n, d int, ok []bool) (mean, scale []float64) {
	mean, scale = make([]float64, d), make([]float64, d)
	count := 0
	for i := range n {
		if ok[i] {
			count++
			for k, v := range x[i*d : (i+1)*d] {
				mean[k] += float64(v)
			}
		}
	}
	for k := range mean {
		mean[k] /= float64(max(1, count))
	}
	for i := range n {
		if ok[i] {
			for k, v := range x[i*d : (i+1)*d] {
				e := float64(v) - mean[k]
				scale[k] += float64(e * e)
			}
		}
	}
	for k := range scale {
		scale[k] = math.Sqrt(scale[k] / float64(max(1, count)))
	}
	if d == 0 {
		return mean, scale
	}
	sorted := slices.Sorted(slices.Values(scale))
	least := sorted[d/2] / 4
	for k := range scale {
		if s := math.Max(scale[k], least); s > 0 {
			scale[k] = 1 / s
		}
	}
	return mean, scale
}

// structured looks for anything about the raw rows of X that depends on their
// position: a trend or a neighbour correlation of their lengths, means, sign
// changes and largest features (a diagonal, as an identity leaves it, or a
// bank of filters), or neighbours that resemble one another. It returns what
// it found, or "". unit holds the centred rows.
func structured(raw, unit []float32, n, d int, ok []bool, g gram) string {
	var length, mean, changes, peak []float64
	var rows [][]float32
	for i := range n {
		if !ok[i] {
			continue
		}
		row := raw[i*d : (i+1)*d]
		length = append(length, dense.Norm(row))
		sum, flips := 0.0, 0
		for k, v := range row {
			sum += float64(v)
			if k > 0 && (v < 0) != (row[k-1] < 0) {
				flips++
			}
		}
		mean = append(mean, sum)
		changes = append(changes, float64(flips))
		centred := unit[i*d : (i+1)*d]
		peak = append(peak, float64(largest(centred)))
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
		if z := serial(r); math.Abs(z) > exchangeZ {
			return fmt.Sprintf("neighbouring units are alike in %s", s.name)
		}
	}
	if z := g.adjacency(rows); math.Abs(z) > exchangeZ {
		return "neighbouring units resemble one another"
	}
	return ""
}

// largest is the position of the entry of largest size.
func largest(row []float32) int {
	best := 0
	for k, v := range row {
		if math.Abs(float64(v)) > math.Abs(float64(row[best])) {
			best = k
		}
	}
	return best
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

// serial is the z-score of the correlation between neighbours. For ranks in
// random order Σ r_i·r_{i+1} has mean −1 and variance close to n.
func serial(r []float64) float64 {
	if len(r) < 3 {
		return 0
	}
	var dot float64
	for i := 1; i < len(r); i++ {
		dot += r[i] * r[i-1]
	}
	return (dot + 1) / math.Sqrt(float64(len(r)))
}

// gramRows is how many units are enough to know the rank and the spread of the
// cosines of an axis.
const gramRows = 128

// gram holds the cosines between the first eligible units of one side.
type gram struct {
	cosines []float32 // n × n
	n, dim  int
}

func gramOf(unit []float32, n, d int, ok []bool) gram {
	var rows []float32
	count := 0
	for i := range n {
		if ok[i] && count < gramRows {
			rows = append(rows, unit[i*d:(i+1)*d]...)
			count++
		}
	}
	g := gram{make([]float32, count*count), count, d}
	dense.Gram(g.cosines, rows, count, d)
	return g
}

// adjacency is the z-score of the mean cosine between neighbouring rows
// against all pairs of rows that the gram matrix has.
func (g gram) adjacency(rows [][]float32) float64 {
	if g.n < 3 {
		return 0
	}
	var all, squares float64
	for i := range g.n {
		for _, v := range g.cosines[i*g.n+i+1 : (i+1)*g.n] {
			c := float64(v)
			all += c
			squares += float64(c * c)
		}
	}
	var next float64
	for i := 1; i < len(rows); i++ {
		if i < g.n {
			next += float64(g.cosines[(i-1)*g.n+i])
		} else {
			next += float64(dense.Dot(rows[i-1], rows[i]))
		}
	}
	pairs := float64(g.n * (g.n - 1) / 2)
	mean := all / pairs
	variance := squares/pairs - float64(mean*mean)
	if variance <= 0 {
		return 0
	}
	steps := float64(len(rows) - 1)
	return (next/steps - mean) / math.Sqrt(variance/steps)
}

// defect reports an axis of too low rank.
func (g gram) defect() string {
	var squares float64
	for _, v := range g.cosines {
		squares += float64(float64(v) * float64(v))
	}
	if rank := float64(g.n*g.n) / squares; rank < minRank {
		return fmt.Sprintf("the effective rank of the units is below %g", minRank)
	}
	return ""
}

// basis reports rows of X that are orthogonal to rounding, which no training
// produces but every fixed transform does. It looks at them as they are:
// without their mean, n orthogonal rows are orthogonal no more, but meet at a
// cosine of −1/(n−1).
func basis(x []float32, n, d int, ok []bool) string {
	limit := orthogonal / math.Sqrt(float64(d))
	var rows [][]float32
	for i := range n {
		if !ok[i] || len(rows) == gramRows {
			continue
		}
		row := x[i*d : (i+1)*d]
		for _, other := range rows {
			if c := float64(dense.Dot(row, other)); !(math.Abs(c) <= limit*dense.Norm(row)*dense.Norm(other)) {
				return ""
			}
		}
		rows = append(rows, row)
	}
	if len(rows) < 3 {
		return ""
	}
	return "the units form an orthogonal basis, as fixed transforms do"
}
