package recipe

import (
	"math"
	"slices"
)

// varied explains the child by SCE (Wan et al. 2024): the entries in which the
// task vectors vary most, weights by the energy of what was selected, signs
// elected. Everything follows from the parents but the share that is selected,
// which is looked for in hundredths.
func (f *fitting) varied(use []int) *explanation {
	var best *explanation
	least := math.MaxInt
	for b := range f.n {
		donors := slices.DeleteFunc(slices.Clone(use), func(k int) bool { return k == b })
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

// variedWithOneMore does so with each parent added of which so little was selected that
// it does not seem to take part.
func (f *fitting) variedWithOneMore() *explanation {
	for k := range f.n {
		if slices.Contains(f.use, k) || len(f.use) < 2 {
			continue
		}
		if e := f.varied(append(slices.Clone(f.use), k)); e != nil {
			return e
		}
	}
	return nil
}

// selected finds the share of entries on a few matrices, and gives it in both
// arithmetics.
func (f *fitting) selected(b int, donors []int) (out []*explanation) {
	share := f.selectedShare(b, donors)
	for _, r := range []rounding{nil, f.all[0].dtype.Rounding()} {
		s := &sparse{base: b, donors: donors, density: filledWith(len(donors), share), gamma: make([]float64, len(donors)), lambda: 1, elected: true, shared: true}
		e := &explanation{method: SCE, base: b, place: math.NaN(), sparse: s}
		e.predict = func(i int) []float64 {
			if !f.all[i].has(s.all()) {
				return nil
			}
			return newVariances(f.all[i], b, donors, r).values(share)
		}
		e.weights = f.energies(b, donors)
		out = append(out, e)
	}
	return out
}

// selectedShare is the share, in hundredths, that leaves the fewest values of a few
// matrices unexplained.
func (f *fitting) selectedShare(b int, donors []int) float64 {
	var few []*variances
	var at []int
	for _, i := range f.sampled() {
		few, at = append(few, newVariances(f.all[i], b, donors, nil)), append(at, i)
	}
	share, least := 1.0, math.MaxInt
	try := func(x float64) {
		off := 0
		for k, v := range few {
			a := f.account(at[k], v.values(x))
			off += a.off
		}
		if off < least {
			share, least = x, off
		}
	}
	for percent := 100; percent > 0; percent -= 10 {
		try(float64(percent) / 100)
	}
	middle := int(math.Round(share * 100))
	for percent := min(100, middle+9); percent > max(0, middle-10); percent-- {
		try(float64(percent) / 100)
	}
	return share
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

// variances holds a tensor's task vectors with the variance of every entry over
// them.
type variances struct {
	t        *tensorFit
	base     int
	d        [][]float64
	of       []float64 // by entry
	ordered  []float64 // those that are not zero, ascending
	rounding rounding
}

func newVariances(t *tensorFit, b int, donors []int, r rounding) *variances {
	v := &variances{t: t, base: b, d: make([][]float64, len(donors)), of: make([]float64, len(t.y)), rounding: r}
	for k, x := range donors {
		v.d[k] = make([]float64, len(t.y))
		for j := range t.y {
			v.d[k][j] = of64(r, float64(t.x[x][j])-float64(t.x[b][j]))
		}
	}
	for j := range v.of {
		mean, sum := 0.0, 0.0
		for k := range v.d {
			mean += v.d[k][j] / float64(len(v.d))
		}
		for k := range v.d {
			x := v.d[k][j] - mean
			sum += float64(x * x)
		}
		if v.of[j] = of64(r, sum/float64(len(v.d))); v.of[j] != 0 {
			v.ordered = append(v.ordered, v.of[j])
		}
	}
	slices.Sort(v.ordered)
	return v
}

// values repeats SCE with a share of the entries selected. At the edge, where
// several vary alike, either is right.
func (v *variances) values(share float64) []float64 {
	edge := -1.0
	if keep := int(share*float64(len(v.ordered)) + 1e-9); share < 1 {
		edge = math.Inf(1)
		if keep > 0 {
			edge = v.ordered[len(v.ordered)-keep]
		}
	}
	weight := v.weights(edge)
	out := make([]float64, len(v.of))
	for j, of := range v.of {
		base, y := float64(v.t.x[v.base][j]), float64(v.t.y[j])
		out[j] = base
		if of < edge {
			continue
		}
		moved := base + electedMean(v.d, weight, j, v.rounding)
		if of > edge || math.Abs(y-moved) < math.Abs(y-base) {
			out[j] = moved
		}
	}
	return out
}

// weights are the shares of the squares of what was selected.
func (v *variances) weights(edge float64) []float64 {
	w, total := make([]float64, len(v.d)), 0.0
	for k := range v.d {
		for j, of := range v.of {
			if of >= edge {
				w[k] += of64(v.rounding, float64(v.d[k][j]*v.d[k][j]))
			}
		}
		w[k] = of64(v.rounding, w[k]/float64(len(v.of)))
		total += w[k]
	}
	total = of64(v.rounding, total)
	for k := range w {
		w[k] = of64(v.rounding, w[k]/math.Max(total, 1e-300))
	}
	return w
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
