package read

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/equality"
)

// UnitMap says which units of A the units of B come from.
type UnitMap struct {
	Axis     string
	A, B     []int // positions in A and in B, pair by pair
	OfA, OfB int   // how many there are
}

// expertOf takes a role such as "layers.3.experts.17.up" apart: where the experts
// stand, and which one it is.
func expertOf(role string) (at string, expert int, ok bool) {
	before, rest, ok := strings.Cut(role, "experts.")
	digits, _, _ := strings.Cut(rest, ".")
	expert, err := strconv.Atoi(digits)
	return before + "experts", expert, ok && err == nil
}

// expertMaps says, layer by layer, which expert of A has the values of each expert
// of B, by the pairs of equal values: all of its matrices have to come from one.
func expertMaps(c *equality.Correspondence, role map[*tensor.Tensor]string) []UnitMap {
	count := [2]map[string]map[int]bool{{}, {}}
	note := func(side int, t *tensor.Tensor) (at string, expert int, ok bool) {
		if at, expert, ok = expertOf(role[t]); ok {
			if count[side][at] == nil {
				count[side][at] = map[int]bool{}
			}
			count[side][at][expert] = true
		}
		return at, expert, ok
	}
	source := map[string]map[int]int{} // of B's experts; -1 where matrices come from several, or from none
	from := func(at string, b, a int) {
		if source[at] == nil {
			source[at] = map[int]int{}
		}
		if old, known := source[at][b]; known && old != a {
			a = -1
		}
		source[at][b] = a
	}
	for _, p := range c.Pairs {
		atA, a, okA := note(0, p.A)
		atB, b, okB := note(1, p.B)
		switch {
		case okA && okB && atA == atB:
			from(atB, b, a)
		case okB:
			from(atB, b, -1)
		}
	}
	for _, t := range c.OnlyA {
		note(0, t)
	}
	for _, t := range c.OnlyB {
		if at, b, ok := note(1, t); ok {
			from(at, b, -1)
		}
	}
	return mapsOf(source, count)
}

// mapsOf writes the sources out, in the order of layers.
func mapsOf(source map[string]map[int]int, count [2]map[string]map[int]bool) (out []UnitMap) {
	for _, at := range slices.SortedFunc(maps.Keys(source), byNumbers) {
		m := UnitMap{Axis: at, OfA: len(count[0][at]), OfB: len(count[1][at]), A: []int{}, B: []int{}}
		for _, b := range slices.Sorted(maps.Keys(source[at])) {
			if a := source[at][b]; a >= 0 {
				m.A, m.B = append(m.A, a), append(m.B, b)
			}
		}
		if len(m.A) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// byNumbers orders names by their words, then by their numbers.
func byNumbers(x, y string) int {
	wordsX, atX := numbers(x)
	wordsY, atY := numbers(y)
	if wordsX != wordsY {
		return strings.Compare(wordsX, wordsY)
	}
	return slices.Compare(atX, atY)
}

// left sums up what became of the experts as a whole: in how many layers either side
// has fewer of them, and whether those that are left kept their order.
func left(all []UnitMap) (e verdict.Experts) {
	e.InOrder = true
	for _, m := range all {
		e.InOrder = e.InOrder && slices.IsSorted(m.A)
		switch {
		case m.OfB < m.OfA && len(m.B) == m.OfB:
			e.Fewer[1]++
			e.Words = fmt.Sprintf("%d of %d experts", m.OfB, m.OfA)
		case m.OfA < m.OfB && len(m.A) == m.OfA:
			e.Fewer[0]++
			e.Words = fmt.Sprintf("%d of %d experts", m.OfA, m.OfB)
		}
	}
	return e
}

// Moved are the experts that stand at other places, or of which there are fewer.
func (e *Equal) Moved() []UnitMap {
	return slices.DeleteFunc(slices.Clone(e.Experts), func(m UnitMap) bool { return m.OfA == m.OfB && slices.Equal(m.A, m.B) })
}
