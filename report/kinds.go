package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
)

// finding is one kind that the facts show, with the words for it and the
// direction it proves.
type finding struct {
	kind      Kind
	words     string
	direction Direction
}

// kindRules are asked in turn; each looks at the facts of a related pair on
// its own.
var kindRules = []func(*Facts, similarity.LogP) []finding{
	adapterApplied, layersChanged, widthChanged, expertsAdded, vocabularyChanged, sameFunction, valuesChanged, storedQuantised, inDisguise, inPart,
}

// made lists how a related pair was made from one another.
func (p Policy) made(f *Facts) (out []finding) {
	for _, rule := range kindRules {
		for _, x := range rule(f, p.level()) {
			if !slices.ContainsFunc(out, func(y finding) bool { return y.kind == x.kind }) {
				out = append(out, x)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return cmp.Compare(a.kind.order(), b.kind.order()) })
	return out
}

// adapterApplied says where a subject is a base with an adapter on it.
func adapterApplied(f *Facts, _ similarity.LogP) (out []finding) {
	for i, words := range f.Adapter {
		if words != "" {
			out = append(out, finding{Adapter, side(i) + " has " + words, Undetermined})
		}
	}
	return out
}

// towards is the direction from the larger to the smaller number, or the
// reverse.
func towards(n [2]int, smaller bool) Direction {
	if n[0] > n[1] == smaller {
		return AToB
	}
	return BToA
}

// layersChanged compares numbers of layers under the layer map.
func layersChanged(f *Facts, _ similarity.LogP) []finding {
	s := &f.Shape
	if s.Layers[0] == s.Layers[1] || len(s.Sources) == 0 {
		return nil
	}
	known, repeated := 0, 0
	seen := map[int]bool{}
	for _, a := range s.Sources {
		if a < 0 {
			continue
		}
		known++
		if seen[a] {
			repeated++
		}
		seen[a] = true
	}
	if known*2 < min(s.Layers[0], s.Layers[1]) {
		return nil
	}
	if s.Layers[1] < s.Layers[0] {
		d := Undetermined
		if known == s.Layers[1] {
			d = AToB
		}
		// B's layers each have a source: whichever side is the longer one,
		// its further layers were dropped, unless they repeat others.
		if f.Repeats {
			return []finding{{DepthUpscaled, fmt.Sprintf("A repeats layers of B: %d layers against %d", s.Layers[0], s.Layers[1]), BToA}}
		}
		return []finding{{LayerDropped, fmt.Sprintf("%d of A's %d layers are found in B, in the map %v", len(seen), s.Layers[0], s.Sources), d}}
	}
	if repeated > 0 {
		return []finding{{DepthUpscaled, fmt.Sprintf("layers of A stand in B more than once, in the map %v", s.Sources), AToB}}
	}
	return []finding{{LayerDropped, fmt.Sprintf("%d of B's %d layers are found in A, in the map %v", len(seen), s.Layers[1], s.Sources), BToA}}
}

// widthChanged compares widths.
func widthChanged(f *Facts, _ similarity.LogP) (out []finding) {
	for _, x := range []struct {
		what string
		n    [2]int
	}{{"MLP units", f.Shape.Width}, {"residual dimensions", f.Shape.Hidden}, {"key-value heads", f.Shape.KVHeads}} {
		if x.n[0] != x.n[1] && x.n[0] > 0 && x.n[1] > 0 {
			out = append(out, finding{WidthPruned, fmt.Sprintf("%d %s against %d", x.n[0], x.what, x.n[1]), towards(x.n, true)})
		}
	}
	return out
}

// expertsAdded finds a dense MLP behind several experts.
func expertsAdded(f *Facts, level similarity.LogP) []finding {
	n := f.Shape.Experts
	if n[0] == n[1] || min(n[0], n[1]) != 1 {
		return nil
	}
	p, e := f.best(func(e similarity.Evidence) bool { return e.Component == "experts" })
	if e == nil || p > level {
		return nil
	}
	return []finding{{MoEUpcycled, fmt.Sprintf("several of %d experts on one side come from the one MLP of the other", max(n[0], n[1])), towards(n, false)}}
}

// vocabularyChanged compares the rows of the embeddings.
func vocabularyChanged(f *Facts, _ similarity.LogP) []finding {
	s := &f.Shape
	switch {
	case s.Vocabulary[0] != s.Vocabulary[1] && s.Vocabulary[0] > 0 && s.Vocabulary[1] > 0:
		d := Undetermined
		if f.componentCosine("embeddings") > 0.5 || f.embeddingsFound() {
			d = towards(s.Vocabulary, false) // rows were added after those both have
		}
		return []finding{{VocabularyChanged, fmt.Sprintf("%d vocabulary rows against %d", s.Vocabulary[0], s.Vocabulary[1]), d}}
	case s.Shuffled > 0.5:
		return []finding{{VocabularyChanged, fmt.Sprintf("%.0f %% of the vocabulary rows of B stand at other rows of A", 100*s.Shuffled), Undetermined}}
	}
	return nil
}

func (f *Facts) embeddingsFound() bool {
	p, e := f.best(func(e similarity.Evidence) bool { return e.Component == "embeddings" })
	return e != nil && p < -20
}

// sameFunction finds changes of basis inside single matrices that leave the
// function as it is: gains moved into the matrices behind them, heads in
// another order, and values or queries turned inside their heads.
func sameFunction(f *Facts, _ similarity.LogP) []finding {
	folded, plain := f.folded()
	if folded.N > 0 && plain.Apart() > 0.02 && folded.Apart() < 0.3*plain.Apart() {
		d := Undetermined
		if g := f.Shape.FlatGains; g[0] != g[1] {
			d = AToB
			if g[0] {
				d = BToA
			}
		}
		return []finding{{Reparameterised, fmt.Sprintf("with norm gains folded in the values differ by %.2g of their size, without by %.2g: gains were moved into matrices", folded.Apart(), plain.Apart()), d}}
	}
	if f.Shape.HeadsMoved {
		return []finding{{Reparameterised, "attention heads stand in another order", Undetermined}}
	}
	qk, vo, mlp := f.roleCosine(".attn.q", ".attn.k"), f.roleCosine(".attn.v", ".attn.o"), f.componentCosine("mlp", "experts")
	if mlp > 0.8 && min(qk, vo) < 0.5 && max(qk, vo) > 0.8 {
		what := "queries and keys"
		if vo < qk {
			what = "values and outputs"
		}
		return []finding{{Reparameterised, fmt.Sprintf("%s differ (cosine %.2f) where everything around them is alike (%.2f): they were turned inside their heads, or trained anew", what, min(qk, vo), max(qk, vo)), Undetermined}}
	}
	return nil
}

// folded sums up how the body differs with norm gains folded into the matrices
// behind them, and how the same matrices differ as they are.
func (f *Facts) folded() (folded delta.Folded, plain delta.Stats) {
	for i := range f.Storage.Changes {
		if c := &f.Storage.Changes[i]; c.Folded.N > 0 && slices.Contains(body, c.Component) {
			folded.Merge(&c.Folded)
			plain.Merge(&c.Stats)
		}
	}
	return folded, plain
}

// gainsMoved tells whether matrices are clearly more alike with the gains than
// without: somebody moved gains into them or out of them, so the gains as they
// stand say nothing about training.
func (f *Facts) gainsMoved() bool {
	const clearly = 0.8
	folded, plain := f.folded()
	return folded.N > 0 && folded.Apart() < clearly*plain.Apart()
}

// roleCosine is the mean cosine of the values whose role ends so.
func (f *Facts) roleCosine(ends ...string) float64 {
	var s delta.Stats
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		for _, e := range ends {
			if strings.HasSuffix(c.Role, e) {
				s.Merge(&c.Stats)
			}
		}
	}
	return s.Cosine()
}

// componentCosine is the mean cosine of the values of a component, 0 if none
// was compared.
func (f *Facts) componentCosine(names ...string) float64 {
	var s delta.Stats
	for i := range f.Storage.Changes {
		if c := &f.Storage.Changes[i]; slices.Contains(names, c.Component) {
			s.Merge(&c.Stats)
		}
	}
	return s.Cosine()
}

// body names the components that fine-tuning moves.
var body = []string{"mlp", "attention", "experts", "generic"}

// valuesChanged looks at how values differ where roles and shapes are the
// same.
func valuesChanged(f *Facts, level similarity.LogP) []finding {
	if f.inDisguise(level) || sameFunction(f, level) != nil {
		return nil // values in one role are not those of one unit
	}
	var all delta.Stats
	different, foreign, norms := 0, 0, 0
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); st != delta.Different {
			continue
		}
		switch {
		case !slices.Contains(body, c.Component):
			norms++
		case c.Stats.Cosine() > 0.2:
			all.Merge(&c.Stats)
			different++
		default:
			foreign++
		}
	}
	if different == 0 {
		if norms > 0 && foreign == 0 && len(f.Storage.Shapes) == 0 && f.Shape.Shuffled < 0.5 {
			return []finding{{FineTuned, "the body is unchanged, norms or embeddings differ", Undetermined}}
		}
		return nil
	}
	if x := onLattice(&all); x != nil {
		return x
	}
	for _, x := range [][]finding{coarse(f), masked(&all, f), shapedDifference(f)} {
		if x != nil {
			return x
		}
	}
	return []finding{tuned(all.Cosine())}
}

// tuned names a change of values by the cosine that it leaves.
func tuned(cosine float64) finding {
	if cosine < longCosine {
		return finding{ContinuedPretrained, fmt.Sprintf("values of the body correlate at %.3f", cosine), Undetermined}
	}
	return finding{FineTuned, fmt.Sprintf("values of the body correlate at %.4f", cosine), Undetermined}
}

// longCosine parts fine-tuning from continued pre-training: below it more of
// the change is left than a fraction of a pre-training makes. The two shade
// into one another, and the words beside the kind give the figure.
const longCosine = 0.9

// masked finds zeros that one side has and the other has not.
func masked(all *delta.Stats, f *Facts) []finding {
	for side, zeros := range []int64{all.ZeroOnlyB, all.ZeroOnlyA} {
		if float64(zeros) < 0.05*float64(all.N) || float64([]int64{all.ZeroA, all.ZeroB}[side]) > 0.5*float64(zeros) {
			continue
		}
		d, of := AToB, "B"
		if side == 1 {
			d, of = BToA, "A"
		}
		words := fmt.Sprintf("%.0f %% of the values of the body are zero in %s only", 100*float64(zeros)/float64(all.N), of)
		if nm := f.pattern(); nm != [2]int{} && side == 0 {
			words += fmt.Sprintf(", %d of every %d along the inputs", nm[0], nm[1])
		}
		out := []finding{{Pruned, words, d}}
		if kept := all.N - zeros; float64(all.EqualNonzero) < 0.9*float64(kept) {
			out = append(out, finding{FineTuned, "the values outside the mask differ too", Undetermined})
		}
		return out
	}
	return nil
}

// pattern is the n:m mask that most spectra show.
func (f *Facts) pattern() [2]int {
	count := map[[2]int]int{}
	for _, s := range f.Spectra {
		count[s.Pattern]++
	}
	for nm, n := range count {
		if nm != [2]int{} && 2*n > len(f.Spectra) {
			return nm
		}
	}
	return [2]int{}
}

// shapedDifference recognises differences by their spectrum: few directions or
// noise.
func shapedDifference(f *Facts) []finding {
	var low, noise, n int
	var ranks []int
	var sizes []float64
	for _, s := range f.Spectra {
		if !slices.Contains(body, s.Component) || s.Largest == 0 || min(s.Rows, s.Cols) < 16 {
			continue
		}
		n++
		if s.LowRank() {
			low++
		}
		if s.Rank > 0 {
			ranks = append(ranks, s.Rank)
		}
		if s.Noise() {
			noise++
		}
		sizes = append(sizes, s.Relative)
	}
	switch {
	case n == 0:
		return nil
	case low*10 >= n*9 && f.untouchedNorms():
		slices.Sort(ranks)
		return []finding{{LoRAMerged, fmt.Sprintf("the differences have rank %d above rounding (median of %d matrices, largest %d)", ranks[len(ranks)/2], n, ranks[len(ranks)-1]), Undetermined}}
	case noise*10 >= n*9 && slices.Max(sizes) < 1.6*slices.Min(sizes):
		return []finding{{Noised, fmt.Sprintf("the differences are Gaussian, without leading directions, %.3g to %.3g of the values' size", slices.Min(sizes), slices.Max(sizes)), Undetermined}}
	}
	return nil
}

// untouchedNorms tells whether gains and biases hold the same values: adapters
// leave them alone.
func (f *Facts) untouchedNorms() bool {
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); c.Component == "norms" && st == delta.Different {
			return false
		}
	}
	return true
}

// inDisguise states a disguise, and its direction where marks show it.
func inDisguise(f *Facts, level similarity.LogP) []finding {
	if !f.inDisguise(level) {
		return nil
	}
	words, d := "units, heads or the residual stream of one side were relabelled or rotated: consistent with a re-parameterised copy", Undetermined
	if s := &f.Shape; s.FlatGains[0] != s.FlatGains[1] {
		i := 1
		if s.FlatGains[0] {
			i = 0
		}
		d = []Direction{BToA, AToB}[i]
		words += fmt.Sprintf("; all norm gains of %s are equal, as when they were folded away", side(i))
	} else if i := scaled(s.Imbalance); i >= 0 {
		d = []Direction{BToA, AToB}[i]
		words += fmt.Sprintf("; the units of %s are scaled apart (%.2g, where training left %.2g on the other side)", side(i), s.Imbalance[i], s.Imbalance[1-i])
	}
	return []finding{{Reparameterised, words, d}}
}

// scaled names the side whose MLP units were scaled at random: unbalanced by a
// factor of 1.35 and more, and five times as much as the other side, which has
// what training leaves and not the exact balance of a second scaling. -1 for
// neither.
func scaled(imbalance [2]float64) int {
	const least, times, trained = 0.3, 5, 0.005
	for i, v := range imbalance {
		if o := imbalance[1-i]; v >= least && o >= trained && v >= times*o {
			return i
		}
	}
	return -1
}

// inDisguise is the signature of a re-parameterisation: what does not depend
// on labels or basis shows the relation, and what does, does not.
func (f *Facts) inDisguise(level similarity.LogP) bool {
	at := func(test, axis string) similarity.LogP {
		p, _ := f.best(func(e similarity.Evidence) bool { return e.Test == test && e.Axis == axis })
		return p
	}
	for _, c := range []string{"mlp", "experts"} {
		placed := min(at("fixed-points", c), at("order", c))
		if placed > level && at("signs", c) <= level {
			return true // same units, other labels
		}
		anchored := c + " (anchored)"
		if f.Shape.Hidden[0] == f.Shape.Hidden[1] && placed > level && min(at("fixed-points", anchored), at("order", anchored), at("signs", anchored)) <= level {
			return true // same units, other basis
		}
		if placed <= level && f.flipped(c) {
			return true // same places, other signs
		}
	}
	p, _ := f.best(anyBody)
	return p > level && f.channels(Controls).found()
}

func anyBody(e similarity.Evidence) bool { return slices.Contains(body, e.Component) }

// flipped tells whether the signs of units that match are those of a coin.
func (f *Facts) flipped(component string) bool {
	for _, e := range f.Evidence {
		if e.Test == "signs" && e.Axis == component && e.P != nil && e.N >= 64 {
			return math.Abs(e.Effect-0.5) < 0.2
		}
	}
	return false
}

// inPart finds components or layers that are not of common origin although
// others are and although they were tested.
func inPart(f *Facts, level similarity.LogP) (out []finding) {
	if missing := f.foreignLayers(); missing != "" {
		out = append(out, finding{Partial, "layers " + missing + " of B have no source in A", Undetermined})
	}
	have, lack := "", ""
	for _, c := range []string{"embeddings", "attention", "mlp", "experts"} {
		found, tested := f.foundIn(level, func(e similarity.Evidence) bool { return e.Component == c })
		switch {
		case found:
			have += " " + c
		case tested:
			lack += " " + c
		}
	}
	if have == " embeddings" && lack != "" {
		out = append(out, finding{Partial, "only the embeddings are of common origin, not" + lack, Undetermined})
	}
	if from, without := f.towers(level); from != "" && without != "" {
		out = append(out, finding{Partial, "the tower" + from + " is of common origin, not" + without, Undetermined})
	}
	return out
}

// foundIn tells whether the tests that fit found a common origin, and else
// whether they could have.
func (f *Facts) foundIn(level similarity.LogP, fits func(similarity.Evidence) bool) (found, tested bool) {
	p, e := f.best(fits)
	return e != nil && p <= level, e != nil && p > -7 && f.units(fits) >= minComponentUnits
}

// units is the largest number of units on which an exact test that fits rests.
func (f *Facts) units(fits func(similarity.Evidence) bool) (n int) {
	for _, e := range f.Evidence {
		if e.P != nil && e.LayerB < 0 && fits(e) {
			n = max(n, e.N)
		}
	}
	return n
}

// towers lists the towers of B whose body is of common origin, and those whose
// body was tested and is not.
func (f *Facts) towers(level similarity.LogP) (from, without string) {
	var names []string
	for _, e := range f.Evidence {
		if e.P != nil && !slices.Contains(names, e.Tower) {
			names = append(names, e.Tower)
		}
	}
	for _, name := range names {
		found, tested := f.foundIn(level, func(e similarity.Evidence) bool { return e.Tower == name && slices.Contains(body, e.Component) })
		switch {
		case found:
			from += " " + name
		case tested:
			without += " " + name
		}
	}
	return from, without
}

// foreignLayers lists layers of B without any sign of a source, where at least
// a quarter of the layers have one.
func (f *Facts) foreignLayers() string {
	found, foreign := 0, ""
	best := map[int]similarity.LogP{}
	var order []int
	for _, e := range f.Evidence {
		if e.P == nil || e.LayerB < 0 || e.Tower != "main" {
			continue
		}
		if _, ok := best[e.LayerB]; !ok {
			order = append(order, e.LayerB)
		}
		best[e.LayerB] = min(best[e.LayerB], *e.P)
	}
	slices.Sort(order)
	n := 0
	for _, l := range order {
		switch {
		case best[l] < -30:
			found++
		case best[l] > -9:
			n++
			foreign += fmt.Sprintf(" %d", l)
		}
	}
	if n == 0 || found*4 < len(order) || found+n < len(order) {
		return ""
	}
	return foreign[1:]
}

// order is the kind's place in reports.
func (k Kind) order() int { return slices.Index(allKinds, k) }
