package recipe

import (
	"math"
	"slices"
)

// varied explains the child by SCE (Wan et al. 2024): the entries in which the
// task vectors vary most, weights by the energy of what was selected, signs
// elected. Everything follows from the parents but the share that is selected,
// which is looked for in hundredths.
func (f *fitting) varied() *explanation {
	var best *explanation
	least := math.MaxInt
	for b := range f.n {
		donors := slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == b })
		if len(donors) < 2 || len(donors) > mostDonors || !f.everywhere(append(slices.Clone(donors), b)) {
			continue
		}
		for _, e := range f.selected(b, donors) {
			if a := f.hold(e, false); a.explains() && a.off < least {
				best, least = e, a.off
			}
		}
	}
	return best
}

// selected tries the shares of entries on a few matrices, and gives the best of
// them in both arithmetics.
func (f *fitting) selected(b int, donors []int) (out []*explanation) {
	few := f.sampled()
	share, least := 1.0, math.MaxInt
	for _, steps := range []struct{ from, to, by float64 }{{0.05, 1, 0.05}, {-0.04, 0.04, 0.01}} {
		middle := 0.0
		if steps.from < 0 {
			middle = share
		}
		for d := steps.from; d <= steps.to+1e-9; d += steps.by {
			x := math.Min(1, math.Max(0.01, middle+d))
			off := 0
			for _, i := range few {
				a := f.account(i, selectedValues(f.all[i], b, donors, x, nil))
				off += a.off
			}
			if off < least {
				share, least = x, off
			}
		}
	}
	for _, r := range []rounding{nil, f.all[0].dtype.Rounding()} {
		s := &sparse{base: b, donors: donors, density: filledWith(len(donors), share), gamma: make([]float64, len(donors)), lambda: 1, elected: true, shared: true}
		e := &explanation{method: SCE, base: b, place: math.NaN(), sparse: s}
		e.predict = func(i int) []float64 {
			if !f.all[i].has(s.all()) {
				return nil
			}
			return selectedValues(f.all[i], b, donors, share, r)
		}
		e.weights = f.energies(b, donors)
		out = append(out, e)
	}
	return out
}

// energies are the mean weights that the task vectors have, by their squares.
func (f *fitting) energies(b int, donors []int) []float64 {
	w, total := make([]float64, f.n), 0.0
	for _, p := range f.known(nil) {
		for _, k := range donors {
			d := p.difference(k, b)
			w[k] += p.at(d, d)
			total += p.at(d, d)
		}
	}
	for k := range w {
		w[k] /= math.Max(total, 1e-300)
	}
	return w
}

// selectedValues repeats SCE on a tensor.
func selectedValues(t *tensorFit, b int, donors []int, share float64, r rounding) []float64 {
	m, n := len(donors), len(t.y)
	d := make([][]float64, m)
	for k, x := range donors {
		d[k] = make([]float64, n)
		for j := range n {
			d[k][j] = float64(t.x[x][j]) - float64(t.x[b][j])
			if r != nil {
				d[k][j] = r.of(d[k][j])
			}
		}
	}
	edge, open := varianceEdge(d, share, r)
	energy, total := make([]float64, m), 0.0
	for k := range m {
		for j := range n {
			if open == nil || open[j] >= edge {
				energy[k] += float64(d[k][j] * d[k][j])
			}
		}
		total += energy[k]
	}
	for k := range energy {
		energy[k] /= math.Max(total, 1e-300)
		if r != nil {
			energy[k] = r.of(energy[k])
		}
	}
	out := make([]float64, n)
	for j := range out {
		base := float64(t.x[b][j])
		v := electedMean(d, energy, j, r)
		out[j] = base
		switch {
		case open == nil || open[j] > edge:
			out[j] += v
		case open[j] == edge && math.Abs(float64(t.y[j])-base-v) < math.Abs(float64(t.y[j])-base): // at the edge either is right
			out[j] += v
		}
	}
	return out
}

// varianceEdge gives the variance of every entry over the task vectors, and the
// one from which entries are selected; nil where all are.
func varianceEdge(d [][]float64, share float64, r rounding) (edge float64, all []float64) {
	if share >= 1 {
		return 0, nil
	}
	all = make([]float64, len(d[0]))
	var moved []float64
	for j := range all {
		mean := 0.0
		for k := range d {
			mean += d[k][j] / float64(len(d))
		}
		for k := range d {
			x := d[k][j] - mean
			all[j] += float64(x*x) / float64(len(d))
		}
		if r != nil {
			all[j] = r.of(all[j])
		}
		if all[j] != 0 {
			moved = append(moved, all[j])
		}
	}
	slices.Sort(moved)
	keep := int(share * float64(len(moved)))
	if keep == 0 {
		return math.Inf(1), all
	}
	return moved[len(moved)-keep], all
}

// electedMean is the weighted mean of the task vectors that pull with the sum.
func electedMean(d [][]float64, weight []float64, j int, r rounding) float64 {
	side := 0.0
	for k := range d {
		side += d[k][j]
	}
	sum, total := 0.0, 0.0
	for k := range d {
		if x := d[k][j]; x != 0 && (x > 0) == (side >= 0) {
			term := x * weight[k]
			if r != nil {
				term = r.of(term)
			}
			sum += term
			total += weight[k]
		}
	}
	if total == 0 {
		return 0
	}
	if r != nil {
		return r.of(r.of(sum) / r.of(math.Max(total, 1e-6)))
	}
	return sum / math.Max(total, 1e-6)
}
