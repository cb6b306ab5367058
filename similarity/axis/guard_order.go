package axis

import (
	"fmt"
	"math"
	"slices"
)

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
		squares, sum := sums(row)
		length = append(length, squares)
		mean = append(mean, sum)
		changes = append(changes, float64(signChanges(row)))
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

// sums are the sum of squares of a row and its sum, each taken in four parts.
func sums(row []float32) (squares, sum float64) {
	var s, q [4]float64
	k := 0
	for ; k+4 <= len(row); k += 4 {
		a, b, c, d := float64(row[k]), float64(row[k+1]), float64(row[k+2]), float64(row[k+3])
		s[0], s[1], s[2], s[3] = s[0]+a, s[1]+b, s[2]+c, s[3]+d
		q[0], q[1], q[2], q[3] = q[0]+float64(a*a), q[1]+float64(b*b), q[2]+float64(c*c), q[3]+float64(d*d)
	}
	for ; k < len(row); k++ {
		v := float64(row[k])
		s[0], q[0] = s[0]+v, q[0]+float64(v*v)
	}
	return (q[0] + q[1]) + (q[2] + q[3]), (s[0] + s[1]) + (s[2] + s[3])
}

// signChanges counts neighbours of which one is below zero and the other is not. Rows
// are finite where this is asked.
func signChanges(row []float32) (n int) {
	last := uint32(0)
	for k, v := range row {
		below := math.Float32bits(v) >> 31 & (1 - zero(v))
		if k > 0 {
			n += int(below ^ last)
		}
		last = below
	}
	return n
}

// zero is 1 for zeros of either sign.
func zero(v float32) uint32 {
	if v == 0 {
		return 1
	}
	return 0
}

// largest is the position of the entry of largest size.
func largest(row []float32) int {
	best, size := 0, uint32(0)
	for k, v := range row {
		if b := math.Float32bits(v) &^ (1 << 31); b > size {
			best, size = k, b
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
