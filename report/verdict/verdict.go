package verdict

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Relation is what the weights say about two subjects.
type Relation string

// The relations.
const (
	Identical    Relation = "identical"    // same values
	Reencoded    Relation = "reencoded"    // same values up to storage: renamed, resharded, cast, quantised
	Related      Relation = "related"      // common trained origin
	SharedInit   Relation = "shared-init"  // same random initialisation only
	NoEvidence   Relation = "no-evidence"  // nothing found where something would have been
	Inconclusive Relation = "inconclusive" // what was read cannot tell
)

// Relations lists them all.
func Relations() []Relation {
	return []Relation{Identical, Reencoded, Related, SharedInit, NoEvidence, Inconclusive}
}

// meets tells which found relations meet a claimed one.
var meets = map[Relation][]Relation{
	Identical:  {Identical},
	Reencoded:  {Reencoded, Identical},
	Related:    {Related, Reencoded, Identical},
	SharedInit: {SharedInit},
	NoEvidence: {NoEvidence},
}

// MetBy lists the relations that meet a claim of this one when they are found;
// none where it cannot be claimed.
func (r Relation) MetBy() []Relation { return slices.Clone(meets[r]) }

// Kind says how one subject was made from the other.
type Kind string

// The kinds, in the order in which reports list them.
const (
	Repackaged          Kind = "repackaged"
	CastKind            Kind = "cast"
	QuantisedKind       Kind = "quantised"
	FineTuned           Kind = "fine-tuned"
	ContinuedPretrained Kind = "continued-pretraining"
	LoRAMerged          Kind = "lora-merged"
	Adapter             Kind = "adapter"
	Pruned              Kind = "pruned"
	WidthPruned         Kind = "width-pruned"
	WidthExpanded       Kind = "width-expanded"
	LayerDropped        Kind = "layer-dropped"
	DepthUpscaled       Kind = "depth-upscaled"
	Merged              Kind = "merged"
	MoEUpcycled         Kind = "moe-upcycled"
	VocabularyChanged   Kind = "vocabulary-changed"
	Reparameterised     Kind = "reparameterised"
	Noised              Kind = "noised"
	Partial             Kind = "partial"
	EqualSoFar          Kind = "equal-so-far"
	Modified            Kind = "modified"
	Scaled              Kind = "scaled"
	Projected           Kind = "projected"
	LayersReordered     Kind = "layers-reordered"
	ExpertsReordered    Kind = "experts-reordered"
	HeadChanged         Kind = "head-changed"
)

// allKinds lists the kinds in the order in which reports list them.
var allKinds = []Kind{Repackaged, CastKind, QuantisedKind, FineTuned, ContinuedPretrained, LoRAMerged, Adapter, Pruned, WidthPruned, WidthExpanded, LayerDropped, DepthUpscaled, Merged, MoEUpcycled, VocabularyChanged, Reparameterised, Noised, Partial, EqualSoFar, Modified, Scaled, Projected, LayersReordered, ExpertsReordered, HeadChanged}

// Kinds lists them all, in the order of reports.
func Kinds() []Kind { return slices.Clone(allKinds) }

// Direction says which subject was made from the other, or both from a third.
// Weights alone never tell: every mark of a child can be put on or taken off. Only
// dates lead away from Undetermined.
type Direction string

// The directions.
const (
	AToB         Direction = "a-to-b"
	BToA         Direction = "b-to-a"
	Undetermined Direction = "undetermined"
)

// Words says what a direction means.
func (d Direction) Words() string {
	ends := map[Direction][2]string{AToB: {"A", "B"}, BToA: {"B", "A"}}[d]
	if ends[0] == "" {
		return string(d)
	}
	return fmt.Sprintf("%s: %s was made from %s, or both from a third; not %s from %s", d, ends[1], ends[0], ends[0], ends[1])
}

// Turned is the direction with the subjects exchanged.
func (d Direction) Turned() Direction {
	switch d {
	case AToB:
		return BToA
	case BToA:
		return AToB
	}
	return d
}

// Verdict is the conclusion, with what it rests on.
type Verdict struct {
	Relation     Relation  `json:"relation"`
	Kinds        []Kind    `json:"kinds"`
	Direction    Direction `json:"direction"`
	Tier         string    `json:"tier"`   // "exact", "calibrated", or "none" where nothing was found
	Log10P       *Number   `json:"log10P"` // the exact tier's bound over the whole comparison
	Score        Number    `json:"score"`  // LR/(1+LR) at even prior odds, LR capped by the control population
	Strength     string    `json:"strength"`
	Statement    string    `json:"statement"`      // the weight of the evidence in a sentence
	Lead         bool      `json:"lead,omitempty"` // of a screening: the sketches correspond, weights should be compared
	Because      []string  `json:"because"`
	Alternatives []string  `json:"alternatives"` // explanations that the evidence does not exclude
	Excludes     []string  `json:"excludes"`     // what would have been found
	Next         []string  `json:"next"`         // what would settle an open verdict
	Reading      *Reading  `json:"reading"`      // what marks suggest of who came first; null where they suggest nothing

	Precedence *Precedence `json:"precedence"` // which is known to have existed earlier; null without verified dates

	crossed bool    // one-way evidence pointed both ways
	open    bool    // shared-init and related were not told apart
	least   float64 // mean cosine from which undisguised descent would have been found
}

// Number is a float64 written with six significant digits, so that the last
// bits of a mathematical library never show.
type Number float64

// MarshalJSON writes a number; what is not finite cannot occur and is an
// error.
func (n Number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) || math.IsInf(float64(n), 0) {
		return nil, &strconv.NumError{Func: "MarshalJSON", Num: strconv.FormatFloat(float64(n), 'g', 6, 64), Err: strconv.ErrRange}
	}
	if n == 0 {
		return []byte("0"), nil
	}
	return strconv.AppendFloat(nil, float64(n), 'g', 6, 64), nil
}

// rounded is a number with as many digits as a report has.
func (n Number) rounded() float64 {
	x, _ := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', 6, 64), 64)
	return x
}

// NumberOf is a number that may be absent.
func NumberOf(x float64) *Number {
	n := Number(x)
	return &n
}

// strengths is the verbal scale of the ENFSI guideline for evaluative
// reporting (2015) for likelihood ratios above 1.
var strengths = []struct {
	above float64
	words string
}{
	{1e6, "extremely strong support"},
	{1e4, "very strong support"},
	{1e3, "strong support"},
	{1e2, "moderately strong support"},
	{10, "moderate support"},
	{2, "weak support"},
	{0, "no support"},
}

// strength puts a capped likelihood ratio into words.
func strength(lr float64) string {
	for _, s := range strengths {
		if lr > s.above {
			return s.words
		}
	}
	return strengths[len(strengths)-1].words
}

// Limited is the number of control pairs that share no network where it limits the
// likelihood ratio, and with it the words; 0 where it does not.
func (v *Verdict) Limited() int {
	limit := float64(Controls().Disjoint())
	score := v.Score.rounded()
	if v.Relation == Inconclusive || v.Relation == NoEvidence || score < Number(limit/(1+limit)).rounded() || score >= 1 {
		return 0
	}
	return int(math.Round(score / (1 - score)))
}

// Degree is one step of the verbal scale: likelihood ratios above From, up to To.
type Degree struct {
	From, To float64 // To is 0 for the highest, which has no end
	Words    string
	Here     bool // the case stands here
}

// Scale is the whole verbal scale from the lowest step to the highest, with the place of
// a verdict on it.
func (v Verdict) Scale() []Degree {
	out := make([]Degree, len(strengths))
	for i, s := range strengths {
		d := Degree{From: s.above, Words: s.words, Here: strings.HasPrefix(v.Strength, s.words)}
		if i > 0 {
			d.To = strengths[i-1].above
		}
		out[len(strengths)-1-i] = d
	}
	return out
}

// Side is the name of a subject: A for 0, B for 1.
func Side(i int) string { return string(rune('A' + i)) }
