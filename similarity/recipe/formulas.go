package recipe

import "math"

// A formula gives the weights of one tensor's parents from their inner products
// and, where it has one, from the place t between them. ok is false where it says
// nothing about these parents.
type formula struct {
	method Method
	base   bool // starts from one of the parents
	most   int  // parents but for the base, at most; 0 for any number
	placed bool // t is free, else the formula alone decides
	weigh  func(v *view, t float64) (w []float64, ok bool)
}

// view is a tensor's parents as a formula sees them: vectors with inner
// products, seen from the base where there is one.
type view struct{ g [][]float64 }

func (v *view) n() int             { return len(v.g) }
func (v *view) norm(i int) float64 { return math.Sqrt(math.Max(v.g[i][i], 0)) }
func (v *view) cos(i, j int) float64 {
	return math.Max(-1, math.Min(1, v.g[i][j]/math.Max(v.norm(i)*v.norm(j), 1e-300)))
}

// formulas lists the rules that mix whole tensors, the plainer ones first.
var formulas = []formula{
	{ModelStock, true, 0, false, stock},
	{SLERP, false, 2, true, slerp},
	{NuSLERP, true, 2, true, nuslerp},
	{Karcher, false, 0, false, karcher},
}

// flat is the cosine from which SLERP mixes along the straight line.
const flat = 0.9995

// slerp is Shoemake's arc between two vectors, as they are.
func slerp(v *view, t float64) ([]float64, bool) {
	if c := v.cos(0, 1); math.Abs(c) <= flat {
		return arc(c, t), true
	}
	return []float64{1 - t, t}, true
}

// nuslerp is the same without the straight line.
func nuslerp(v *view, t float64) ([]float64, bool) {
	c := v.cos(0, 1)
	if 1-c*c <= 1e-16 {
		return []float64{1 - t, t}, true
	}
	return arc(c, t), true
}

func arc(c, t float64) []float64 {
	theta := math.Acos(c)
	return []float64{math.Sin((1-t)*theta) / math.Sin(theta), math.Sin(t*theta) / math.Sin(theta)}
}

// stock weighs the mean of the task vectors by the mean cosine between them
// (Jang et al. 2024, equation 5).
func stock(v *view, _ float64) ([]float64, bool) {
	n := v.n()
	if n < 2 {
		return nil, false
	}
	cos, pairs := 0.0, 0.0
	for i := range n {
		for j := range i {
			cos, pairs = cos+v.cos(i, j), pairs+1
		}
	}
	cos /= pairs
	d := 1 + float64(n-1)*cos
	if math.Abs(d) < 1e-6 {
		return make([]float64, n), true
	}
	w := make([]float64, n)
	for i := range w {
		w[i] = cos / d
	}
	return w, true
}

// karcherSteps and karcherEnough bound the iteration, as mergekit does.
const (
	karcherSteps  = 10
	karcherEnough = 1e-5
)

// karcher is the mean of unit vectors on the sphere, by the usual fixed-point
// iteration (Karcher 1977), times the mean of the norms.
func karcher(v *view, _ float64) ([]float64, bool) {
	n := v.n()
	u := v.units()
	w := filledWith(n, 1/float64(n))
	normalise(u, w)
	for range karcherSteps {
		step := make([]float64, n)
		for i := range n {
			dot := math.Max(-1, math.Min(1, along(u, w, i)))
			theta := math.Acos(dot)
			if theta < karcherEnough {
				continue
			}
			f := theta / math.Sin(theta) / float64(n)
			step[i] += f
			for k := range w {
				step[k] -= f * dot * w[k]
			}
		}
		size := length(u, step)
		if size < karcherEnough {
			break
		}
		for k := range w {
			w[k] = math.Cos(size)*w[k] + math.Sin(size)*step[k]/size
		}
		normalise(u, w)
	}
	return v.scaled(w, filledWith(n, 1/float64(n))), true
}

// multislerp mixes with weights in the plane that touches the sphere at the
// weighted mean, and goes back to the sphere.
func multislerp(weights []float64) func(*view, float64) ([]float64, bool) {
	return func(v *view, _ float64) ([]float64, bool) {
		u := v.units()
		mean := append([]float64(nil), weights...)
		normalise(u, mean)
		step := make([]float64, v.n())
		for i, x := range weights {
			dot := along(u, mean, i)
			step[i] += x
			for k := range step {
				step[k] -= x * dot * mean[k]
			}
		}
		size := length(u, step)
		w := make([]float64, v.n())
		for k := range w {
			w[k] = mean[k] * math.Cos(size)
			if size > 0 {
				w[k] += step[k] * math.Sin(size) / size
			}
		}
		return v.scaled(w, weights), true
	}
}

// units are the inner products of the vectors made one long.
func (v *view) units() [][]float64 {
	u := make([][]float64, v.n())
	for i := range u {
		u[i] = make([]float64, v.n())
		for j := range u[i] {
			u[i][j] = v.g[i][j] / math.Max(v.norm(i)*v.norm(j), 1e-300)
		}
	}
	return u
}

// scaled turns weights of unit vectors into those of the vectors, times the
// weighted mean of their lengths.
func (v *view) scaled(w, by []float64) []float64 {
	size := 0.0
	for i, x := range by {
		size += x * v.norm(i)
	}
	out := make([]float64, len(w))
	for i := range w {
		out[i] = w[i] * size / math.Max(v.norm(i), 1e-300)
	}
	return out
}

// along is the product of a combination with one of the vectors.
func along(g [][]float64, w []float64, i int) (sum float64) {
	for k, x := range w {
		sum += float64(x * g[k][i])
	}
	return sum
}

func length(g [][]float64, w []float64) float64 {
	sum := 0.0
	for i, x := range w {
		sum += float64(x * along(g, w, i))
	}
	return math.Sqrt(math.Max(0, sum))
}

func normalise(g [][]float64, w []float64) {
	if l := length(g, w); l > 1e-12 {
		for k := range w {
			w[k] /= l
		}
	}
}

func filledWith(n int, x float64) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = x
	}
	return out
}
