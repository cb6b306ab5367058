package verdict

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// storedQuantised says of a related pair that the matrices of the body of one
// side are stored quantised and those of the other are not. It looks at types
// only, so it holds where values in one role cannot be compared.
func storedQuantised(f *Facts, _ stats.LogP) []finding {
	n := 0
	var count [2]int
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if c.Vector || !ofBody(c.Component) {
			continue
		}
		n++
		for k, t := range []tensor.DType{c.A, c.B} {
			if t.Kind() == tensor.KindBlock {
				count[k]++
			}
		}
	}
	for i := range count {
		if 2*count[i] > n && count[1-i] == 0 {
			return []finding{{QuantisedKind, fmt.Sprintf("%d of %d matrices of the body of %s are stored quantised, none of %s", count[i], n, Side(i), Side(1-i)), Undetermined}}
		}
	}
	return nil
}

// onLattice finds values of one side that are quantised, not simply by
// rounding the other side's. Which way the change went cannot be told: the
// other side may come from a model in between.
func onLattice(all *delta.Stats) []finding {
	apart, i := all.StepsApart()
	if apart == 0 {
		return nil
	}
	out := []finding{{QuantisedKind, fmt.Sprintf("values of %s lie on a lattice, %.2g steps from those of %s where rounding leaves 0.29", Side(1-i), apart, Side(i)), Undetermined}}
	if apart > offLattice {
		out = append(out, tuned(all.Cosine()))
	}
	return out
}

// coarse finds values that were rounded to few levels and stored as plain
// numbers.
func coarse(f *Facts) []finding {
	n, hit := 0, 0
	for _, s := range f.Spectra {
		if ofBody(s.Component) && s.Largest > 0 {
			n++
			if s.Coarse() {
				hit++
			}
		}
	}
	if n == 0 || !most(hit, n) {
		return nil
	}
	return []finding{{QuantisedKind, "groups of 32 neighbours in B hold no more than 16 different values", AToB}}
}
