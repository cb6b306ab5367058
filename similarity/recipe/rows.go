package recipe

import "math"

// Some rules mix every row, or every column, of a matrix with weights of its own,
// by the angle between the parents' rows.
var lines = []string{"rows", "columns"}

// byRows explains the child by formulas that weigh every row or column apart. It
// is nil where none does as well as rounding allows.
func (f *fitting) byRows(left account) *explanation {
	for _, axis := range lines {
		cut := make([][]*tensorFit, len(f.all))
		for i, t := range f.all {
			if !t.vector && t.has(f.use) {
				cut[i] = t.lines(axis)
			}
		}
		for _, s := range append(f.formulas(), f.arcs()...) {
			if s.method != NuSLERP && s.method != ModelStock {
				continue
			}
			if e := f.placeRows(s, axis, cut); e != nil {
				if a := f.hold(e, false); a.explains() && a.off < left.off {
					return e
				}
			}
		}
	}
	return nil
}

// arcs are NuSLERP between two parents themselves, which over whole tensors is
// what SLERP is.
func (f *fitting) arcs() []seen {
	if len(f.use) != 2 {
		return nil
	}
	return []seen{{formula{NuSLERP, false, 2, true, nuslerp}, -1, f.use, nil}}
}

// lines cuts a matrix into tensors of one row or column each.
func (t *tensorFit) lines(axis string) (out []*tensorFit) {
	rows := len(t.y) / t.cols
	n, length := rows, t.cols
	if axis == "columns" {
		n, length = length, n
	}
	for l := range n {
		c := &tensorFit{dtype: t.dtype, cols: length, x: make([][]float32, len(t.x))}
		c.y = t.line(t.y, axis, l)
		for k, x := range t.x {
			if x != nil {
				c.x[k] = t.line(x, axis, l)
			}
		}
		out = append(out, c)
	}
	return out
}

func (t *tensorFit) line(x []float32, axis string, l int) []float32 {
	if axis == "rows" {
		return x[l*t.cols : (l+1)*t.cols]
	}
	out := make([]float32, 0, len(x)/t.cols)
	for i := l; i < len(x); i += t.cols {
		out = append(out, x[i])
	}
	return out
}

// placeRows fits a formula to the lines of all matrices, with one place for all.
func (f *fitting) placeRows(s seen, axis string, cut [][]*tensorFit) *explanation {
	var all []placed
	at := make([][]placed, len(f.all))
	for i, ls := range cut {
		for _, l := range ls {
			p := productsOf(l)
			at[i] = append(at[i], placed{p, s.view(p)})
		}
		all = append(all, at[i]...)
	}
	if len(all) == 0 {
		return nil
	}
	t := s.best(f.n, all)
	e := &explanation{method: s.method, base: s.from, place: t, rows: axis, own: make([][]float64, len(f.all))}
	if !s.placed {
		e.place = math.NaN()
	}
	own := make([][][]float64, len(f.all))
	for i, ps := range at {
		var mean []float64
		for _, x := range ps {
			w, ok := s.weigh(x.view, f.n, t)
			if !ok {
				return nil
			}
			own[i] = append(own[i], w)
			mean = plus(mean, w, 1/float64(len(ps)))
		}
		e.own[i] = mean
	}
	e.weights = meanOf(e.own, f.ps, f.n)
	if s.method == NuSLERP && s.from < 0 {
		e.weights = make([]float64, f.n)
		e.weights[s.others[0]], e.weights[s.others[1]] = 1-t, t
	}
	f.vectorsOf(e, s)
	e.predict = func(i int) []float64 {
		if own[i] == nil {
			if e.own[i] == nil {
				return nil
			}
			return f.mix(i, e.own[i])
		}
		return f.mixLines(i, axis, own[i])
	}
	return e
}

func plus(sum, w []float64, share float64) []float64 {
	if sum == nil {
		sum = make([]float64, len(w))
	}
	for k, x := range w {
		sum[k] += share * x
	}
	return sum
}

// mixLines is Σ wₖPₖ with weights of each line's own.
func (f *fitting) mixLines(i int, axis string, own [][]float64) []float64 {
	t := f.all[i]
	out := make([]float64, len(t.y))
	for j := range out {
		l := j / t.cols
		if axis == "columns" {
			l = j % t.cols
		}
		for _, k := range f.use {
			out[j] += float64(own[l][k] * float64(t.x[k][j]))
		}
	}
	return out
}
