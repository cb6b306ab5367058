package recipe

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/linalg"
)

// Limits by which a remainder is read.
const (
	// A base with a weight below this took no part, so the weights of the others are
	// those of a whole mixture. By decision, as TakesPart of the report.
	noBase = 0.03
	// Sizes, in units of what a missing parent with the base's weight would leave
	// were it as far from the base as the others are, between which it can be one:
	// fine-tunes of one base differ in length by less than that. By decision.
	missingLeast, missingMost = 0.4, 2.5
	// Share of directions below which a remainder is of low rank, as adapters leave
	// it: training of all values takes two thirds of them and more.
	lowRank = 0.34
	// Share of vectors' values that may be further away than rounding takes them.
	// Gains are few and close to 1, and each counts.
	vectorsOff = 0.05
	// How near the weights have to be to round numbers to stand for a whole mixture.
	roundWithin = 0.005
)

// after reads the remainder: nothing, more training, or a parent that was not
// given. A missing parent with weight w leaves w times its task vector, and the
// base the weight w, which a whole mixture would not give it.
func (f *fitting) after(r *Recipe, e *explanation, matrices, vectors account) After {
	r.Remainder = Remainder{Steps: matrices.distance(), Off: matrices.offShare()}
	if e.method != Unknown && (matrices.explains() || e.loose) {
		if vectors.values == 0 || vectors.offShare() <= vectorsOff || e.loose || e.rows != "" {
			return MergeOnly
		}
		r.Warnings = append(r.Warnings, "gains or biases are not the mixture's: they were trained further, or mixed apart")
		return Trained
	}
	if how, ok := f.madeCoarser(e); ok {
		return how
	}
	r.Remainder.Rank, r.Remainder.Rows = f.rank(e), f.cleanRows(e)
	base, weight := f.unusedBase()
	if base >= 0 && weight > noBase {
		r.Base = base
		r.Remainder.Apart = f.missingSize(base, weight)
	}
	signs := slices.ContainsFunc(f.pooled.weights, func(w float64) bool { return w < -noBase })
	switch {
	case f.clean != nil && (base < 0 || f.clean.weights[base] < noBase || signs): // where nothing was added nobody is missing
		return Trained
	case f.cleanPart(r):
		return Trained
	case r.Remainder.Rank > 0 && r.Remainder.Rank < lowRank:
		return Trained
	case base < 0 || len(f.use) < 2:
		return f.byRoundness()
	case signs || weight <= noBase || r.Remainder.Apart < missingLeast:
		return Trained
	case r.Remainder.Apart <= missingMost:
		return Missing
	}
	return Open
}

// byRoundness reads a remainder where no base is at hand: round weights are
// those of a whole mixture. Of one parent there is nothing to mix.
func (f *fitting) byRoundness() After {
	if len(f.use) == 1 {
		return Trained
	}
	for _, k := range f.use {
		w := f.pooled.weights[k]
		if math.Abs(w-math.Round(w*20)/20) > roundWithin {
			return Open
		}
	}
	return Trained
}

// unusedBase is the parent, among all that were given, that the participants' task
// vectors start from at right angles, with the weight that it gets where it is let
// in; -1 if there is none.
func (f *fitting) unusedBase() (int, float64) {
	best, least := -1, 0.45
	for b := range f.n {
		use := append(slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == b }), b)
		if len(use) < 3 || !f.everywhere(use) {
			continue
		}
		if c := f.meanCosine(b, use); c < least {
			best, least = b, c
		}
	}
	if best < 0 {
		return -1, 0
	}
	use := append(slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == best }), best)
	return best, pool(f.known(use), use, false).weights[best]
}

// missingSize is the size of the remainder over what a parent with that weight
// would leave, were it as far from the base as the others are on average.
func (f *fitting) missingSize(base int, weight float64) float64 {
	use := append(slices.DeleteFunc(slices.Clone(f.use), func(k int) bool { return k == base }), base)
	m := pool(f.known(use), use, false)
	far, n := 0.0, 0.0
	for _, k := range use[:len(use)-1] {
		sum := 0.0
		for _, p := range f.known(use) {
			d := p.difference(k, base)
			sum += p.fit(d, d)
		}
		far, n = far+math.Sqrt(sum), n+1
	}
	return math.Sqrt(m.rss) / math.Max(weight*far/n, 1e-300)
}

// cleanPart tells whether some component with values to ask is the mixture's
// exactly while others are not: training had left it alone, and nobody is missing
// there.
func (f *fitting) cleanPart(r *Recipe) bool {
	const fewest = 5000
	return slices.ContainsFunc(r.Components, func(c Component) bool { return c.Values >= fewest && c.Off <= mostOff })
}

// cleanRows is the share of rows of embeddings whose values are all the
// mixture's.
func (f *fitting) cleanRows(e *explanation) float64 {
	clean, n := 0, 0
	for i, t := range f.all {
		if t.component != "embeddings" || t.vector {
			continue
		}
		p, s := e.predict(i), storageOf(t.dtype)
		for first := 0; first+t.cols <= len(t.y); first += t.cols {
			off := 0
			for j := first; j < first+t.cols; j++ {
				if !(math.Abs(float64(t.y[j])-p[j]) <= (0.5+s.slack)*s.step(t.y[j])) {
					off++
				}
			}
			if n++; off == 0 {
				clean++
			}
		}
	}
	return float64(clean) / float64(max(1, n))
}

// rankRows and rankMatrices bound what the rank of a remainder is asked of.
const (
	rankRows     = 192
	rankMatrices = 4
	ninety       = 0.9 // share of the remainder's square that the counted directions hold
)

// rank is the mean share of directions that hold nine tenths of the remainder.
func (f *fitting) rank(e *explanation) float64 {
	sum, n := 0.0, 0
	var layers []int
	for i, t := range f.all {
		if !t.vector && t.component != "embeddings" {
			layers = append(layers, i)
		}
	}
	for k := range min(rankMatrices, len(layers)) {
		i := layers[k*len(layers)/min(rankMatrices, len(layers))]
		t := f.all[i]
		rows := min(rankRows, len(t.y)/t.cols)
		cols := min(rankRows*2, t.cols)
		p := e.predict(i)
		d := make([]float64, 0, rows*cols)
		for r := range rows {
			for c := range cols {
				d = append(d, float64(t.y[r*t.cols+c])-p[r*t.cols+c])
			}
		}
		s, err := linalg.SingularValues(d, rows, cols)
		if err != nil {
			continue
		}
		sum += directions(s) / float64(min(rows, cols))
		n++
	}
	return sum / float64(max(1, n))
}

func directions(s []float64) float64 {
	total, sum := 0.0, 0.0
	for _, x := range s {
		total += x * x
	}
	for k, x := range s {
		if sum += x * x; sum >= ninety*total {
			return float64(k + 1)
		}
	}
	return float64(len(s))
}
