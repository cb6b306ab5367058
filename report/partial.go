package report

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
)

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
