package faithful

import (
	"math"

	"github.com/weightprint/weightprint/internal/quant"
)

// rule says what is known of a block type beside the bytes that its quantiser
// gives without importance.
type rule struct {
	// search holds a block against everything that the quantiser's search can
	// come to with some importance; nil where nothing is searched.
	search func(x, v []float32, block []byte) fault
	// run is how many values share a scale, and so an error.
	run int
	// wholeRow says that the weights of a block depend on its row.
	wholeRow bool
}

// mostImportance is twice the largest error that importance brought to a run, over
// that of the plain choice, among 100,000 runs of all types (TestCalibrate). What
// lies beyond is left open: no rule excludes it.
const mostImportance = 26

// rules holds the types of blocks by name.
var rules = map[string]rule{
	"Q1_0": {run: 128}, "Q2_0": {run: 64}, "Q8_0": {run: 32}, "TQ1_0": {run: 256}, "TQ2_0": {run: 256}, "MXFP4": {run: 32}, "NVFP4": {run: 16},
	"Q4_0": {search: signedSearch("Q4_0", 8), run: 32, wholeRow: true},
	"Q5_0": {search: signedSearch("Q5_0", 16), run: 32, wholeRow: true},
	"Q4_1": {search: lineSearch("Q4_1", 15), run: 32, wholeRow: true},
	"Q5_1": {search: lineSearch("Q5_1", 31), run: 32, wholeRow: true},
	"Q2_K": {search: nearestSearch("Q2_K"), run: 16},
	"Q3_K": {search: nearestSearch("Q3_K"), run: 16},
	"Q4_K": {search: nearestSearch("Q4_K"), run: 32},
	"Q5_K": {search: nearestSearch("Q5_K"), run: 32},
	"Q6_K": {search: nearestSearch("Q6_K"), run: 16},

	"IQ4_NL": {search: bookSearch("IQ4_NL"), run: 32},
	"IQ4_XS": {search: nearestSearch("IQ4_XS"), run: 32},

	"IQ2_XXS": {search: pointSearch("IQ2_XXS"), run: 32},
	"IQ2_XS":  {search: pointSearch("IQ2_XS"), run: 16},
	"IQ2_S":   {search: pointSearch("IQ2_S"), run: 16},
	"IQ3_XXS": {search: pointSearch("IQ3_XXS"), run: 32},
	"IQ3_S":   {search: pointSearch("IQ3_S"), run: 32},
	"IQ1_S":   {search: ternarySearch("IQ1_S"), run: 32},
	"IQ1_M":   {search: ternarySearch("IQ1_M"), run: 16},
}

type search = func(x, v []float32, block []byte) fault

// nearestSearch serves types whose codes follow from the stored scales.
func nearestSearch(name string) search {
	subs := quant.Subs[name]
	return func(x, v []float32, block []byte) fault { return nearestFault(subs(block), x, v) }
}

// signedSearch serves types whose codes are those of one of nineteen scales,
// while another one, fitted to them, is stored.
func signedSearch(name string, n int) search {
	subs := quant.Subs[name]
	return func(x, v []float32, block []byte) fault {
		s := subs(block)
		f := nearestFault(s, x, v)
		if s[0].Scale == 0 || f.what == noNumber || candidateFault(n, x, v, s[0].Scale) {
			return f
		}
		if hullFault(x, places(s[0], v), float64(s[0].Scale), float64(s[0].Slack)) {
			return fault{steps: 1, what: notAsked}
		}
		return fault{}
	}
}

// notAsked says what a scale outside the hull is.
const notAsked = "the scale is none that any weights of the values ask for"

// places are the levels of decoded values.
func places(s quant.Sub, v []float32) []float64 {
	l := make([]float64, len(v))
	for i := range v {
		l[i] = math.Round(s.Place(v[i]))
	}
	return l
}

// bookSearch serves IQ4_NL: the codes are the nearest ones, and the scale is
// fitted to those of one of the scales that are tried.
func bookSearch(name string) search {
	subs := quant.Subs[name]
	return func(x, v []float32, block []byte) fault {
		s := subs(block)
		f := nearestFault(s, x, v)
		if f.found() || s[0].Scale == 0 {
			return f
		}
		for _, l := range quant.BookTrials(x) {
			if !hullFault(x, l, float64(s[0].Scale), float64(s[0].Slack)) {
				return f
			}
		}
		return fault{steps: 1, what: notAsked}
	}
}

// lineSearch serves types whose codes are those of some scale and minimum, while
// others, fitted to them, are stored.
func lineSearch(name string, top float64) search {
	subs := quant.Subs[name]
	return func(x, v []float32, block []byte) fault {
		s := subs(block)
		f := nearestFault(s, x, v)
		if s[0].Scale == 0 || f.what == noNumber {
			return f
		}
		codes := make([]int, len(v))
		for i := range v {
			codes[i] = int(math.Round(s[0].Place(v[i])))
		}
		switch {
		case !f.found():
			return f // a scale of another program, or of the search
		case lineFault(top, x, codes):
			f.what = "no scale and minimum round to these codes"
			return f
		case lineHullFault(x, codes, float64(s[0].Scale), float64(s[0].Offset), float64(s[0].Slack)):
			return fault{steps: 1, lost: true, what: "scale and minimum are none that weights of more than one value ask for"}
		}
		return fault{}
	}
}
