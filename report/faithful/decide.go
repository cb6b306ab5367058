package faithful

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity/faithful"
)

// tolerated is the share of blocks with an unusual error that a tensor of unknown
// importance may have: honest ones had fewer (docs/FAITHFUL.md).
const tolerated = 1e-3

// verdictOf sums the blocks of a tensor up.
func verdictOf(b Blocks, m faithful.Mode) Verdict {
	open := b.Open > 0
	if m == faithful.Searched {
		open = float64(b.Open) > tolerated*float64(b.Total())
	}
	switch {
	case b.Deviates > 0:
		return Deviates
	case open || m == faithful.None:
		return Undetermined
	case b.Rounding+b.Reachable+b.Open > 0:
		return Reachable
	}
	return Faithful
}

// limits hold for every report.
var limits = []string{
	"the source itself is taken as given: whoever plants something in the source gets a faithful file of it",
	"the rules are those of the reference quantisers; a file of another program may deviate without any intent",
	"what is no weight (templates, tokenizer, configuration) is not compared",
}

// decide fills in the verdict and why.
func (r *Report) decide() {
	n := map[Verdict]int{}
	for _, t := range r.Tensors {
		n[t.Verdict]++
	}
	switch {
	case n[Deviates] > 0:
		r.Verdict = Deviates
	case n[Undetermined] > 0 || len(r.Unpaired) > 0 || len(r.Missing) > 0 || r.turned || len(r.Tensors) == 0:
		r.Verdict = Undetermined
	case n[Reachable] > 0:
		r.Verdict = Reachable
	default:
		r.Verdict = Faithful
	}
	r.because(n)
	r.notExcluded()
}

// because puts the counts into words.
func (r *Report) because(n map[Verdict]int) {
	say := func(ok bool, format string, args ...any) {
		if ok {
			r.Because = append(r.Because, fmt.Sprintf(format, args...))
		}
	}
	b := r.Blocks
	say(true, "%d of %d blocks are byte for byte what the rule of their type gives from the source", b.Exact, b.Total())
	say(b.Rounding > 0, "%d more are what it gives where sums round in another way, as they do on other processors", b.Rounding)
	say(b.Reachable > 0, "%d are among what the quantiser can come to", b.Reachable)
	say(b.Deviates > 0, "%d in %d tensors are not", b.Deviates, n[Deviates])
	say(b.Deviates > 0 && 2*b.Deviates > b.Total(), "that is most of them: another source, another program, or a step in between explains it as well as an alteration does")
	say(b.Open > 0, "%d are not determined by rounding", b.Open)
	hidden := 0
	for _, t := range r.Types {
		if t.Mode == faithful.Searched && 2*t.Blocks.Deviates < t.Blocks.Total() {
			hidden += t.Tensors
		}
	}
	say(hidden > 0 && !r.Importance, "the scales of %d tensors follow from something that is not in the source, such as an importance matrix; --importance FILE decides them byte for byte", hidden)
	say(hidden > 0 && r.Importance, "the scales of %d tensors do not follow from the importance that was given", hidden)
	say(len(r.Unpaired) > 0, "%d tensors have no counterpart in the source", len(r.Unpaired))
	say(len(r.Missing) > 0, "%d parts of the source are not in the quantised model", len(r.Missing))
	say(r.turned, "query and key rows lie in another order than the architecture of the file says: what loads it computes something else")
	say(r.folded > 0, "%d gains and biases are not those of the source, and neither are the values of the matrices: AWQ and SmoothQuant move factors between them", r.folded)
}

// escapes lists what an alteration may be and stay unseen, and when.
var escapes = []struct {
	when func(r *Report) bool
	what string
}{
	{func(*Report) bool { return true }, "weights of the source moved inside the cells of the codes, so that it is harmless itself and only what is made of it is not: both files then agree"},
	{func(r *Report) bool { return r.has(faithful.Searched) }, "scales, points and codes chosen as some other importance would have chosen them"},
	{func(r *Report) bool { return r.has(faithful.Given) }, "an importance matrix made for the purpose"},
	{func(r *Report) bool { return r.has(faithful.Alone, faithful.Given) && r.Blocks.Rounding > 0 }, "values moved to where two choices tie"},
	{func(r *Report) bool { return r.has(faithful.Cells) }, "scales that no rule gives, with the codes rounded anew"},
	{func(r *Report) bool { return r.has(faithful.Cells, faithful.Ruled) }, "codes of values that lie within 1/128 of a cell of the next one"},
	{func(r *Report) bool { return r.Blocks.Reachable > 0 && r.has(faithful.Cast) }, "values moved by less than half a unit of the type of the source, where that is the coarser one"},
}

// notExcluded says what the findings leave possible.
func (r *Report) notExcluded() {
	for _, e := range escapes {
		if e.when(r) {
			r.NotExcluded = append(r.NotExcluded, e.what)
		}
	}
}

// has tells whether some tensor was judged in one of these ways.
func (r *Report) has(modes ...faithful.Mode) bool {
	return slices.ContainsFunc(r.Types, func(t Type) bool { return slices.Contains(modes, t.Mode) })
}
