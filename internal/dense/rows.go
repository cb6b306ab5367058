package dense

import "math"

// Passes over rows of float32 whose arithmetic is in float64. Each value has a sum or a
// result of its own, so that a processor may take several at once and give the same bits.

// Add adds values to others, place by place.
func Add(to, more []float32) {
	to = to[:len(more)]
	for k := add(to, more); k < len(more); k++ {
		to[k] += more[k]
	}
}

// AddSizes adds the sizes of values to others, place by place.
func AddSizes(to, more []float32) {
	to = to[:len(more)]
	for k := addSizes(to, more); k < len(more); k++ {
		to[k] += float32(math.Abs(float64(more[k])))
	}
}

// AddMultiple adds a multiple of a row to sums.
func AddMultiple(sums []float64, by float64, row []float64) {
	sums = sums[:len(row)]
	for k := addMultiple(sums, by, row); k < len(row); k++ {
		sums[k] += float64(by * row[k])
	}
}

// AddMultiple32 does so with a row of float32.
func AddMultiple32(sums []float64, by float64, row []float32) {
	sums = sums[:len(row)]
	for k := addMultiple32(sums, by, row); k < len(row); k++ {
		sums[k] += float64(by * float64(row[k]))
	}
}

// AddTo adds the values of a row to sums.
func AddTo(sums []float64, row []float32) {
	sums = sums[:len(row)]
	for k := addTo(sums, row); k < len(row); k++ {
		sums[k] += float64(row[k])
	}
}

// AddSquares adds the squares of what the values of a row have beyond the means.
func AddSquares(sums, means []float64, row []float32) {
	sums, means = sums[:len(row)], means[:len(row)]
	for k := addSquares(sums, means, row); k < len(row); k++ {
		e := float64(row[k]) - means[k]
		sums[k] += float64(e * e)
	}
}

// Scale sets to to the values of a row, less means and multiplied; to may be the row.
func Scale(to, row []float32, means, by []float64) {
	to, means, by = to[:len(row)], means[:len(row)], by[:len(row)]
	for k := scale(to, row, means, by); k < len(row); k++ {
		to[k] = float32(float64((float64(row[k]) - means[k]) * by[k]))
	}
}

// Shift takes a mean from all values of a row and divides what is left.
func Shift(row []float32, mean, by float64) {
	for k := shift(row, mean, by); k < len(row); k++ {
		row[k] = float32((float64(row[k]) - mean) / by)
	}
}

// Multiply multiplies values by others, place by place.
func Multiply(row, by []float32) {
	by = by[:len(row)]
	for k := multiply(row, by); k < len(row); k++ {
		row[k] *= by[k]
	}
}

// LanesDot64 is the sum of products in four parts: of every fourth value from the first
// four on, the rest with the first part.
func LanesDot64(x, y []float64) float64 {
	var s [4]float64
	y = y[:len(x)]
	k := lanes(&s, x, y)
	for ; k+4 <= len(x); k += 4 {
		s[0] += float64(x[k] * y[k])
		s[1] += float64(x[k+1] * y[k+1])
		s[2] += float64(x[k+2] * y[k+2])
		s[3] += float64(x[k+3] * y[k+3])
	}
	for ; k < len(x); k++ {
		s[0] += float64(x[k] * y[k])
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}

// Dots are the products of the rows of one n×d matrix with those of another, each as Dot
// gives it.
func Dots(x, y []float32, n, d int) []float32 {
	out := make([]float32, n)
	i := 0
	for ; i+4 <= n; i += 4 {
		dots4(out[i:i+4], x[i*d:(i+4)*d], y[i*d:(i+4)*d], d)
	}
	for ; i < n; i++ {
		out[i] = Dot(x[i*d:(i+1)*d], y[i*d:(i+1)*d])
	}
	return out
}

// dots4 sets the products of four rows.
func dots4(out, x, y []float32, d int) {
	x0, x1, x2, x3 := x[:d], x[d : 2*d][:d], x[2*d : 3*d][:d], x[3*d : 4*d][:d]
	y0, y1, y2, y3 := y[:d], y[d : 2*d][:d], y[2*d : 3*d][:d], y[3*d : 4*d][:d]
	var s, t, u, v float32
	for k, a := range x0 {
		s += float32(a * y0[k])
		t += float32(x1[k] * y1[k])
		u += float32(x2[k] * y2[k])
		v += float32(x3[k] * y3[k])
	}
	out[0], out[1], out[2], out[3] = s, t, u, v
}

// Norms are the lengths of the rows of an n×d matrix, each as Norm gives it. A sum from
// left to right waits for each of its terms; those of four rows wait together.
func Norms(x []float32, n, d int) []float64 { return NormsInto(make([]float64, n), x, n, d) }

// NormsInto is Norms into out, of length n.
func NormsInto(out []float64, x []float32, n, d int) []float64 {
	i := 0
	for ; i+4 <= n; i += 4 {
		squares4(out[i:i+4], x[i*d:(i+4)*d], d)
	}
	for ; i < n; i++ {
		out[i] = Norm(x[i*d : (i+1)*d])
	}
	return out
}

// squares4 sets the lengths of four rows.
func squares4(out []float64, x []float32, d int) {
	a, b, c, e := x[:d], x[d:2*d], x[2*d:3*d], x[3*d:4*d]
	b, c, e = b[:len(a)], c[:len(a)], e[:len(a)]
	var s, t, u, v float64
	for k, w := range a {
		w, x, y, z := float64(w), float64(b[k]), float64(c[k]), float64(e[k])
		s += float64(w * w)
		t += float64(x * x)
		u += float64(y * y)
		v += float64(z * z)
	}
	out[0], out[1], out[2], out[3] = math.Sqrt(s), math.Sqrt(t), math.Sqrt(u), math.Sqrt(v)
}
