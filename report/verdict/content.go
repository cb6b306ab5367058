package verdict

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Labels of units correspond where two networks have a common origin, and where
// somebody arranged one after the other. Content is what no arrangement of an
// independent network reaches; without it labels make no relation.

// content lists in words what of two subjects no arrangement brings about.
func (f *Facts) content(found Channels) (out []string) {
	for _, ask := range []func() string{
		f.equalContent,
		f.movedContent,
		func() string { return agreementContent(found) },
		func() string { return f.heldOutContent(found) },
		f.likenessContent,
		f.tokenContent,
	} {
		if words := ask(); words != "" {
			out = append(out, words)
		}
	}
	return out
}

// HasContent tells whether anything was measured so far that no arrangement brings
// about.
func (f *Facts) HasContent() bool { return len(f.content(f.Channels(Controls()))) > 0 }

// HasEqualValues tells whether trained matrices were found that hold the same values.
func (f *Facts) HasEqualValues() bool { return f.equalContent() != "" }

// equalContent asks for trained matrices that are the same on both sides up to
// storage.
func (f *Facts) equalContent() string {
	if words := f.equalMatrices(); words != "" {
		return words
	}
	if words := f.multiples(); words != "" {
		return words
	}
	if n := f.Storage.compared(); f.soFar() && n >= equalValues {
		return fmt.Sprintf("no difference in the %.3g values of each side that were compared", n)
	}
	n := f.takenOver()
	if n >= equalMatrices {
		return fmt.Sprintf("%d trained matrices hold the same values on both sides, up to storage", n)
	}
	return ""
}

// takenOver counts matrices of the body that are the same up to storage, as far as nothing
// else has told that values are equal: of unknown role those that look trained, and each
// once that A holds more than once: of matrices of one shape the same rows are read.
func (f *Facts) takenOver() (n int) {
	type sums struct {
		n        int64
		sum, sqr float64
	}
	met := map[sums]bool{}
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if !takenOver(c) || f.Equality.Asked && !quantised(c) {
			continue
		}
		if c.Component != generic {
			n++
			continue
		}
		key := sums{c.Stats.N, c.Stats.SumA, c.Stats.AA}
		if c.Learned && !met[key] {
			met[key] = true
			n++
		}
	}
	return n
}

// equalMatrices asks for matrices that are no tables and were found equal value by
// value. One of unknown role may be a basis or a projection that many networks hold.
func (f *Facts) equalMatrices() string {
	e := &f.Equality
	if e.Learned < equalMatrices && (e.Known == 0 || max(e.Values[0], e.Values[1]) < equalShare) {
		return ""
	}
	words := fmt.Sprintf("%d trained matrices hold the same values on both sides", e.Learned)
	if e.Known == 0 {
		words = fmt.Sprintf("%d matrices that look trained hold the same values on both sides", e.Learned)
	}
	if least := min(e.Values[0], e.Values[1]); least < mostValues {
		words += fmt.Sprintf(", %.2g %% of A's values and %.2g %% of B's", 100*e.Values[0], 100*e.Values[1])
	}
	return words
}

// multiples asks for matrices that look trained and hold the same values up to rounding and a
// number for each row, as folding a norm gives: no arrangement of a stranger brings rows
// into line to the last bits.
func (f *Facts) multiples() string {
	n, scaled := 0, 0
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); c.Complete && c.Scales.Learned && st == delta.Different {
			n++
			if c.Scales.By != nil {
				scaled++
			}
		}
	}
	if n < equalMatrices {
		return ""
	}
	words := fmt.Sprintf("%d trained matrices hold the same values on both sides to rounding", n)
	if scaled > 0 {
		words += fmt.Sprintf(", %d of them up to a number for each row", scaled)
	}
	return words
}

// quantised tells whether one side is the other on a lattice of its own.
func quantised(c *delta.Change) bool {
	st, _ := c.Storage()
	return st == delta.Quantised
}

// equalEmbeddings tells whether the embeddings hold the same values up to
// storage.
func (f *Facts) equalEmbeddings() bool {
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); c.Component == embeddings && !c.Vector && st != delta.Different && varied(c) {
			return true
		}
	}
	return false
}

// agreementContent asks for units that two views confirm in coordinates that no
// rotation alters. In raw coordinates one rotation, aimed at chosen units,
// makes them agree.
func agreementContent(found Channels) string {
	for _, e := range found.alone {
		if e.Test == Agreement && e.Axis != rawAgreement {
			return beside(e)
		}
	}
	return ""
}

// arrangeable is how many of the units that were read somebody can make agree who
// arranges a stranger. Rows of the embedding that no text uses are free: given the
// other side's strings and a linear map of its rows, they bring about freePairs
// pairs of units for each residual dimension. Whoever can foresee which units are
// read puts all of them there.
func (f *Facts) arrangeable(read int) float64 {
	pairs := freePairs * float64(f.Width)
	if !f.Unforeseen || f.HiddenUnits <= read {
		return pairs
	}
	expected := pairs * float64(read) / float64(f.HiddenUnits)
	return expected + sampleMargin*math.Sqrt(expected)
}

// partlyAlike tells whether some matrices of unknown role are alike and others are not, or
// some vectors the same and others not, as where a part was taken over. Gains of unknown role
// may then belong to the rest.
func (f *Facts) partlyAlike() bool {
	if e := f.likeness(); e != nil && e.Component == generic && e.Axis != generic+" (raw)" {
		return true
	}
	return slices.ContainsFunc(f.Evidence, func(e similarity.Evidence) bool {
		return e.Test == Gains && e.Component == generic && e.Skipped == "" && e.Axis != unknownVectors
	})
}

// likenessContent asks whether corresponding units are more alike than
// arranging strangers can make them.
func (f *Facts) likenessContent() string {
	if e := f.likeness(); e != nil {
		return fmt.Sprintf("corresponding units of %s have a mean cosine of %.3g, where arranging strangers reaches %.3g at most", e.Axis, e.Effect, e.Statistic)
	}
	return ""
}

// likeness is the strongest likeness beyond what an arrangement reaches.
func (f *Facts) likeness() (best *similarity.Evidence) {
	for i := range f.Evidence {
		e := &f.Evidence[i]
		if e.Test == Likeness && e.Axis != relabelledAxis(generic) && e.LayerB < 0 && e.Skipped == "" && e.Effect > e.Statistic && (best == nil || e.Effect-e.Statistic > best.Effect-best.Statistic) {
			best = e
		}
	}
	return best
}

// tokenContent asks whether much-used embeddings lie to one another as on the
// other side.
func (f *Facts) tokenContent() string {
	for _, e := range f.Evidence {
		if e.Test == UsedTokens && e.Skipped == "" && e.Effect >= tokenContent {
			return fmt.Sprintf(tokenWords, e.Effect)
		}
	}
	return ""
}
