package verdict

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Every number by which a verdict is drawn stands here with its source: theory,
// or a population of controls with the figure that it showed. No number was
// fitted to the pairs that the verdicts are tried on. docs/STATISTICS.md says
// more of each. A report states them all, under policy.

// PolicyVersion counts the rules and thresholds of verdicts: it rises whenever
// the same facts may give another verdict.
const PolicyVersion = 2

// PopulationVersion counts the populations of controls: it rises whenever another one
// is shipped.
const PopulationVersion = 3

// Levels of the exact tier.
const (
	// The level of a relation after all corrections. By decision: one false
	// accusation in 10⁹ comparisons, more than anybody makes. A caller may set it.
	defaultAlpha = 1e-9
	// Mean cosine of a hypothetical child that "no evidence" must have been able
	// to find. By decision: weaker likeness is stated not to be excluded. A caller
	// may set it.
	defaultCosine = 0.3
	// The probability with which it would have been found. Theory: the power of
	// the fixed-point test is computed for it.
	statedPower = 0.99
	// Natural logarithm of 1e-3: a corrected p below it is too small for "no
	// evidence". Theory: one stranger in a thousand is left open.
	doubtful = stats.LogP(-6.907755278982137)
	// The least logarithm of a probability that is stated. It is a bound: no
	// probability is zero, whatever a test computes.
	smallest = stats.LogP(-1e9)
	// Units that a part must have shown before nothing found there means
	// something. By decision: of fewer, a distant child may show too few that
	// correspond.
	MinComponentUnits = 64
)

// The weight of evidence.
const (
	// Likelihood ratio of "no evidence": a descendant would have been found with
	// the stated power, so that the findings are 100 times rarer for one.
	absentRatio = 0.01
	// Controls of about the size of a case that are needed before the others
	// are left aside. Theory: each network stands in four pairs, so that this is a
	// hundred pairs that share none, and the least conformal p is then 1/101.
	enoughControls = 400
)

// Calibrated tests, and carry. One rule: a result is a finding above three times the
// largest that the controls show which must not be found, and leaves the verdict open
// from twice on; beside that a finding has a floor. By decision: the room is for networks
// that are larger, or built otherwise, than the controls (controls.json).
const (
	// By decision: see above.
	findTimes = 3.0
	openTimes = 2.0
	// Least share of agreeing units that makes a finding.
	agreementFloor = 0.05
	// Units that must agree before their share means anything. By decision: a
	// share of few units may be luck.
	minAgreeing = 8
	// Floors and multiples of the invariants of heads, which make no finding but
	// leave a verdict open. By decision: the multiple of the largest control
	// decides; the floor holds where controls of a case's size show next to
	// nothing.
	phasesFloor  = 0.14
	phasesTimes  = 1.1
	sizesFloor   = 0.25
	sizesTimes   = 1.05
	spectraFloor = 0.25
	spectraTimes = 1.1
)

// Content: what no arrangement of an independent network reaches.
const (
	// Trained matrices that must be equal, or the share of all values that one
	// must hold. By decision: one small table may be public.
	equalMatrices = 2
	equalShare    = 0.1
	// Share of the values from which on words do not say how many; and from which on equal
	// matrices of unknown role are not asked whether they are tables or a seed's. By decision.
	mostValues, mostPublic = 0.9, 0.5
	// Values that must have been compared before no difference among them means
	// something. By decision: a matrix of 32 by 32.
	equalValues = 1024
	// Matrices, and values of more than half precision, that must be the same bit for bit
	// once units were put into one order. Theory: two trainings agree in the thirteen
	// further bits of one value by chance with probability 2⁻¹³.
	movedMatrices = 2
	movedValues   = 1024
	// Agreeing units for each residual dimension that free rows of an embedding
	// bring about in a stranger, at most: optimisers reach 3.0 to 3.7 in three
	// families (weightprint-bench arranged), a third more is room. A rotation of the
	// residual stream reaches 1.04.
	freePairs = 5.0
	// Standard deviations that a sample of such pairs may lie above its mean: one
	// sample in 10⁹ does.
	sampleMargin = 6.0
	// Units that must have been tested in held-out layers before nothing found there
	// means something: by decision. From a half on most units agree, or stand at their
	// places.
	heldOutUnits = 256
	mostUnits    = 0.5
	// Products among much used embeddings. Controls: strangers that share data and
	// tokenizer show 0.18 at most, pairs of one seed 0.33; twice that.
	tokenContent = 0.66
)

// Absence: what must hold before nothing found means something.
const (
	// Mean cosine from which a disguised copy is found, through tokens and without them.
	// Controls: copies of three families that were mixed with strangers and disguised;
	// at 0.6 nine of ten units agree through tokens, at 0.5 half of them; without tokens
	// all units agree from 0.7 on, and none at 0.6.
	keptByTokens = 0.6
	keptFree     = 0.7
	// Values in tensors of unknown role, as a share of the other side's, from which they
	// may hide a copy. By decision: a twentieth is less than a layer of most networks.
	unseenShare = 0.05
	// Share of units that can be told apart. By decision: duplicates and constants
	// beyond a tenth are not what training leaves.
	toldApart = 0.9
	// Invariants of heads, and products among much used embeddings, that leave a
	// verdict open however little else is alike. Theory: rounding and light training
	// leave those of a copy at 0.9 and above. Controls: the largest of 2,655
	// pairs of strangers shows 0.49 and 0.76; products among embeddings of strangers
	// 0.18, of pairs of one seed 0.33.
	openHeads  = 0.9
	openTokens = 0.5
)

// Whether more than the random initialisation is common. Controls: pairs that
// share only their seed; their gains correlate at no more than 0.33 around
// their means, and leading directions of MLPs carry over to a share that falls
// from 0.9 to 0.25 as training goes on. Descendants kept gains above 0.63 and
// directions above 0.54 through five times their training.
const (
	// Gains that correlate at more than sameGains, by a standard error, were
	// learned together; below otherGains they were not. Lengths of columns as gains act
	// on them correlate at 0.30 at most for pairs of one seed, descendants keep 0.44.
	sameGains  = 0.40
	otherGains = 0.35
	// The first where gains are asked as they act on columns. Controls: of 120
	// pairs of one seed the largest shows 0.19.
	actingGains = 0.25
	// What gains of one network correlate by, at the least, with those of the other as they
	// act on units, where they were learned together: in standard errors, and as it is.
	// Controls: training moves columns of large gains most, so that pairs of one seed show
	// less than nothing, -0.03 at most in two families; descendants 0.06 and more where
	// few units are read, 0.13 where all are.
	actingErrors = 2.0
	actingLeast  = 0.05
	// Vectors of unknown role that are taken for gains, at the least. Theory: the
	// standard error of a correlation of 64 is 0.125, under half of otherGains.
	unknownGains = 64
	// Without gains to ask, directions kept to this share were learned together.
	// Controls: of 240 lightly trained pairs of one seed the largest shows
	// 0.937; 0.97 is half as far from 1.
	keptLeads = 0.97
	// Below, and above this, nothing is settled. Controls: descendants keep 0.54.
	openLeads = 0.50
	// What only an initialisation leaves of the body's directions as seen through
	// tokens. Controls: pairs of one seed at most 0.32, descendants 0.40 at least,
	// in three families.
	freshBody = 0.35
	// Training turns leading directions more than middle ones, so that of what only an
	// initialisation has in common the leading ones carry over less. Controls: pairs of
	// one seed, trained for a short time, at most 0.905 of the middle ones in two
	// families, where descendants keep 0.97; 0.95 is half as far from 1.
	evenLeads = 0.95
	// Mean cosine of units in held-out layers from which directions that carry over less
	// are put down to units that were added. Controls: pairs of one seed whose directions
	// turned show 0.88 at most; 0.97 is as far from 1 as for directions.
	sameUnits = 0.97
	// And of the embeddings', which frequent tokens draw together.
	freshTokens = 0.60
	// Products among much used embeddings. Controls: pairs of one seed show at
	// most 0.33, descendants 0.58 and more.
	sameTokens  = 0.50
	otherTokens = 0.35
	// Invariants of heads that are the same up to rounding, and how many must be.
	// Theory: 16-bit rounding leaves 1 − 1e-5; networks that went apart after
	// their initialisation are not so alike, however lightly they were trained.
	sameInvariant  = 0.999
	sameInvariants = 2
)

// Whether the output rests on what agrees.
const (
	// The most that agreeing parts counted for in a network that carries passengers,
	// against parts at random. Controls: weightprint-bench carry and planted, on three
	// families; those of controls.json count where they show more.
	plantedCarry = 0.135
	// Share of the units of either side that must agree for that to speak for the
	// whole. By decision: rows of embeddings that no text uses make fewer agree in a
	// stranger.
	carryShare = 0.5
)

// Which parts are of common origin, and where from.
const (
	// Natural logarithms of a layer's own p: that it was found, that it shows no
	// sign, and that a tower or component shows some. Theory: 1e-13 is left of
	// a relation after correction for thousands of layers; 1e-4 is left of
	// chance in one of 100 networks of 80 layers; e⁻⁷ is 1e-3.
	layerFound   = -30
	layerForeign = -9
	partOpen     = -7
	// The same sign, by which a layer counts as paired rightly.
	LayerSign = -7
	// One in so many layers must be found before the others are called foreign:
	// by decision, so that a few lucky layers name no splice.
	foreignShare = 4
	// Values that a matrix must have before it counts as taken over unchanged,
	// and the share of its mean square that must be variance. Theory: constants,
	// identities and nearly empty matrices are equal in all networks.
	takenOverValues   = 256
	takenOverVariance = 0.01
	// Natural logarithm of a p by which embeddings count as found for the sake
	// of their vocabulary: 2e-9.
	embeddingsP = -20
	// Cosine of embeddings, and share of probed rows elsewhere, from which a
	// vocabulary counts as the same, and as shuffled: the half.
	sameVocabulary = 0.5
	shuffledRows   = 0.5
	// Share of effects from which MLP units stand at their places and value
	// channels do not, so that heads are paired anew. By decision: a second
	// pairing costs a look and is charged for.
	HeadsUnitsKept = 0.9
	HeadsValuesOff = 0.7
)

// How values differ. By decision unless stated; docs/STATISTICS.md, "How it was
// made", says how each is used.
const (
	// The cosine above which values in one role are taken to be those of one
	// unit, so that their differences mean something. Theory: that of strangers
	// scatters by 0.01 in a matrix of 10,000 values.
	Correspond = 0.2
	// Below it a change is called continued pre-training. The two shade into one
	// another, and the words beside the kind give the figure.
	longCosine = 0.9
	// Share of zeros that one side alone has, share of them that the other side
	// may have, and share of the rest that must be equal for pruning alone.
	prunedShare = 0.05
	prunedOther = 0.5
	prunedEqual = 0.9
	// Cosine from which a matrix is the other one multiplied by a number, and the
	// least distance of that number from 1. Theory: rounding to bfloat16 leaves a
	// cosine of 1 − 2e-6 and moves the number by less than 1e-4; to 8 bits 1 − 5e-5.
	scaledCosine = 0.9999
	scaledApart  = 0.002
	// Least side of a matrix whose spectrum is judged: fewer singular values make
	// no edge.
	spectrumSide = 16
	// Share of spectra that must agree on a kind.
	mostSpectra = 0.9
	// Largest noise by the smallest: noise is drawn in one scale, training is not.
	noiseSpread = 1.6
	// Lattice steps up to which quantising alone may have made a change. Theory:
	// rounding leaves 0.29, methods that make up for errors elsewhere more.
	offLattice = 0.75
	// Least difference without gains folded in, and share of it that folding may
	// leave, for gains that were moved.
	foldedLeast = 0.02
	foldedLeft  = 0.3
	// Share from which folding makes matrices clearly more alike, so that gains
	// as they stand say nothing.
	foldedClearly = 0.8
	// Cosine of queries and keys, or values and outputs, below which they were
	// turned, where everything around them is above turnedAround.
	turnedBelow  = 0.5
	turnedAround = 0.8
	// Median deviation of ln(‖up‖/‖gate‖) from which units were scaled, its
	// multiple of the other side's, and the balance that only a second scaling
	// makes. Theory: gradient descent conserves ‖up‖² − ‖down‖².
	scaledLeast   = 0.3
	scaledTimes   = 5
	scaledTrained = 0.005
	// Units that must match before their signs are judged, and the distance of
	// the share that agrees from a half below which they are those of a coin.
	// Theory: three standard errors of 64 coins are 0.19.
	flippedUnits = 64
	flippedShare = 0.2
)

// Recipes of merges and closed checks.
const (
	// Weight above which a parent takes part in a mixture. By decision: less is
	// hardly told apart from the errors of a fit.
	TakesPart = 0.02
	// Share of values that are exactly what a mixture rounds to above which the
	// child is the mixture, and not one of what was mixed. Theory: whoever mixed
	// the parents got these very values; read backwards, two roundings enter.
	Mixed = 0.9
	// Draws, as a power of two, that a party is thought able to try out where it
	// computes a draw alone.
	Tries = 64
)

// Rules says by which rules a verdict was drawn.
type Rules struct {
	Version    int               `json:"version"`
	Thresholds map[string]Number `json:"thresholds"` // every number of a decision, by name
}

// CurrentRules are those of this package.
func CurrentRules() Rules { return Rules{PolicyVersion, Thresholds()} }

// Thresholds lists every number of a decision by name, those of
// similarity/architecture with it. Logarithms are natural ones.
func Thresholds() map[string]Number {
	out := map[string]Number{
		"defaultAlpha": defaultAlpha, "defaultCosine": defaultCosine, "statedPower": statedPower,
		"doubtful": Number(doubtful), "smallest": Number(smallest), "minComponentUnits": MinComponentUnits,
		"absentRatio": absentRatio, "enoughControls": enoughControls,
		"agreementFloor": agreementFloor, "findTimes": findTimes, "openTimes": openTimes, "minAgreeing": minAgreeing,
		"phasesFloor": phasesFloor, "phasesTimes": phasesTimes, "sizesFloor": sizesFloor, "sizesTimes": sizesTimes, "spectraFloor": spectraFloor, "spectraTimes": spectraTimes,
		"equalMatrices": equalMatrices, "equalShare": equalShare, "equalValues": equalValues, "mostValues": mostValues, "mostPublic": mostPublic, "movedMatrices": movedMatrices, "movedValues": movedValues, "tokenContent": tokenContent, "freePairs": freePairs, "heldOutUnits": heldOutUnits, "mostUnits": mostUnits, "sampleMargin": sampleMargin, "toldApart": toldApart, "unseenShare": unseenShare,
		"keptByTokens": keptByTokens, "keptFree": keptFree,
		"openHeads": openHeads, "openTokens": openTokens,
		"sameGains": sameGains, "otherGains": otherGains, "actingGains": actingGains, "actingErrors": actingErrors, "actingLeast": actingLeast, "unknownGains": unknownGains,
		"keptLeads": keptLeads, "openLeads": openLeads, "freshBody": freshBody, "evenLeads": evenLeads, "sameUnits": sameUnits, "freshTokens": freshTokens,
		"sameTokens": sameTokens, "otherTokens": otherTokens, "sameInvariant": sameInvariant, "sameInvariants": sameInvariants,
		"plantedCarry": plantedCarry, "fullCarry": Number(fullCarry()), "idleCarry": Number(idleCarry()), "carryShare": carryShare,
		"layerFound": layerFound, "layerForeign": layerForeign, "partOpen": partOpen, "layerSign": LayerSign, "foreignShare": foreignShare,
		"takenOverValues": takenOverValues, "takenOverVariance": takenOverVariance, "embeddingsP": embeddingsP,
		"sameVocabulary": sameVocabulary, "shuffledRows": shuffledRows, "headsUnitsKept": HeadsUnitsKept, "headsValuesOff": HeadsValuesOff,
		"correspond": Correspond, "longCosine": longCosine, "scaledCosine": scaledCosine, "scaledApart": scaledApart, "prunedShare": prunedShare, "prunedOther": prunedOther, "prunedEqual": prunedEqual,
		"spectrumSide": spectrumSide, "mostSpectra": mostSpectra, "noiseSpread": noiseSpread, "offLattice": offLattice,
		"foldedLeast": foldedLeast, "foldedLeft": foldedLeft, "foldedClearly": foldedClearly, "turnedBelow": turnedBelow, "turnedAround": turnedAround,
		"scaledLeast": scaledLeast, "scaledTimes": scaledTimes, "scaledTrained": scaledTrained, "flippedUnits": flippedUnits, "flippedShare": flippedShare,
		"takesPart": TakesPart, "mixed": Mixed, "tries": Tries,
	}
	for name, x := range architecture.Thresholds() {
		out[name] = Number(x)
	}
	return out
}

// fractionBits are those of a number behind its leading one.
var fractionBits = map[tensor.DType]int{tensor.F16: 10, tensor.BF16: 7, tensor.F32: 23}
