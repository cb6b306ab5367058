package relabel

import "math"

// rounds of balancing: each brings the lengths of dense rows and inputs nearer to
// their goal by more than a digit.
const rounds = 8

// balance gives all rows one length and all inputs one length, each multiplied by a
// positive number, as Sinkhorn and Knopp do for sums (Pacific J. Math. 21, 1967). What
// comes out is the same whatever rows and inputs were multiplied by before.
func (v view) balance(side []float32) []float32 {
	power := v.power(side)
	r, c := units(v.rows), units(v.inputs)
	for range rounds {
		level(r, v.inputs, func(i, j int) float64 { return power[i*v.inputs+j] * c[j] })
		level(c, v.rows, func(j, i int) float64 { return power[i*v.inputs+j] * r[i] })
	}
	out := make([]float32, len(side))
	for i := range v.rows {
		for j := range v.inputs {
			by, at := math.Sqrt(r[i])*math.Sqrt(c[j]), (i*v.inputs+j)*v.window
			for k := at; k < at+v.window; k++ {
				out[k] = float32(float64(side[k]) * by)
			}
		}
	}
	return out
}

// power sums the squares of the window through which each row reads each input.
func (v view) power(side []float32) []float64 {
	out := make([]float64, v.rows*v.inputs)
	for i := range out {
		for _, x := range side[i*v.window : (i+1)*v.window] {
			out[i] += float64(x) * float64(x)
		}
	}
	return out
}

// level sets the squared scales of rows, or of inputs, so that the n powers of each
// sum to n.
func level(scales []float64, n int, power func(i, j int) float64) {
	for i := range scales {
		sum := 0.0
		for j := range n {
			sum += power(i, j)
		}
		if sum > 0 {
			scales[i] = float64(n) / sum
		}
	}
}

func units(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}
