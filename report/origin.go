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
	sameGains   = 0.40 // gains that correlate at more than this, by a standard error, were learned together
	otherGains  = 0.35
	keptLeads   = 0.93 // where gains were moved into matrices, directions kept to this share were learned together
	freshBody   = 0.45 // without gains to ask: what only an initialisation leaves of the body's directions,
	freshTokens = 0.60 // and of the embeddings', which frequent tokens draw together
	mutedWords  = "norm gains correlate at %.2f around their means"
	leadsWords  = "the leading directions of matching units carry over to a share of %.2f"
	unsureWords = "; this does not settle whether more than the initialisation is common"
)

// sharedInit judges whether a related pair shares its random initialisation
// only, and says in words what that rests on; the words are empty where
// nothing could be asked.
func (f *Facts) sharedInit(level similarity.LogP) (shared bool, words string) {
	leads, hasLeads := f.leads("")
	fresh := freshBody
	if !hasLeads {
		leads, hasLeads = f.leads("embeddings")
		fresh = freshTokens
	}
	gains, doubt, hasGains := f.gains(level)
	if s := f.Shape.Rescaled; hasGains && (f.gainsMoved() || s[0] || s[1]) {
		hasGains, fresh = false, keptLeads
	}
	switch {
	case hasGains && hasLeads:
		words = fmt.Sprintf(mutedWords+", "+leadsWords, gains, leads)
	case hasGains:
		words = fmt.Sprintf(mutedWords, gains)
	case hasLeads:
		words = fmt.Sprintf(leadsWords, leads)
	case f.sameInvariants():
		return false, "what no change of basis alters is the same on both sides to a thousandth"
	case f.exactFound(level):
		return true, "units correspond too weakly to ask whether anything learned is common" + unsureWords
	default:
		return false, ""
	}
	switch {
	case hasGains && gains >= sameGains+doubt:
		return false, words
	case hasGains && gains < otherGains, !hasGains && leads < fresh:
		return true, words
	}
	return hasGains, words + unsureWords // the initialisation is certain, more is not
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

// leads is the largest share of leading directions that carry over in one
// component; without a name, in the MLPs, or where they show no clear units in
// any other part of the body.
func (f *Facts) leads(component string) (share float64, ok bool) {
	mlp, other := -1.0, -1.0
	for _, e := range f.Evidence {
		switch {
		case e.Test != "leading-directions" || e.Skipped != "":
		case component == "" && (e.Component == "mlp" || e.Component == "experts"):
			mlp = max(mlp, e.Statistic)
		case e.Component == component || component == "" && e.Component != "embeddings":
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
		case e.Test != "gains" || e.Skipped != "":
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

// originOpen tells whether the question needs another look: gains that differ
// without units clear enough to ask for directions.
func (f *Facts) originOpen(level similarity.LogP) bool {
	_, hasLeads := f.leads("")
	gains, _, hasGains := f.gains(level)
	return !hasLeads && (!hasGains || gains < sameGains)
}

// exactFound tells whether the relation rests on an exact test.
func (f *Facts) exactFound(level similarity.LogP) bool {
	p, e := f.best(anyEvidence)
	return e != nil && p <= level
}
