package verdict

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// componentCosine is the mean cosine of the values of a component, 0 if none
// was compared.
func (f *Facts) componentCosine(names ...string) float64 {
	var s delta.Stats
	for i := range f.Storage.Changes {
		if c := &f.Storage.Changes[i]; slices.Contains(names, c.Component) {
			s.Merge(&c.Stats)
		}
	}
	return s.Cosine()
}

// valuesChanged looks at how values differ where roles and shapes are the
// same.
func valuesChanged(f *Facts, level stats.LogP) []finding {
	if f.inDisguise(level) || sameFunction(f, level) != nil {
		return nil // values in one role are not those of one unit
	}
	x := f.changes()
	if f.movedContent() != "" {
		return x.rowsScaled(&f.BatchNorms) // the values are the same
	}
	out := append(x.valuesScaled(), x.rowsScaled(&f.BatchNorms)...)
	if x.n == 0 {
		return append(out, x.bodyUnchanged(f)...)
	}
	for _, rule := range []func() []finding{
		func() []finding { return onLattice(&x.body) },
		func() []finding { return coarse(f) },
		func() []finding { return masked(&x.body, f) },
		func() []finding { return shapedDifference(f) },
		func() []finding { return []finding{tuned(x.body.Cosine())} },
	} {
		if found := rule(); found != nil {
			return append(out, found...)
		}
	}
	return out
}

// tuned names a change of values by the cosine that it leaves.
func tuned(cosine float64) finding {
	if cosine < longCosine {
		return finding{ContinuedPretrained, fmt.Sprintf("values of the body correlate at %.3f", cosine), Undetermined}
	}
	return finding{FineTuned, fmt.Sprintf("values of the body correlate at %.4f", cosine), Undetermined}
}

// masked finds zeros that one side has and the other has not.
func masked(all *delta.Stats, f *Facts) []finding {
	for side, zeros := range []int64{all.ZeroOnlyB, all.ZeroOnlyA} {
		if float64(zeros) < prunedShare*float64(all.N) || float64([]int64{all.ZeroA, all.ZeroB}[side]) > prunedOther*float64(zeros) {
			continue
		}
		d, of := AToB, "B"
		if side == 1 {
			d, of = BToA, "A"
		}
		words := fmt.Sprintf("%.0f %% of the values of the body are zero in %s only", 100*float64(zeros)/float64(all.N), of)
		if nm := f.pattern(); nm != [2]int{} && side == 0 {
			words += fmt.Sprintf(", %d of every %d along the inputs", nm[0], nm[1])
		}
		out := []finding{{Pruned, words, d}}
		if kept := all.N - zeros; float64(all.EqualNonzero) < prunedEqual*float64(kept) {
			out = append(out, finding{FineTuned, "the values outside the mask differ too", Undetermined})
		}
		return out
	}
	return nil
}

// pattern is the n:m mask that most spectra show.
func (f *Facts) pattern() [2]int {
	count := map[[2]int]int{}
	for _, s := range f.Spectra {
		count[s.Pattern]++
	}
	for nm, n := range count {
		if nm != [2]int{} && 2*n > len(f.Spectra) {
			return nm
		}
	}
	return [2]int{}
}

// shapedDifference recognises differences by their spectrum: few directions or
// noise.
func shapedDifference(f *Facts) []finding {
	var low, noise, n int
	var ranks []int
	var sizes []float64
	for _, s := range f.Spectra {
		if !ofBody(s.Component) || s.Largest == 0 || min(s.Rows, s.Cols) < spectrumSide {
			continue
		}
		n++
		if s.LowRank() {
			low++
		}
		if s.Rank > 0 {
			ranks = append(ranks, s.Rank)
		}
		if s.Noise() {
			noise++
		}
		sizes = append(sizes, s.Relative)
	}
	switch {
	case n == 0:
		return nil
	case most(low, n) && slices.Max(ranks) == 1 && f.onlyWritersDiffer():
		return []finding{{Projected, fmt.Sprintf("the differences have rank 1 in each of %d matrices, and only what writes to the residual stream differs: one direction was taken out of it, or put in", n), Undetermined}}
	case most(low, n) && f.untouchedNorms():
		slices.Sort(ranks)
		return []finding{{LoRAMerged, fmt.Sprintf("the differences have rank %d above rounding (median of %d matrices, largest %d)", ranks[len(ranks)/2], n, ranks[len(ranks)-1]), Undetermined}}
	case most(noise, n) && slices.Max(sizes) < noiseSpread*slices.Min(sizes):
		return []finding{{Noised, fmt.Sprintf("the differences are Gaussian, without leading directions, %.3g to %.3g of the values' size", slices.Min(sizes), slices.Max(sizes)), Undetermined}}
	}
	return nil
}

// untouchedNorms tells whether gains and biases hold the same values: adapters
// leave them alone.
func (f *Facts) untouchedNorms() bool {
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); c.Component == norms && st == delta.Different {
			return false
		}
	}
	return true
}

// most tells whether k of n spectra are enough for a kind.
func most(k, n int) bool { return float64(k) >= mostSpectra*float64(n) }
