package recipe

import (
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// Of mixtures with tens of thousands of matrices even one row of each is a large part of
// what a comparison reads. Of such, a few experts of every layer are read: whoever mixes
// models mixes all experts by one rule.

// expertShare is the part of maxValues that one row of every expert's matrices may take.
const expertShare = 4

// chosen are the experts that are read of each layer, by the role of their layer; nil
// where all are.
type chosen map[string]map[int]bool

// expertOf takes a role such as "layers.3.experts.17.gate" apart.
func expertOf(role string) (layer string, expert int, ok bool) {
	layer, rest, ok := strings.Cut(role, ".experts.")
	if !ok {
		return "", 0, false
	}
	number, _, _ := strings.Cut(rest, ".")
	expert, err := strconv.Atoi(number)
	return layer, expert, err == nil
}

// choose tells which experts of the child are read, at least one of every layer.
func choose(all []*align.Matching) chosen {
	count, row := map[string]int{}, 0
	for _, m := range all[0].Matrices {
		if layer, expert, ok := expertOf(m.B.Role); ok {
			count[layer] = max(count[layer], expert+1)
			row += m.B.Cols
		}
	}
	if row <= maxValues/expertShare {
		return nil
	}
	out := chosen{}
	for layer, n := range count {
		out[layer] = map[int]bool{}
		for _, e := range rng.New(nil, "recipe experts of "+layer).Sample(n, max(1, n*(maxValues/expertShare)/row)) {
			out[layer][e] = true
		}
	}
	return out
}

// reads tells whether the matrix of a role is read.
func (c chosen) reads(role string) bool {
	layer, expert, ok := expertOf(role)
	return !ok || c == nil || c[layer][expert]
}
