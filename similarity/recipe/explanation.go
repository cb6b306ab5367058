package recipe

import "math"

// explanation is one account of how the child came about.
type explanation struct {
	method  Method
	base    int
	weights []float64   // of each parent over all tensors
	own     [][]float64 // by tensor, where it mixes whole tensors; nil of others
	t       []float64   // by tensor: place on the arc, NaN where there is none
	place   float64     // the place where it is one for all, else NaN
	rows    string
	same    []Method
	sparse  *sparse // where entries were chosen
	loose   bool    // several roundings went in, so that values are met within steps and not exactly

	predict func(i int) []float64 // the mixture of tensor i before it is rounded
	leaves  []account             // by tensor
}

// mixed makes an explanation of weights by tensor.
func (f *fitting) mixed(m Method, base int, own [][]float64) *explanation {
	e := &explanation{method: m, base: base, own: own, place: math.NaN()}
	e.predict = func(i int) []float64 { return f.mix(i, own[i]) }
	return e
}

// mix is Σ wₖPₖ in one tensor.
func (f *fitting) mix(i int, w []float64) []float64 {
	t := f.all[i]
	out := make([]float64, len(t.y))
	for k, c := range w {
		if c == 0 || t.x[k] == nil {
			continue
		}
		for j, v := range t.x[k] {
			out[j] += float64(c * float64(v))
		}
	}
	return out
}

// hold holds an explanation against the child, tensors of one kind.
func (f *fitting) hold(e *explanation, vectors bool) account {
	if e.leaves == nil {
		e.leaves = make([]account, len(f.all))
	}
	var total account
	for i, t := range f.all {
		if t.vector != vectors {
			continue
		}
		e.leaves[i] = f.account(i, e.predict(i))
		total.merge(e.leaves[i])
	}
	return total
}

// account holds a predicted tensor against the child's.
func (f *fitting) account(i int, p []float64) account { return f.accountOf(f.all[i], p) }

func (f *fitting) accountOf(t *tensorFit, p []float64) (a account) {
	if p == nil {
		return a
	}
	f.survey(t)
	s := storageOf(t.dtype)
	for j, y := range t.y {
		a.add(&s, y, p[j], float64(t.largest[j]), t.differ[j])
	}
	return a
}

// survey notes of every value the largest number among the parents that take part,
// and whether these differ or there is only one.
func (f *fitting) survey(t *tensorFit) {
	if t.largest != nil {
		return
	}
	t.largest, t.differ = make([]float32, len(t.y)), make([]bool, len(t.y))
	first := -1
	for _, k := range f.use {
		if t.x[k] == nil {
			continue
		}
		for j, v := range t.x[k] {
			if v < 0 {
				v = -v
			}
			if v > t.largest[j] {
				t.largest[j] = v
			}
			if first >= 0 && t.x[k][j] != t.x[first][j] || len(f.use) == 1 {
				t.differ[j] = true
			}
		}
		if first < 0 {
			first = k
		}
	}
}

// glance is the beginning of a tensor, enough to choose among settings that are
// then held against all of it.
func (t *tensorFit) glance() *tensorFit {
	const few = 4096
	n := len(t.y)
	if n <= 2*few {
		return t
	}
	n = max(1, few/t.cols) * t.cols
	c := *t
	c.y, c.x, c.cut, c.largest, c.differ = t.y[:n], make([][]float32, len(t.x)), nil, nil, nil
	for k, x := range t.x {
		if x != nil {
			c.x[k] = x[:n]
		}
	}
	return &c
}
