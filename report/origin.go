package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/invariants"
)

// Thresholds of the question whether two networks share more than their random
// initialisation. Of the control pairs that share only that, gains correlate
// at no more than 0.33 around their means, and leading directions of MLPs
// carry over to a share that falls from 0.9 to 0.5 and less as training goes
// on; see docs/STATISTICS.md.
const (
	sameGains    = 0.40 // gains that correlate at more than this, by a standard error, were learned together
	otherGains   = 0.35
	actingGains  = 0.25 // as they act on columns; of 120 control pairs the largest shows 0.19
	keptLeads    = 0.97 // without gains to ask, directions kept to this share were learned together: of 240 pairs of one seed the largest shows 0.937;
	openLeads    = 0.50 // below, and above this, nothing is settled
	freshBody    = 0.35 // what only an initialisation leaves of the body's directions as seen through tokens,
	freshTokens  = 0.60 // and of the embeddings', which frequent tokens draw together
	sameTokens   = 0.50 // products among much used embeddings: pairs of one seed show at most 0.33,
	otherTokens  = 0.35 // descendants 0.59 and more
	tokenWords   = "products among embeddings of much used tokens correlate at %.2f"
	mutedWords   = "norm gains correlate at %.2f around their means"
	movedWords   = "norm gains, as they act on columns, correlate at %.2f around their means"
	leadsWords   = "the leading directions of matching units carry over to a share of %.2f"
	unknownWords = "what look like norm gains correlate at %.2f around their means"
	unsureWords  = "; this does not settle whether more than the initialisation is common"
)

// common is what a related pair is judged to share.
type common struct {
	initOnly bool   // its random initialisation, and nothing that training learned
	open     bool   // the other answer is not excluded
	words    string // what the judgement rests on; empty where nothing could be asked
}

// common judges whether a related pair shares its random initialisation only.
func (f *Facts) common(level similarity.LogP) common {
	leads, fresh, hasLeads := f.freshLeads()
	gains, doubt, hasGains := f.gains(level)
	words, gainWords := "", mutedWords
	moved := f.gainsMoved()
	if moved {
		gains, doubt, hasGains = f.movedGains()
		hasGains = hasGains && gains >= actingGains+doubt // less may be what moving them left
		gainWords = movedWords
	}
	switch {
	case hasGains && hasLeads:
		words = fmt.Sprintf(gainWords+", "+leadsWords, gains, leads)
	case hasGains:
		words = fmt.Sprintf(gainWords, gains)
	case hasLeads:
		words = fmt.Sprintf(leadsWords, leads)
	case f.sameInvariants():
		return common{words: "what no change of basis alters is the same on both sides to a thousandth"}
	default:
		if c, ok := f.unknownGains(); ok && c < otherGains {
			return common{initOnly: true, words: fmt.Sprintf(unknownWords, c)}
		}
		if c, ok := f.usedTokens(level); ok {
			return common{initOnly: c < sameTokens, open: c >= otherTokens, words: fmt.Sprintf(tokenWords, c)}
		}
		return common{initOnly: true, open: true, words: "units correspond too weakly to ask whether anything learned is common" + unsureWords}
	}
	if c, ok := f.unknownGains(); ok && !hasGains && c < otherGains {
		return common{initOnly: true, words: words + ", " + fmt.Sprintf(unknownWords, c)}
	}
	switch {
	case hasGains && gains >= sameGains+doubt:
		return common{words: words}
	case hasGains && !moved && gains < otherGains, !hasGains && leads < min(fresh, openLeads):
		return common{initOnly: true, words: words}
	case !hasGains && leads < fresh:
		return common{initOnly: true, open: true, words: words + unsureWords}
	}
	return common{initOnly: hasGains && !moved, open: true, words: words + unsureWords} // the initialisation is certain, more is not
}

// freshLeads is the share of leading directions that carry over, and the share
// below which an initialisation alone explains it: of the body as it stands, or
// where its units show themselves only through tokens, so seen, or where they
// do not at all, of the embeddings.
func (f *Facts) freshLeads() (leads, fresh float64, ok bool) {
	embeddings := func(e similarity.Evidence) bool { return e.Component == "embeddings" }
	raw := func(e similarity.Evidence) bool { return !embeddings(e) && e.Axis == e.Component }
	anchored := func(e similarity.Evidence) bool { return !embeddings(e) && e.Axis != e.Component }
	for _, place := range []struct {
		fits  func(similarity.Evidence) bool
		fresh float64
	}{{raw, keptLeads}, {anchored, freshBody}, {embeddings, freshTokens}} {
		if leads, ok = f.leads(place.fits); ok {
			return leads, place.fresh, true
		}
	}
	return 0, 0, false
}

// sameInvariants tells whether queries and keys, and values and outputs, are the
// same on both sides up to rounding and a change of basis. Networks that went
// apart after their initialisation are not, however lightly they were trained.
func (f *Facts) sameInvariants() bool {
	const same = 0.999
	n := 0
	for _, e := range f.Evidence {
		if e.Skipped == "" && (e.Test == "qk-sizes" || e.Test == "ov-spectra") && e.Effect >= same {
			n++
		}
	}
	return n >= 2
}

// leads is the largest share of leading directions that carry over where fits
// says, in the MLPs, or where they show no clear units in any other part.
func (f *Facts) leads(fits func(similarity.Evidence) bool) (share float64, ok bool) {
	mlp, other := -1.0, -1.0
	for _, e := range f.Evidence {
		switch {
		case e.Test != "leading-directions" || e.Skipped != "" || !fits(e):
		case e.Component == "mlp" || e.Component == "experts":
			mlp = max(mlp, e.Statistic)
		default:
			other = max(other, e.Statistic)
		}
	}
	if mlp >= 0 {
		return mlp, true
	}
	return other, other >= 0
}

// movedGains is the mean correlation of norm gains with what acts on the
// columns of the side whose gains are its own; where either may have been
// moved, the smaller of the two ways, as gains that were multiplied at random
// agree with what that left in the columns. The matrices behind one norm see its
// gains several times.
func (f *Facts) movedGains() (c, doubt float64, ok bool) {
	const readers = 3
	var sum [2]float64
	var n, norms [2]int
	for i := range f.Storage.Changes {
		g := &f.Storage.Changes[i].Gains
		for side := range g.N {
			if g.N[side] > 0 && slices.Contains(body, f.Storage.Changes[i].Component) {
				sum[side] += g.Correlation[side]
				n[side] += g.N[side]
				norms[side]++
			}
		}
	}
	c = 1
	for side := range norms {
		s := &f.Shape
		if norms[side] == 0 || s.Rescaled[side] && !s.Rescaled[1-side] {
			continue // its gains are not those that it learned
		}
		c, doubt, ok = min(c, sum[side]/float64(norms[side])), 1/math.Sqrt(float64(max(1, n[side]/readers))), true
	}
	return c, doubt, ok
}

// gains is the correlation of the norm gains. It can be asked only where the
// residual dimensions of the two stand at the same places, which units found
// in raw coordinates show. Where some layers are of another origin, the others
// speak. Where only the embeddings show the places, gains that were learned
// together count, and others say nothing: the body may be of another origin.
// doubt is the standard error that so many gains have when they are unrelated.
func (f *Facts) gains(level similarity.LogP) (c, doubt float64, ok bool) {
	inPlace := func(fits func(similarity.Evidence) bool) bool {
		p, e := f.best(fits)
		return e != nil && p <= level
	}
	if inPlace(func(e similarity.Evidence) bool {
		return e.Test == "fixed-points" && (e.Axis == "mlp" || e.Axis == "attention" || e.Axis == "experts") || e.Test == "signs" && e.Axis == "mlp"
	}) {
		if found, foreign, _ := f.layersFound(); len(foreign) == 0 {
			c, doubt, ok = f.gainsOf(func(e similarity.Evidence) bool { return e.LayerB < 0 })
		} else {
			c, doubt, ok = f.gainsOf(func(e similarity.Evidence) bool { return e.Tower == "main" && slices.Contains(found, e.LayerB) })
		}
	}
	if !ok && inPlace(func(e similarity.Evidence) bool { return e.Test == "fixed-points" && e.Axis == "embeddings" }) {
		c, doubt, ok = f.gainsOf(func(e similarity.Evidence) bool { return e.LayerB < 0 })
		ok = ok && c >= sameGains+doubt
	}
	return c, doubt, ok
}

// gainsOf is the mean correlation over the gains that fit.
func (f *Facts) gainsOf(fits func(similarity.Evidence) bool) (c, doubt float64, ok bool) {
	n, parts := 0, 0
	for _, e := range f.Evidence {
		if e.Test == "gains" && e.Skipped == "" && e.Component == "norms" && fits(e) {
			c += e.Statistic
			n += e.N
			parts++
			if e.LayerB < 0 {
				break // the total of the first look
			}
		}
	}
	if parts == 0 {
		return 0, 0, false
	}
	return c / float64(parts), 1 / math.Sqrt(float64(max(1, n))), true
}

// usedTokens is how alike the products among the embeddings of much used tokens
// are, where untouched ones make the finding.
func (f *Facts) usedTokens(level similarity.LogP) (c float64, ok bool) {
	if p, e := f.best(func(e similarity.Evidence) bool { return e.Test == invariants.TokenSigns }); e == nil || p > level {
		return 0, false
	}
	for _, e := range f.Evidence {
		if e.Test == invariants.UsedTokens && e.Skipped == "" {
			return e.Effect, true
		}
	}
	return 0, false
}

// unknownGains is the correlation of vectors of unknown role that look like
// gains. They can say that nothing learned is common; more would rest on what
// they are.
func (f *Facts) unknownGains() (c float64, ok bool) {
	const enough = 64
	for _, e := range f.Evidence {
		if e.Test == "gains" && e.Skipped == "" && e.Component == "generic" && e.N >= enough {
			return e.Statistic, true
		}
	}
	return 0, false
}

// originOpen tells whether the question needs another look: gains that differ
// without units clear enough to ask for directions.
func (f *Facts) originOpen(level similarity.LogP) bool {
	_, hasLeads := f.leads(func(e similarity.Evidence) bool { return e.Component != "embeddings" })
	gains, _, hasGains := f.gains(level)
	return !hasLeads && (!hasGains || gains < sameGains)
}
