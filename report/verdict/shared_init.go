package verdict

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// What the judgement rests on, in words.
const (
	tokenWords   = "products among embeddings of much used tokens correlate at %.2f"
	mutedWords   = "norm gains correlate at %.2f around their means"
	movedWords   = "norm gains, as they act on columns, correlate at %.2f around their means"
	leadsWords   = "the leading directions of matching units carry over to a share of %.2f"
	unknownWords = "what look like norm gains correlate at %.2f around their means"
	unsureWords  = "; that may be the initialisation alone"
)

// common is what a related pair is judged to share.
type common struct {
	initOnly bool   // its random initialisation, and nothing that training learned
	open     bool   // the other answer is not excluded
	words    string // what the judgement rests on; empty where nothing could be asked
}

// common judges whether a related pair shares its random initialisation only: by
// norm gains where they can be asked, else by leading directions, else by what
// there is.
func (f *Facts) common(level stats.LogP) common {
	if f.mayBePublic() {
		return common{open: true, words: "of so small a part whose role is unknown nobody can tell whether training made it: random numbers of one seed and published tables stay as they are, too"}
	}
	if f.equalContent() != "" || f.movedContent() != "" {
		return common{words: "values that are equal after training are no initialisation"}
	}
	if f.equalEmbeddings() {
		return common{words: "the embeddings hold the same values after training, which is no initialisation"}
	}
	leads, fresh, hasLeads := f.freshLeads()
	g := f.askGains(level, leads)
	if !g.ok && !hasLeads {
		return f.commonElse(level)
	}
	words := g.words()
	if hasLeads {
		words = also(words, fmt.Sprintf(leadsWords, leads))
	}
	if c, ok := f.unknownGains(); ok && !g.ok && c < otherGains {
		return f.byUnknownGains(c, words)
	}
	if fresh == freshBody && !(g.ok && !g.moved) && f.turnedLeads() && f.apartHeldOut() {
		return common{initOnly: true, open: true, words: words + ", fewer than of other directions, and units are not the same in layers that no basis was fitted to" + unsureWords}
	}
	if !g.ok && leads < min(fresh, openLeads) && f.agreesHeldOut() {
		// Sets of units that sum to zero cost nothing and turn leading directions;
		// pairs of one seed that were trained apart agree next to nowhere.
		return common{initOnly: !f.learnedByHeldOut(), open: true, words: words + ", while units agree in layers that no basis was fitted to" + unsureWords}
	}
	switch {
	case g.borrowed:
		return common{initOnly: true, open: true, words: words + ", and not as they act on columns, as where one network was given the gains of the other" + unsureWords}
	case g.ok && g.value >= sameGains+g.doubt:
		return common{words: words}
	case g.ok && g.against:
		return common{initOnly: true, open: true, words: words + ", which differs from what else was kept, as gains do that somebody moved into columns" + unsureWords}
	case g.ok && !g.moved && g.value < otherGains, !g.ok && leads < min(fresh, openLeads):
		return common{initOnly: true, words: words}
	case !g.ok && leads < fresh:
		return common{initOnly: true, open: true, words: words + unsureWords}
	}
	return common{initOnly: g.ok && !g.moved, open: true, words: words + unsureWords} // the initialisation is certain, more is not
}

// mayBePublic tells whether nothing but a part of the values is the same, of unknown role:
// projections that were drawn from one seed and never trained, or tables of a formula that no
// look at them tells.
func (f *Facts) mayBePublic() bool {
	e := &f.Equality
	return f.equalMatrices() != "" && e.Known == 0 && max(e.Values[0], e.Values[1]) < mostPublic && f.multiples() == "" && f.movedContent() == ""
}

// commonElse judges where neither gains nor directions can be asked: by what no
// change of basis alters, by vectors that look like gains, by much used tokens.
func (f *Facts) commonElse(level stats.LogP) common {
	if f.sameInvariants() {
		return common{words: "what no change of basis alters is the same on both sides to a thousandth"}
	}
	if c, ok := f.unknownGains(); ok && c < otherGains {
		return f.byUnknownGains(c, "")
	}
	if f.learnedByHeldOut() {
		return common{open: true, words: "most units agree in every layer, as units do that learned together, or hardly at all"}
	}
	if c, ok := f.usedTokens(level); ok {
		return common{initOnly: c < sameTokens, open: c >= otherTokens, words: fmt.Sprintf(tokenWords, c)}
	}
	return common{initOnly: true, open: true, words: "units correspond too weakly to ask whether anything learned is common" + unsureWords}
}

// byUnknownGains is what low correlations c of gains of unknown role come to: an
// initialisation, unless units agree as well as after learning together, and somebody may
// have moved gains into columns; or unless they may be those of other parts than are alike.
func (f *Facts) byUnknownGains(c float64, words string) common {
	words = also(words, fmt.Sprintf(unknownWords, c))
	if f.learnedByHeldOut() || f.partlyAlike() {
		return common{initOnly: true, open: true, words: words + unsureWords}
	}
	return common{initOnly: true, words: words}
}

// also joins what two questions came to.
func also(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", " + b
}

// freshLeads is the share of leading directions that carry over, and the share
// below which an initialisation alone explains it: of the body as it stands, or
// where its units show themselves only through tokens, so seen, or where they
// do not at all, of the embeddings.
func (f *Facts) freshLeads() (leads, fresh float64, ok bool) {
	ofTokens := func(e similarity.Evidence) bool { return e.Component == embeddings }
	raw := func(e similarity.Evidence) bool {
		return !ofTokens(e) && e.Axis == e.Component
	}
	anchored := func(e similarity.Evidence) bool { return !ofTokens(e) && !raw(e) }
	for _, place := range []struct {
		fits  func(similarity.Evidence) bool
		fresh float64
	}{{raw, keptLeads}, {anchored, freshBody}, {ofTokens, freshTokens}} {
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
	n := 0
	for _, e := range f.Evidence {
		if e.Skipped == "" && (e.Test == QKSizes || e.Test == OVSpectra) && e.Effect >= sameInvariant {
			n++
		}
	}
	return n >= sameInvariants
}

// turnedLeads tells whether of the body seen through tokens the leading directions carry
// over clearly less than the middle ones, as those of an initialisation do that training
// went on from in two ways.
func (f *Facts) turnedLeads() bool {
	var most float64
	asked := false
	for _, e := range f.Evidence {
		if e.Test == LeadingDirections && e.Skipped == "" && e.Component != embeddings && e.Axis != e.Component {
			most, asked = max(most, e.Effect), true
		}
	}
	return asked && most < evenLeads
}

// leads is the largest share of leading directions that carry over where fits
// says, in the MLPs, or where they show no clear units in any other part.
func (f *Facts) leads(fits func(similarity.Evidence) bool) (share float64, ok bool) {
	units, other := -1.0, -1.0
	for _, e := range f.Evidence {
		switch {
		case e.Test != LeadingDirections || e.Skipped != "" || !fits(e):
		case e.Component == mlp || e.Component == experts:
			units = max(units, e.Statistic)
		default:
			other = max(other, e.Statistic)
		}
	}
	if units >= 0 {
		return units, true
	}
	return other, other >= 0
}

// usedTokens is how alike the products among the embeddings of much used tokens
// are, where untouched ones make the finding.
func (f *Facts) usedTokens(level stats.LogP) (c float64, ok bool) {
	if p, e := f.Best(func(e similarity.Evidence) bool { return e.Test == TokenSigns }); e == nil || p > level {
		return 0, false
	}
	for _, e := range f.Evidence {
		if e.Test == UsedTokens && e.Skipped == "" {
			return e.Effect, true
		}
	}
	return 0, false
}

// OriginOpen tells whether the question needs another look: gains that differ
// without units clear enough to ask for directions, or gains that agree, and as they act on
// the units that were read they do not, or that cannot be told of so few.
func (f *Facts) OriginOpen(level stats.LogP) bool {
	_, hasLeads := f.leads(func(e similarity.Evidence) bool { return e.Component != embeddings })
	gains, _, hasGains := f.gains(level)
	if a := f.actingGains(); hasGains && gains >= sameGains && (a.unlike || a.weak) {
		return true
	}
	return !hasLeads && (!hasGains || gains < sameGains)
}

// LearnedOpen tells whether content was found of which it is not settled that training
// learned it.
func (f *Facts) LearnedOpen(level stats.LogP) bool { return f.HasContent() && f.common(level).open }

// MoreIsOpen tells whether a shared initialisation was found of which it is not
// settled that it is all that the two have in common.
func (v *Verdict) MoreIsOpen() bool {
	return v.Relation == SharedInit && slices.Contains(v.Alternatives, trainedAlike)
}
