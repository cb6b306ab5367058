package verdict

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Nothing is concluded from not finding something with a test that could not
// have seen it. "No evidence" is a claim of its own: it needs exact tests with
// power against undisguised descent, and a test with power against descent in
// disguise, and no sign of either.

// absent tells whether a common origin would have been found.
func (p Policy) absent(f *Facts, found Channels, logp stats.LogP) bool {
	seen := found.free || found.ran && f.TokensByString && f.Eligible >= toldApart
	return f.Power.Reached && seen && f.Unseen <= unseenShare && len(found.with) == 0 && logp > doubtful && f.alike() == nil && !f.movedLikeness() && f.Equality.Learned == 0
}

// openInvariants lists what leaves a verdict open however little else is alike.
var openInvariants = map[string]float64{QKSizes: openHeads, OVSpectra: openHeads, UsedTokens: openTokens}

// alike is an invariant that agrees so well that the verdict stays open whatever
// else was found.
func (f *Facts) alike() *similarity.Evidence {
	for i := range f.Evidence {
		e := &f.Evidence[i]
		if e.LayerB >= 0 || e.Skipped != "" {
			continue
		}
		if least, ok := openInvariants[e.Test]; ok && e.Effect >= least {
			return e
		}
	}
	return nil
}

// noEvidence says what was not found, what would have been, and what would not.
func (p Policy) noEvidence(v *Verdict, f *Facts, found Channels, logp stats.LogP) {
	v.Relation, v.least = NoEvidence, f.least(p.Cosine)
	v.Because = append(v.Because,
		fmt.Sprintf("nothing is more alike than independent networks are: no exact test rejects H0 (smallest corrected p %s), no invariant exceeds its controls", PValue(logp)),
		fmt.Sprintf("a child with mean cosine %g to its parent would have shown %.0f corresponding units of %d", p.Cosine, f.Power.Expected, f.Power.Units))
	if words := f.weakestWords(); words != "" {
		v.Because = append(v.Because, words)
	}
	v.Excludes = append(v.Excludes,
		fmt.Sprintf("undisguised descent with a mean cosine of %g or more: it would have been found with probability %g", v.least, statedPower))
	v.Excludes = append(v.Excludes, f.disguisedWords(found)...)
	v.Alternatives = append(v.Alternatives, behaviour, "other disguises, among them layers under other numbers than those that a program runs them by (looked for with --depth full --budget full), embeddings taken over alone with their vocabulary in another order, and descent whose likeness was trained away")
}

// matched tells whether a matrix of one side stands against one of the other.
func (f *Facts) matched() bool {
	return slices.ContainsFunc(f.Storage.Changes, func(c delta.Change) bool { return !c.Vector })
}

// openReasons says why a verdict is open, and what would settle it.
func (p Policy) openReasons(f *Facts, found Channels, logp stats.LogP) (because, next []string) {
	full := f.more()
	switch e := f.alike(); {
	case f.Equality.Learned > 0:
		return []string{"one trained matrix holds the same values on both sides: a part that was taken over, or a table that both took from a third; nothing else was found in common"}, []string{askOrigin}
	case f.movedLikeness():
		return []string{fmt.Sprintf("units that were put into one order have a mean cosine of %.3g, which no order of the units of unrelated networks reaches (%.3g): a common origin, or a task that determines the units of so small a network, to which two trainings come apart", f.putInOrder().Effect, f.putInOrder().Statistic)}, []string{askCheckpoint}
	case len(found.with) > 0 && found.with[0].Test == HeldOutAgreement:
		return []string{f.heldOutWords(found.with[0]), "that is more than strangers show and too little for a finding"}, []string{full}
	case len(found.with) > 0 && found.with[0].Test == Agreement:
		return []string{beside(found.with[0]), "that is more than strangers show, and no more than arranging a stranger can bring about in the units that were read"}, []string{full, drawUnits}
	case len(found.with) > 0:
		return []string{beside(found.with[0]), "such a result makes no finding: these invariants follow architecture and recipe as well as origin"}, []string{full}
	case e != nil:
		return []string{fmt.Sprintf("%s of %s is %.3g: so good an agreement of what no change of basis alters leaves the verdict open", e.Test, e.Axis, e.Effect)}, []string{full}
	case f.Power.Axes == 0 && f.matched():
		if f.Storage.Complete {
			full = tooFewUnits
		}
		return []string{"no units of the two could be compared: parts have a common role and shape, but nothing shows which of their rows are hidden units, or too few of these can be told apart"}, []string{full}
	case f.Power.Axes == 0 && !f.Storage.Complete:
		return []string{"no units of the two could be compared: the budget does not hold enough of them, or no part has a common role and shape"}, []string{full, findParts}
	case f.Power.Axes == 0:
		return []string{"no units of the two could be compared: no part has a common role and shape"}, []string{findParts}
	case !f.Power.Reached && f.Storage.Complete:
		return []string{"everything was read, and it shows too few units, or units too much alike, to find a distant relative"}, []string{tooFewUnits}
	case !f.Power.Reached:
		return []string{"too few units were compared to find a distant relative"}, []string{full}
	case logp <= doubtful:
		return []string{"an exact test comes to a corrected p below 1e-3, which is neither a finding nor nothing"}, []string{full}
	case f.blind() && f.Short:
		return []string{"no exact test finds a common origin; but the budget does not hold two whole layers, so that a copy with permuted or rotated units would not have been found"}, []string{full}
	case f.blind() && f.putInOrder() != nil:
		return []string{"no exact test finds a common origin, and units that were put into one order are no more alike than choosing an order makes strangers; a copy whose units were rotated or changed too much would not have been found"}, []string{unseenThrough}
	case f.blind():
		return []string{"no exact test finds a common origin; but the roles of these matrices are unknown, the layers of the two are of different kinds, or no units are seen through two of them, so that a copy with permuted or rotated units would not have been found"}, []string{unseenThrough}
	case !found.ran && !found.free:
		return []string{"no test that sees through a disguise was run"}, []string{runCalibrated}
	case !f.TokensByString:
		return []string{"no test finds a common origin; but the tokens of the two could not be paired by their strings, so that a disguised copy with its vocabulary in another order would not have been found"}, []string{addTokenizers}
	case f.Unseen > unseenShare:
		return []string{fmt.Sprintf("no test finds a common origin in the parts that the two have in common; but %.2g times as many values as the other side has stand in tensors of unknown role or in parts without a counterpart, where a copy may be", f.Unseen)}, []string{findParts}
	case f.Eligible < toldApart:
		return []string{fmt.Sprintf("no test finds a common origin; but only %.0f %% of the units of one side can be told apart: duplicates hide from these tests", 100*f.Eligible)}, []string{askDuplicates}
	}
	return []string{"the tests that were run do not settle it"}, []string{full}
}

// disguises that tests which see through them would have found, and those that only
// tests without tokens would have.
const (
	disguises     = "permuted, flipped or scaled units and heads, a permuted or rotated residual stream, moved norm weights, mixed value channels, a vocabulary in another order"
	freeDisguises = "other token strings, other embeddings, longer heads, idle, split or cancelling units"
)

// disguisedWords says which likeness would have been found under which disguises.
func (f *Facts) disguisedWords(found Channels) (out []string) {
	say := func(cosine float64, of string) {
		out = append(out, fmt.Sprintf("descent with a mean cosine of %g or more under %s, singly and combined", cosine, of))
	}
	switch byTokens := found.ran && f.TokensByString && f.Eligible >= toldApart; {
	case byTokens:
		say(keptByTokens, disguises)
		if found.free {
			say(keptFree, freeDisguises)
		}
	case found.free:
		say(keptFree, disguises+", "+freeDisguises)
	}
	return out
}
