package verdict

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// inPart finds components or layers that are not of common origin although
// others are and although they were tested.
func inPart(f *Facts, level stats.LogP) (out []finding) {
	if missing := f.foreignLayers(); missing != "" {
		out = append(out, finding{Partial, "no source in A was found of layers " + missing + " of B", Undetermined})
	}
	var have, lack []string
	for _, c := range []string{embeddings, attention, mlp, experts} {
		found, tested := f.foundIn(level, func(e similarity.Evidence) bool { return e.Component == c })
		switch {
		case found:
			have = append(have, c)
		case tested && !f.Channels(Controls()).Found():
			lack = append(lack, c)
		}
	}
	if slices.Equal(have, []string{embeddings}) && len(lack) > 0 {
		out = append(out, finding{Partial, "a common origin was found of the embeddings alone, and none of " + strings.Join(lack, ", "), Undetermined})
	}
	if from, without := f.towers(level); from != "" && without != "" {
		out = append(out, finding{Partial, "a common origin was found of the tower " + from + ", and none of " + without, Undetermined})
	}
	return out
}

// embeddingsOnly tells whether the embeddings alone make the finding, so that
// nothing of the body is known to have been made from the other side's.
func (f *Facts) embeddingsOnly(level stats.LogP) bool {
	p, e := f.Best(func(e similarity.Evidence) bool { return e.Component == embeddings })
	other, _ := f.Best(func(e similarity.Evidence) bool { return e.Component != embeddings })
	equal := f.Equality.Experts > 0 || f.Equality.Mixtures.Fewer != [2]int{}
	return e != nil && p <= level && other > level && !equal && !f.Channels(Controls()).Found()
}

// foundIn tells whether the tests that fit found a common origin, and else
// whether they could have.
func (f *Facts) foundIn(level stats.LogP, fits func(similarity.Evidence) bool) (found, tested bool) {
	p, e := f.Best(fits)
	return e != nil && p <= level, e != nil && p > partOpen && f.Units(fits) >= MinComponentUnits
}

// Units is the largest number of units on which an exact test that fits rests.
func (f *Facts) Units(fits func(similarity.Evidence) bool) (n int) {
	for _, e := range f.Evidence {
		if e.P != nil && e.LayerB < 0 && fits(e) {
			n = max(n, e.N)
		}
	}
	return n
}

// towers lists the towers of B whose body is of common origin, and those whose
// body was tested and is not.
func (f *Facts) towers(level stats.LogP) (from, without string) {
	var names []string
	for _, e := range f.Evidence {
		if e.P != nil && !slices.Contains(names, e.Tower) {
			names = append(names, e.Tower)
		}
	}
	var have, lack []string
	for _, name := range names {
		found, tested := f.foundIn(level, func(e similarity.Evidence) bool { return e.Tower == name && ofBody(e.Component) })
		switch {
		case found:
			have = append(have, name)
		case tested:
			lack = append(lack, name)
		}
	}
	return strings.Join(have, ", "), strings.Join(lack, ", ")
}

// foreignLayers lists layers of B without any sign of a source, where at least
// a quarter of the layers have one.
func (f *Facts) foreignLayers() string {
	found, foreign, all := f.layersFound()
	if len(foreign) == 0 || len(found)*foreignShare < all || len(found)+len(foreign) < all {
		return ""
	}
	words := make([]string, len(foreign))
	for i, l := range foreign {
		words[i] = strconv.Itoa(l)
	}
	return strings.Join(words, ", ")
}

// layersFound lists the layers of B's main tower that exact tests found in A,
// or that hold a matrix of A unchanged, and those without any sign of A, among
// all that were tested.
func (f *Facts) layersFound() (found, foreign []int, all int) {
	best := map[int]stats.LogP{}
	for _, e := range f.Evidence {
		if e.P != nil && e.LayerB >= 0 && e.Tower == mainTower {
			best[e.LayerB] = min(best[e.LayerB], *e.P)
		}
	}
	kept := f.LayersKept()
	for _, l := range slices.Sorted(maps.Keys(best)) {
		switch {
		case kept[l], best[l] < layerFound:
			found = append(found, l)
		case best[l] > layerForeign:
			foreign = append(foreign, l)
		}
	}
	return found, foreign, len(best)
}

// LayersKept lists the layers of B's main tower that hold a matrix of A.
func (f *Facts) LayersKept() map[int]bool {
	kept := map[int]bool{}
	for i := range f.Storage.Changes {
		if c := &f.Storage.Changes[i]; strings.HasPrefix(c.Role, "layers.") && takenOver(c) {
			kept[c.LayerB] = true
		}
	}
	return kept
}

// takenOver tells whether a matrix of the body is the same on both sides, and
// none that all networks have: no constant, no identity, not nearly empty.
func takenOver(c *delta.Change) bool {
	st, _ := c.Storage()
	return ofBody(c.Component) && !c.Vector && st != delta.Different && varied(c)
}

// varied tells whether the values are none that all networks have: no constant,
// no identity, not nearly empty.
func varied(c *delta.Change) bool {
	s := &c.Stats
	n := float64(s.N)
	return s.N >= takenOverValues && 2*(s.N-s.ZeroA) > s.N && s.AA/n-s.SumA/n*s.SumA/n > takenOverVariance*s.AA/n
}
