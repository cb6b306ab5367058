package adversary

import "math/rand/v2"

// Arrangement makes of an own, independent network one that looks like the victim's.
type Arrangement struct {
	Name  string
	Apply func(r *rand.Rand, own, victim *Decoder) *Decoder
	Off   float64 // how far the scores of the own tokens may move, relative to their size
	Moved bool    // the strings of the tokens are moved, and scores move with them
}

// exact is what rounding to float32 may change.
const exact = 1e-4

// Arrangements lists the arrangements: moves alone, some of them aimed at one
// statistic.
var Arrangements = []Arrangement{
	{"units paired by gate rows", func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		arranger{d, victim}.units(true)
		return d
	}, exact, false},
	{"units, signs, heads, value channels, rotary planes paired", func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		d := own.Clone()
		labels(arranger{d, victim})
		return d
	}, exact, false},
	{"and residual dimensions permuted and flipped", func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		const turns = 4
		d := own.Clone()
		a := arranger{d, victim}
		for range turns {
			a.stream()
			labels(a)
		}
		return d
	}, exact, false},
	{"residual stream rotated (all matrices), all paired, gains copied", func(_ *rand.Rand, own, victim *Decoder) *Decoder {
		return everything(own, victim)
	}, exact, false},
	{"the same, then units and heads shuffled", func(r *rand.Rand, own, victim *Decoder) *Decoder {
		d := everything(own, victim)
		d.shuffle(r)
		return d
	}, exact, false},
	{"the same and eight idle units a layer", func(r *rand.Rand, own, victim *Decoder) *Decoder {
		return addUnits(8, 1e-6)(r, everything(own, victim))
	}, exact, false},
	{"rotation aimed at chosen pairs of one layer, units paired, gains copied", aimed(middle, 0.5, pairAgain), exact, false},
	{"rotation aimed at chosen pairs of all layers, units paired, gains copied", aimed(allLayers, 0.75, pairAgain), exact, false},
	{"rotation aimed at chosen pairs of all layers, shuffled, gains copied", aimed(allLayers, 0.75, shuffleAfter), exact, false},
	{"optimiser of raw agreement: aimed, climbed, units paired, gains copied", climbed(pairAgain), exact, false},
	{"optimiser of raw agreement: aimed, climbed, shuffled, gains copied", climbed(shuffleAfter), exact, false},
	{"optimiser of agreement on tokens: strings moved", func(_ *rand.Rand, own, victim *Decoder) *Decoder { return relabelUnits(own, victim) }, exact, true},
	{"optimiser of token products: strings moved", func(_ *rand.Rand, own, victim *Decoder) *Decoder { return relabelGram(own, victim) }, exact, true},
	{"optimiser of agreement on tokens: strings on idle rows", func(_ *rand.Rand, own, victim *Decoder) *Decoder { return plantStrings(own, victim) }, exact, false},
	{"optimiser of token products and agreement: strings on idle rows, rotated", func(_ *rand.Rand, own, victim *Decoder) *Decoder { return plantRotated(own, victim) }, exact, false},
	{"optimiser of head sizes: heads ordered by what no move alters", func(_ *rand.Rand, own, victim *Decoder) *Decoder { return orderHeads(own, victim) }, exact, false},
}

// labels pairs units, heads, channels and planes in raw coordinates.
func labels(a arranger) {
	a.units(false)
	a.rawHeads()
	a.channels()
	a.planes()
}

// middle and allLayers say which layers a rotation is aimed at.
func middle(layers int) []int { return []int{layers / 2} }

func allLayers(layers int) []int {
	if layers == 1 {
		return []int{0}
	}
	return span(1, layers-1)
}

func pairAgain(_ *rand.Rand, a arranger) { a.units(false) }

func shuffleAfter(r *rand.Rand, a arranger) { a.own.shuffle(r) }

// aimed rotates the residual stream so that chosen pairs, as many in all as part of
// its dimensions, come together.
func aimed(layers func(int) []int, part float64, after func(*rand.Rand, arranger)) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(r *rand.Rand, own, victim *Decoder) *Decoder {
		a := arranger{own.folded(), victim.folded()}
		a.own.turn(rotationAt(a.own, a.victim, layers(len(own.Blocks)), int(part*float64(own.Hidden()))))
		after(r, a)
		a.own.wear(victim)
		return a.own
	}
}

func climbed(after func(*rand.Rand, arranger)) func(*rand.Rand, *Decoder, *Decoder) *Decoder {
	return func(r *rand.Rand, own, victim *Decoder) *Decoder {
		a := arranger{own.folded(), victim.folded()}
		start := rotationAt(a.own, a.victim, allLayers(len(own.Blocks)), int(0.75*float64(own.Hidden())))
		best, _ := climb(viewsOfAll(a.own, a.victim, nil, nil), start, own.Hidden(), bring)
		a.own.turn(best)
		after(r, a)
		a.own.wear(victim)
		return a.own
	}
}

// orderHeads orders heads so that their signatures lie near the victim's.
func orderHeads(own, victim *Decoder) *Decoder {
	d, o, v := own.Clone(), own.folded(), victim.folded()
	arranger{d, v}.heads(func(l, i, j int) (score float64) {
		x, y := o.headSignature(o.Blocks[l], i), v.headSignature(v.Blocks[l], j)
		for k := range x {
			score -= square(x[k] - y[k])
		}
		return score
	})
	return d
}

// Plants lists the passengers.
var Plants = []Arrangement{
	{"96 of 256 units behind, idle", plantUnits(96, 0, false, false), exact, false},
	{"96 of 256 units in front, nearly idle", plantUnits(96, 1e-6, true, false), exact, false},
	{"96 of 256 units anywhere, nearly idle", plantUnits(96, 1e-6, false, true), exact, false},
	{"all units in front, nearly idle", plantUnits(0, 1e-6, true, false), exact, false},
	{"96 of 256 units in sets that sum to zero at full norm", plantSets(96), exact, false},
	{"all heads in front, nearly idle", plantHeads(1e-6), exact, false},
	{"a layer that writes nothing", plantLayer(1e-6), exact, false},
	{"tokens that no text uses", plantTokens, exact, false},
	{"the whole network in dimensions of its own", side(0.03, false), 0.02, false},
	{"the whole network in dimensions of its own, rotated", side(0.03, true), 0.02, false},
	{"the whole network in dimensions of its own, tiny", side(0.001, false), 0.01, false},
}

// Tongues lists passengers that tokens of their own set to work.
var Tongues = []Arrangement{
	{"the whole network, spoken to in tokens of its own", tongues, 0.02, false},
}

// Forgery makes of a published network one that looks like its ancestor.
type Forgery struct {
	Name    string
	Publish func(*rand.Rand, *Decoder) *Decoder // what the victim does before publishing, nil for nothing
	Apply   func(*rand.Rand, *Decoder) *Decoder
	Off     float64
}

// Forgeries lists them.
var Forgeries = []Forgery{
	{"eight idle units a layer", nil, addUnits(8, 1e-5), exact},
	{"four opposite pairs of units a layer", nil, addOpposites(4), exact},
	{"units split in proportion", nil, split(0.05, 0.3, 0), exact},
	{"units split apart", nil, split(0.05, 0.5, 3), exact},
	{"an idle key-value head", nil, addHeads(1e-5), exact},
	{"an idle layer", nil, addLayer(1e-5), exact},
	{"a layer for further tokens that is not run", nil, addBeyond, exact},
	{"idle residual dimensions, rotated", nil, widen(0.33, 0), exact},
	{"dither below half a step of bfloat16", halved, dither, 0.02},
	{"dither below half a step of four bits", fourBits, ditherFour, 0.8},
	{"zeros of a 2:4 pruned network filled", pruned24, fillZeros, 0.4},
	{"gains folded", nil, gainsFolded, exact},
	{"gains doubled", nil, gainsDoubled, exact},
	{"gains drawn and moved out of columns", nil, gainsDrawn, exact},
	{"folded network given drawn gains", gainsFolded, gainsDrawn, exact},
	{"folded network given gains after its columns", gainsFolded, gainsFromColumns, exact},
	{"embedding rows added", nil, addTokens(16), exact},
}

// Evasion disguises a copy.
type Evasion struct {
	Name  string
	Apply func(*rand.Rand, *Decoder) *Decoder
	Off   float64 // 0 where the function is not kept
}

// Evasions lists them. A copy that keeps the order of its tokens is compared score
// by score; where the order is hidden only the code says what was moved.
var Evasions = []Evasion{
	{"all moves", scrambled, exact},
	{"all moves, vocabulary shuffled, strings kept", then(scrambled, shuffled(kept)), exact},
	{"all moves, vocabulary shuffled, strings lost", then(scrambled, shuffled(lost)), exact},
	{"all moves, vocabulary shuffled, strings renamed", then(scrambled, shuffled(renamed)), exact},
	{"vocabulary shuffled, strings renamed", shuffled(renamed), exact},
	{"heads twice as long, all moves, vocabulary shuffled", then(headWiden(2, 2e-3), scrambled, shuffled(lost)), 0.05},
	{"units split, all moves", then(split(1, 0.5, 3), scrambled), exact},
	{"units split with noise, all moves, heads twice as long", then(splitNoisy(1, 0.5, 3, 0.005), scrambled, headWiden(2, 2e-3)), 0.2},
	{"residual stream wider, all moves", then(widen(0.33, 0), scrambled), exact},
	{"idle residual directions read three times as much as the others, all moves, vocabulary shuffled", hidden(widen(0.33, 3)), exact},
	{"as many idle residual directions read eight times as much, all moves, vocabulary shuffled", hidden(widen(1, 8)), exact},
	{"noise where no text looks, all moves, vocabulary shuffled", then(quiet(0.2), scrambled, shuffled(lost)), 0.8},
	{"all moves, embeddings foreign", then(scrambled, foreignEmbeddings), 0},
	{"sets of two that cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, padding.twos)), exact},
	{"sets of three that cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, padding.threes)), exact},
	{"sets of four that cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, padding.fours)), exact},
	{"sets of four that cancel, three times as many as units, all moves, vocabulary shuffled", hidden(padded(3, padding.fours)), exact},
	{"sets of six that cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, padding.sixes)), exact},
	{"sets of eight that cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, padding.eights)), exact},
	{"sets of four that nearly cancel, as many as units, all moves, vocabulary shuffled", hidden(padded(1, noisy(padding.fours, 0.05))), 0.3},
	{"pairs that nearly cancel without parallel gates, twice as many as units, all moves, vocabulary shuffled", hidden(padded(2, mild(0.02))), 0.2},
	{"pairs that nearly cancel without parallel gates, three times as many as units, all moves, vocabulary shuffled", hidden(padded(3, mild(0.02))), 0.2},
	{"every second gate turned round, all moves, vocabulary shuffled", hidden(turnGates), exact},
	{"units halved between opposite gates, all moves, vocabulary shuffled", hidden(halveGates), exact},
}

// hidden disguises what a change made: all moves, and a vocabulary without strings.
func hidden(change func(*rand.Rand, *Decoder) *Decoder) func(*rand.Rand, *Decoder) *Decoder {
	return then(change, scrambled, shuffled(lost))
}
