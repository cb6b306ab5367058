package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
)

// Thresholds of the question whether two networks share more than their random
// initialisation. Of the control pairs that share only that, gains correlate
// at no more than 0.33 around their means, and leading directions of MLPs
// carry over to a share that falls from 0.9 to 0.5 and less as training goes
// on; see docs/STATISTICS.md.
const (
	sameGains    = 0.40 // gains that correlate at more than this, by a standard error, were learned together
	otherGains   = 0.35
	keptLeads    = 0.93 // without gains to ask, directions kept to this share were learned together;
	openLeads    = 0.60 // below, and above this, nothing is settled
	freshBody    = 0.35 // what only an initialisation leaves of the body's directions as seen through tokens,
	freshTokens  = 0.60 // and of the embeddings', which frequent tokens draw together
	mutedWords   = "norm gains correlate at %.2f around their means"
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
	if s := f.Shape.Rescaled; hasGains && (f.gainsMoved() || s[0] || s[1]) {
		hasGains, fresh = false, keptLeads
	}
	var words string
	switch {
	case hasGains && hasLeads:
		words = fmt.Sprintf(mutedWords+", "+leadsWords, gains, leads)
	case hasGains:
		words = fmt.Sprintf(mutedWords, gains)
	case hasLeads:
		words = fmt.Sprintf(leadsWords, leads)
	case f.sameInvariants():
		return common{words: "what no change of basis alters is the same on both sides to a thousandth"}
	case f.exactFound(level):
		if c, ok := f.unknownGains(); ok && c < otherGains {
			return common{initOnly: true, words: fmt.Sprintf(unknownWords, c)}
		}
		return common{initOnly: true, open: true, words: "units correspond too weakly to ask whether anything learned is common" + unsureWords}
	default:
		return common{}
	}
	if c, ok := f.unknownGains(); ok && !hasGains && c < otherGains {
		return common{initOnly: true, words: words + ", " + fmt.Sprintf(unknownWords, c)}
	}
	switch {
	case hasGains && gains >= sameGains+doubt:
		return common{words: words}
	case hasGains && gains < otherGains, !hasGains && leads < min(fresh, openLeads):
		return common{initOnly: true, words: words}
	case !hasGains && leads < fresh:
		return common{initOnly: true, open: true, words: words + unsureWords}
	}
	return common{initOnly: hasGains, open: true, words: words + unsureWords} // the initialisation is certain, more is not
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

// gains is the correlation of the norm gains. It can be asked only where the
// residual dimensions of the two stand at the same places, which units found
// in raw coordinates show. Where some layers are of another origin, the others
// speak. doubt is the standard error that so many gains have
// when they are unrelated.
func (f *Facts) gains(level similarity.LogP) (c, doubt float64, ok bool) {
	p, e := f.best(func(e similarity.Evidence) bool {
		return e.Test == "fixed-points" && (e.Axis == "mlp" || e.Axis == "attention" || e.Axis == "experts") || e.Test == "signs" && e.Axis == "mlp"
	})
	if e == nil || p > level {
		return 0, 0, false
	}
	found, foreign, _ := f.layersFound()
	var sum float64
	n, layers := 0, 0
	for _, e := range f.Evidence {
		switch {
		case e.Test != "gains" || e.Skipped != "" || e.Component != "norms":
		case len(foreign) == 0 && e.LayerB < 0:
			return e.Statistic, 1 / math.Sqrt(float64(max(1, e.N))), true
		case len(foreign) > 0 && e.Tower == "main" && slices.Contains(found, e.LayerB):
			sum += e.Statistic
			n += e.N
			layers++
		}
	}
	if layers == 0 {
		return 0, 0, false
	}
	return sum / float64(layers), 1 / math.Sqrt(float64(max(1, n))), true
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

// exactFound tells whether the relation rests on an exact test.
func (f *Facts) exactFound(level similarity.LogP) bool {
	p, e := f.best(anyEvidence)
	return e != nil && p <= level
}
