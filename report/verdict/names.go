package verdict

import (
	"slices"

	"github.com/weightprint/weightprint/similarity"
)

// The names of the tests, as the packages of tests state them. Rules and
// renderers go by these constants; a test of package report holds them against
// what the suite gives.
const (
	FixedPoints       = "fixed-points"
	Order             = "order"
	Signs             = "signs"
	Swaps             = "swaps"
	TokenSigns        = "token-signs"
	Agreement         = "agreement"
	Likeness          = "likeness"
	QKPhases          = "qk-phases"
	QKSizes           = "qk-sizes"
	OVSpectra         = "ov-spectra"
	TokenGram         = "token-gram"
	UsedTokens        = "token-gram-used"
	LeadingDirections = "leading-directions"
	ActingGains       = "acting-gains"
	Gains             = "gains"
	LabelE            = "label-e"
	HeldOutAgreement  = "held-out-agreement"
	HeldOutCosine     = "held-out-cosine"
)

// CarryWeight names, among the controls, how many times as much as parts at random the
// agreeing ones count for, on the side where that is less (package similarity/carry).
const CarryWeight = "carry-weight"

// TestNames lists the results of a comparison of weights.
func TestNames() []string {
	return []string{FixedPoints, Order, Signs, Swaps, TokenSigns, Agreement, Likeness, QKPhases, QKSizes, OVSpectra, TokenGram, UsedTokens, LeadingDirections, ActingGains, Gains, LabelE, HeldOutAgreement, HeldOutCosine}
}

// The names of the tests on fingerprints; TokenSigns is one of them too.
const (
	SketchFixedPoints         = "sketch-fixed-points"
	SketchResidualFixedPoints = "sketch-residual-fixed-points"
	ProbeOrder                = "probe-order"
	ProbeSigns                = "probe-signs"
	ProbeAgreement            = "probe-agreement"
)

// SketchTestNames lists the results of a comparison of fingerprints.
func SketchTestNames() []string {
	return []string{SketchFixedPoints, SketchResidualFixedPoints, TokenSigns, ProbeOrder, ProbeSigns, ProbeAgreement}
}

// The components of a network, as evidence names them.
const (
	embeddings = "embeddings"
	attention  = "attention"
	mlp        = "mlp"
	experts    = "experts"
	norms      = "norms"
	generic    = "generic" // matrices of unknown role
	everywhere = "all"     // of results that were not split
)

// body names the components that fine-tuning moves.
var body = []string{mlp, attention, experts, generic}

// ofBody tells whether a component is one that fine-tuning moves.
func ofBody(component string) bool { return slices.Contains(body, component) }

// normsByValue is the axis of gains that were paired by their values.
const normsByValue = "norms by value"

// unknownVectors is the axis of gains of unknown role where fewer of them are the same.
const unknownVectors = "unknown vectors"

// mainTower is the tower that layers and kinds are judged by.
const mainTower = "main"

// rawAgreement is the axis of agreement in the coordinates that the files have.
const rawAgreement = mlp + " (raw)"

// ThroughTokens tells whether a result is that of units of all layers which find the same
// partner through two views, as the tokens of both see them.
func ThroughTokens(e similarity.Evidence) bool {
	return e.Test == Agreement && e.Axis == anchoredAxis(mlp)
}

// anchoredAxis is the axis of a component in coordinates of tokens.
func anchoredAxis(component string) string { return component + " (anchored)" }

// relabelledAxis is the axis of a component whose units were put into the order of
// the other side's before they were looked at.
func relabelledAxis(component string) string { return component + Relabelled }

// Relabelled ends the axes of what was measured after that.
const Relabelled = " (relabelled)"
