// Package degenerate tells units that networks of any origin may have in common
// from those that say where a network comes from.
package degenerate

import "math"

const (
	minRank    = 8.0  // effective rank below which units say nothing
	orthogonal = 1e-4 // rows all this close to orthogonal are a fixed basis
	likeness   = 4.0  // z at which neighbours are too alike
	suspicion  = 2.7  // the same, where the units also span less than two thirds of what random ones do
)

// Units tells why units, in stored order, are such as networks of any origin
// may have: rows of low rank, of an orthogonal table (Fourier, Hadamard), or
// rows that change little by little (sinusoids, position tables, filters). It
// returns "" where nothing of this is the case. Such units match between
// strangers and take no part in sketches. Products are rounded before they are
// summed, so that every machine decides alike.
func Units(x []float32, n, d int) string {
	if recurrences(x, n, d) > n/2 {
		return "the units follow a formula"
	}
	rows := centredRows(x, n, d)
	raw, n1 := cosines(rows, n, d)
	if n1 < 3 {
		return "too few units differ from a constant"
	}
	if n1 < d && largest(raw, n1) < orthogonal {
		return "the units form an orthogonal table"
	}
	centreColumns(rows, n, d)
	g, n2 := cosines(rows, n, d)
	rank, typical := effectiveRank(g, n2), float64(n2*d)/float64(n2+d) // of n random units in d dimensions
	if rank < math.Min(minRank, float64(n1)/2) {
		return "the units span too few dimensions"
	}
	if z := neighbours(g, n2); z > likeness || z > suspicion && 3*rank < 2*typical {
		return "neighbouring units resemble one another"
	}
	return ""
}

// recurrences counts units that a recurrence x[k+1] = c·x[k] − x[k−1] gives:
// constants, ramps, exponentials and sinusoids of any frequency.
func recurrences(x []float32, n, d int) (count int) {
	const left = 1e-3 // share of the squares that may remain unexplained
	for i := range n {
		row := x[i*d : (i+1)*d]
		var vv, vs, ss float64
		for k := 1; k+1 < d; k++ {
			v, s := float64(row[k]), float64(row[k-1])+float64(row[k+1])
			vv += float64(v * v)
			vs += float64(v * s)
			ss += float64(s * s)
		}
		if d >= 8 && ss-float64(vs*(vs/vv)) <= left*vv {
			count++
		}
	}
	return count
}

// centredRows subtracts from every unit its own mean.
func centredRows(x []float32, n, d int) []float64 {
	out := make([]float64, len(x))
	for i := range n {
		mean := 0.0
		for _, v := range x[i*d : (i+1)*d] {
			mean += float64(v)
		}
		mean /= float64(d)
		for k, v := range x[i*d : (i+1)*d] {
			out[i*d+k] = float64(v) - mean
		}
	}
	return out
}

// centreColumns subtracts from every feature its mean over the units.
func centreColumns(x []float64, n, d int) {
	for k := range d {
		mean := 0.0
		for i := range n {
			mean += x[i*d+k]
		}
		mean /= float64(n)
		for i := range n {
			x[i*d+k] -= mean
		}
	}
}

// cosines between the rows of x that are finite and not zero, m×m.
func cosines(x []float64, n, d int) (g []float64, m int) {
	var rows [][]float64
	var lengths []float64
	for i := range n {
		row := x[i*d : (i+1)*d]
		if s := dot(row, row); s > 0 && !math.IsInf(s, 0) {
			rows, lengths = append(rows, row), append(lengths, math.Sqrt(s))
		}
	}
	m = len(rows)
	g = make([]float64, m*m)
	for i := range m {
		row := g[i*m : i*m+i+1]
		dots(row, rows[i], rows)
		for j, s := range row {
			row[j] = s / lengths[i] / lengths[j]
			g[j*m+i] = row[j]
		}
	}
	return g, m
}

// dots sets the products of a row with the first of others. A sum from left to right
// waits for each of its terms; four of them wait together.
func dots(out, a []float64, rows [][]float64) {
	j := 0
	for ; j+4 <= len(out); j += 4 {
		w, x, y, z := rows[j][:len(a)], rows[j+1][:len(a)], rows[j+2][:len(a)], rows[j+3][:len(a)]
		var s, t, u, v float64
		for k, c := range a {
			s += float64(c * w[k])
			t += float64(c * x[k])
			u += float64(c * y[k])
			v += float64(c * z[k])
		}
		out[j], out[j+1], out[j+2], out[j+3] = s, t, u, v
	}
	for ; j < len(out); j++ {
		out[j] = dot(a, rows[j])
	}
}

func dot(a, b []float64) float64 {
	s := 0.0
	for k, v := range a {
		s += float64(v * b[k])
	}
	return s
}

// largest is the largest |cosine| between two different units.
func largest(g []float64, m int) float64 {
	most := 0.0
	for i := range m {
		for j := range i {
			most = max(most, math.Abs(g[i*m+j]))
		}
	}
	return most
}

// effectiveRank is (Σλ)²/Σλ² of the Gram matrix of unit vectors.
func effectiveRank(g []float64, m int) float64 {
	s := dot(g, g)
	if s == 0 {
		return 0
	}
	return float64(m*m) / s
}

// neighbours is the z-score of the mean cosine of neighbours among all pairs.
func neighbours(g []float64, m int) float64 {
	if m < 4 {
		return 0
	}
	var next, all, squares float64
	for i := range m {
		for j := range i {
			c := g[i*m+j]
			if j == i-1 {
				next += c
			}
			all += c
			squares += float64(c * c)
		}
	}
	pairs := float64(m*(m-1)) / 2
	mean := all / pairs
	variance := squares/pairs - float64(mean*mean)
	if variance <= 0 {
		return 0
	}
	return (next/float64(m-1) - mean) * math.Sqrt(float64(m-1)/variance)
}
