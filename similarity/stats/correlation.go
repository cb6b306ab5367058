package stats

import "math"

// Correlation is Pearson's. ok is false where either side does not vary by more
// than the rounding of its values.
func Correlation[F float32 | float64](x, y []F) (c float64, ok bool) {
	var mx, my, xx, yy, xy float64
	for i := range x {
		mx += float64(x[i]) / float64(len(x))
		my += float64(y[i]) / float64(len(y))
	}
	for i := range x {
		dx, dy := float64(x[i])-mx, float64(y[i])-my
		xx += float64(dx * dx)
		yy += float64(dy * dy)
		xy += float64(dx * dy)
	}
	if constant(xx, mx, len(x)) || constant(yy, my, len(y)) || math.IsNaN(xy) {
		return 0, false
	}
	return xy / math.Sqrt(xx*yy), true
}

// constant tells whether a sum of squares around a mean is no more than
// rounding in single precision leaves.
func constant(squares, mean float64, n int) bool {
	const rounding = 1e-7
	return squares <= float64(n)*mean*mean*rounding*rounding
}
