package verdict

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// finding is one kind that the facts show, with the words for it and the
// direction it proves.
type finding struct {
	kind      Kind
	words     string
	direction Direction
}

// kindRule is one way to say how a related pair was made from one another.
type kindRule struct {
	states []Kind // that the rule can find
	needs  string // what facts it looks at, for readers
	find   func(*Facts, stats.LogP) []finding
}

// partRule is the one that is asked too where the rest of a network is of
// another origin.
var partRule = kindRule{[]Kind{Partial}, "p-values by component, tower and layer, with enough units", inPart}

// kindRules are asked in turn; each looks at the facts of a related pair on
// its own, and its words stand beside it. What was done to the storage of the
// same values is said by Storage.Kinds.
var kindRules = []kindRule{
	{[]Kind{Adapter}, "an adapter that was applied when a subject was opened", adapterApplied},
	{[]Kind{LayerDropped, DepthUpscaled}, "numbers of layers, and a source for half of them", layersChanged},
	{[]Kind{EqualSoFar}, "values that were read, where not all were", equalSoFar},
	{[]Kind{LayersReordered, ExpertsReordered, Pruned}, "tensors of equal values at other places, or a source for each layer", reordered},
	{[]Kind{WidthPruned, WidthExpanded}, "widths, and whether units stand there more than once", widthChanged},
	{[]Kind{MoEUpcycled}, "one expert against several, and a p-value of experts", expertsAdded},
	{[]Kind{VocabularyChanged}, "numbers of vocabulary rows, what the further ones hold, rows that moved", vocabularyChanged},
	{[]Kind{Reparameterised}, "values in one role, norm weights, balance of units, heads", sameFunction},
	{[]Kind{FineTuned, ContinuedPretrained, LoRAMerged, Projected, Scaled, HeadChanged, Modified, Pruned, QuantisedKind, Noised}, "values in one role, spectra of their differences", valuesChanged},
	{[]Kind{QuantisedKind}, "stored types", storedQuantised},
	{[]Kind{Reparameterised}, "p-values on labels beside those of what no change of basis alters", inDisguise},
	partRule,
}

// made lists how a related pair was made from one another.
func (p Policy) made(f *Facts) (out []finding) {
	rules := kindRules
	if f.embeddingsOnly(p.Level()) && !f.soFar() {
		rules = []kindRule{partRule} // the rest is of another origin
	}
	for _, rule := range rules {
		for _, x := range rule.find(f, p.Level()) {
			i := slices.IndexFunc(out, func(y finding) bool { return y.kind == x.kind })
			switch {
			case i < 0:
				out = append(out, x)
			case out[i].direction == Undetermined && x.direction != Undetermined:
				out[i].words, out[i].direction = out[i].words+"; "+x.words, x.direction
			}
		}
	}
	slices.SortStableFunc(out, func(a, b finding) int { return cmp.Compare(a.kind.order(), b.kind.order()) })
	return out
}

// adapterApplied says where a subject is a base with an adapter on it.
func adapterApplied(f *Facts, _ stats.LogP) (out []finding) {
	for i, words := range f.Adapter {
		if words != "" {
			out = append(out, finding{Adapter, Side(i) + " has " + words, Undetermined})
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
func layersChanged(f *Facts, _ stats.LogP) []finding {
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
	if n := len(s.Untrained); n > 0 {
		i := 1
		if s.Layers[0] > s.Layers[1] {
			i = 0
		}
		return []finding{{DepthUpscaled, fmt.Sprintf("%d of the layers of %s that have no counterpart hold nothing learned: they were put in", n, Side(i)), []Direction{BToA, AToB}[i]}}
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

// widthChanged compares widths. Units that stand in the wider subject more than
// once were copied there.
func widthChanged(f *Facts, _ stats.LogP) (out []finding) {
	s := &f.Shape
	for _, x := range []struct {
		what  string
		n     [2]int
		twice [2]bool
	}{{"MLP units", s.Width, s.Copied}, {"residual dimensions", s.Hidden, [2]bool{}}, {"key-value heads", s.KVHeads, s.HeadsTwice}} {
		if x.n[0] == x.n[1] || min(x.n[0], x.n[1]) == 0 {
			continue
		}
		words := fmt.Sprintf("%d %s against %d", x.n[0], x.what, x.n[1])
		if x.twice[0] || x.twice[1] {
			out = append(out, finding{WidthExpanded, words + ", and many stand there more than once", towards(x.n, false)})
			continue
		}
		out = append(out, finding{WidthPruned, words, towards(x.n, true)})
	}
	return out
}

// expertsAdded finds a dense MLP behind several experts.
func expertsAdded(f *Facts, level stats.LogP) []finding {
	n := f.Shape.Experts
	if n[0] == n[1] || min(n[0], n[1]) != 1 {
		return nil
	}
	p, e := f.Best(func(e similarity.Evidence) bool { return e.Component == experts })
	if e == nil || p > level {
		return nil
	}
	return []finding{{MoEUpcycled, fmt.Sprintf("several of %d experts on one side come from the one MLP of the other", max(n[0], n[1])), towards(n, false)}}
}

// vocabularyChanged compares the rows of the embeddings.
func vocabularyChanged(f *Facts, _ stats.LogP) []finding {
	s := &f.Shape
	switch {
	case s.Vocabulary[0] != s.Vocabulary[1] && s.Vocabulary[0] > 0 && s.Vocabulary[1] > 0:
		words, d := fmt.Sprintf("%d vocabulary rows against %d", s.Vocabulary[0], s.Vocabulary[1]), Undetermined
		for i, how := range s.Added {
			if how != delta.NotShown && (f.componentCosine(embeddings) > sameVocabulary || f.embeddingsFound()) {
				words += fmt.Sprintf("; the further rows of %s %s: they were added to what was trained", Side(i), how)
				d = []Direction{BToA, AToB}[i]
			}
		}
		return []finding{{VocabularyChanged, words, d}}
	case s.Shuffled > shuffledRows:
		return []finding{{VocabularyChanged, fmt.Sprintf("%.0f %% of the vocabulary rows of B stand at other rows of A", 100*s.Shuffled), Undetermined}}
	}
	return nil
}

func (f *Facts) embeddingsFound() bool {
	p, e := f.Best(func(e similarity.Evidence) bool { return e.Component == embeddings })
	return e != nil && p < embeddingsP
}

// order is the kind's place in reports.
func (k Kind) order() int { return slices.Index(allKinds, k) }

// Known tells whether it is one of the kinds.
func (k Kind) Known() bool { return k.order() >= 0 }
