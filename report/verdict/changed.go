package verdict

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/stats"
)

// equalSoFar states that nothing differs in what was read, and how much that
// was.
func equalSoFar(f *Facts, _ stats.LogP) []finding {
	if !f.soFar() {
		return nil
	}
	read := f.Storage.compared()
	out := []finding{{EqualSoFar, fmt.Sprintf("no difference in the %.3g values of each side that were compared, %.2g %% of all", read, 100*read/math.Max(1, f.Storage.Values)), Undetermined}}
	if kinds := f.Storage.Kinds(); slices.Contains(kinds, QuantisedKind) {
		out = append(out, finding{QuantisedKind, strings.Join(f.Storage.words(), "; "), Undetermined})
	} else if slices.Contains(kinds, CastKind) {
		out = append(out, finding{CastKind, strings.Join(f.Storage.words(), "; "), Undetermined})
	}
	return out
}

// reordered finds layers and experts that stand at other places.
func reordered(f *Facts, _ stats.LogP) (out []finding) {
	if n := f.Equality.Layers; n > 0 {
		out = append(out, finding{LayersReordered, fmt.Sprintf("%d tensors of equal values stand in another layer", n), Undetermined})
	} else if moved := movedSources(f.Shape.Sources); f.Shape.Layers[0] == f.Shape.Layers[1] && moved > 0 {
		out = append(out, finding{LayersReordered, fmt.Sprintf("%d layers of B come from a layer of A at another place, in the map %v", moved, f.Shape.Sources), Undetermined})
	}
	m := f.Equality.Mixtures
	for side, layers := range m.Fewer {
		if layers > 0 {
			out = append(out, finding{Pruned, fmt.Sprintf("%s has %s in %d layers, with equal values", Side(side), m.Words, layers), marksChild(side)})
		}
	}
	if n := f.Equality.Experts; n > 0 && (!m.InOrder || m.Fewer == [2]int{}) {
		out = append(out, finding{ExpertsReordered, fmt.Sprintf("%d tensors of equal values belong to another expert", n), Undetermined})
	}
	return out
}

// movedSources counts layers whose source stands at another place, where no
// source serves two of them.
func movedSources(sources []int) (moved int) {
	seen := map[int]bool{}
	for b, a := range sources {
		if a >= 0 && seen[a] {
			return 0
		}
		seen[a] = true
		if a >= 0 && a != b {
			moved++
		}
	}
	return moved
}

// changes sums up the values that differ in matched roles, by what became of
// them.
type changes struct {
	body    delta.Stats // of the body, beyond a factor
	n       int
	scaled  []*delta.Change // matrices of the body that were multiplied by one number
	rows    int             // matrices of the body each of whose rows was multiplied by a number of its own
	rounded int             // matrices of the body that differ by no more than rounding twice does
	foreign int             // matrices of the body that have nothing in common
	norms   int             // norm weights and biases
	head    int             // output matrices that have nothing in common
	tokens  int             // other embeddings
}

// changes sorts the differences.
func (f *Facts) changes() (x changes) {
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); st != delta.Different || f.Equality.Elsewhere[c.Role] {
			continue // what was moved was not changed
		}
		switch {
		case c.Component == embeddings && strings.HasSuffix(c.Role, headRole) && c.Stats.Cosine() < Correspond:
			x.head++
		case c.Component == embeddings:
			x.tokens++
		case !ofBody(c.Component) || c.Vector:
			x.norms++
		case factor(&c.Stats) != 1:
			x.scaled = append(x.scaled, c)
		case c.Scales.By != nil:
			x.rows++
		case c.Scales.Same:
			x.rounded++
		case c.Stats.Cosine() > Correspond:
			x.body.Merge(&c.Stats)
			x.n++
		default:
			x.foreign++
		}
	}
	return x
}

// headRole ends the role of the output matrix.
const headRole = "head"

// factor is the number by which one list of values is the other multiplied, or all but
// that, and 1 where there is none.
func factor(s *delta.Stats) float64 {
	if s.AA == 0 || s.BB == 0 || s.Cosine() < scaledCosine {
		return 1
	}
	if k := s.AB / s.AA; math.Abs(k-1) > scaledApart {
		return k
	}
	return 1
}

// beyondFactor is what the best factor leaves of B's values, over their length.
func beyondFactor(s *delta.Stats) float64 {
	return math.Sqrt(math.Max(0, 1-s.AB*s.AB/(s.AA*s.BB)))
}

// roundingOf is how far rounding on both sides can take values from a multiple, over
// their length: half a unit of the last place of each; nothing of types that are no
// floating-point numbers of their own.
func roundingOf(c *delta.Change) float64 {
	a, okA := fractionBits[c.A]
	b, okB := fractionBits[c.B]
	if !okA || !okB {
		return 0
	}
	return math.Ldexp(1, -a-1) + math.Ldexp(1, -b-1)
}

// valuesScaled says which matrices were multiplied by one number.
func (x *changes) valuesScaled() []finding {
	if len(x.scaled) == 0 {
		return nil
	}
	var apart float64
	least, most, rounding := math.Inf(1), math.Inf(-1), true
	for _, c := range x.scaled {
		k := factor(&c.Stats)
		least, most = math.Min(least, k), math.Max(most, k)
		off := beyondFactor(&c.Stats)
		apart, rounding = math.Max(apart, off), rounding && off <= roundingOf(c)
	}
	by := fmt.Sprintf("%.4g", least)
	if most-least > scaledApart {
		by = fmt.Sprintf("%.4g to %.4g", least, most)
	}
	to := "to rounding"
	if !rounding {
		to = fmt.Sprintf("to within %.2g %% of their length, which is more than rounding", 100*apart)
	}
	return []finding{{Scaled, fmt.Sprintf("%d matrices are those of A multiplied by one number each, %s, %s", len(x.scaled), by, to), Undetermined}}
}

// rowsScaled says of which matrices each row was multiplied by a number of its own, and
// whether these are a batch norm's.
func (x *changes) rowsScaled(n *delta.BatchNorms) []finding {
	if x.rows == 0 {
		return nil
	}
	words := fmt.Sprintf("%d matrices are those of A with each row multiplied by a number of its own, to rounding", x.rows)
	if n.Folded > 0 {
		words += fmt.Sprintf("; %d of them by γ/√(σ²+ε) of a batch norm that %s keeps and %s does not (ε %s), and %d biases follow from these norms too: the norms were folded into the layers before them", n.Folded, n.Side, map[string]string{"A": "B", "B": "A"}[n.Side], figures(n.Eps), n.Biases)
	}
	return []finding{{Scaled, words, Undetermined}}
}

// figures spells numbers.
func figures(list []float64) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = fmt.Sprint(v)
	}
	return strings.Join(words, ", ")
}

// bodyUnchanged says what differs where no matrix of the body does.
func (x *changes) bodyUnchanged(f *Facts) []finding {
	switch {
	case x.rounded > 0 && x.foreign+len(x.scaled)+x.rows == 0:
		return []finding{{Modified, fmt.Sprintf("%d matrices of the body differ by no more than rounding does, all others hold the same values: one computation, its steps rounded in another order", x.rounded), Undetermined}}
	case x.foreign > 0 || len(x.scaled) > 0 || x.rows > 0 || len(f.Storage.Shapes) > 0 || f.Shape.Shuffled >= shuffledRows:
		return nil
	case x.head > 0 && x.norms+x.tokens == 0:
		return []finding{{HeadChanged, "the head is another one; everything else holds the same values", Undetermined}}
	case x.head+x.norms+x.tokens == 0:
		if only := len(f.Storage.OnlyA) + len(f.Storage.OnlyB); only > 0 && f.Shape.Layers[0] == f.Shape.Layers[1] && !f.Storage.reordered() {
			return []finding{{Modified, fmt.Sprintf("what both have holds the same values; %d tensors stand on one side only: %s", only, strings.Join(f.Storage.Lone, ", ")), Undetermined}}
		}
	default:
		return []finding{{Modified, fmt.Sprintf("every matrix of the body holds the same values; %d norm weights or biases, %d embeddings and %d heads differ", x.norms, x.tokens, x.head), Undetermined}}
	}
	return nil
}

// writesResidual tells whether a role adds to the residual stream.
func writesResidual(role string) bool {
	return slices.ContainsFunc([]string{".attn.o", ".down", "embedding"}, func(end string) bool { return strings.HasSuffix(role, end) })
}

// onlyWritersDiffer tells whether nothing differs but what adds to the residual
// stream.
func (f *Facts) onlyWritersDiffer() bool {
	for i := range f.Storage.Changes {
		c := &f.Storage.Changes[i]
		if st, _ := c.Storage(); st == delta.Different && !writesResidual(c.Role) {
			return false
		}
	}
	return true
}

// reordered tells whether layers were held against layers at other places.
func (s *Storage) reordered() bool { return !s.InOrder }
