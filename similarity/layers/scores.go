package layers

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Scores says how alike every layer of B is to every layer of A, as seen
// through a sample of MLP units that no later test may use again.
type Scores struct {
	Count    [][]int // [layer of B][layer of A]: units whose partner is right
	Units    int     // units that could have matched
	Held     []int   // the sampled positions
	How      string  // "fixed-points" or "order"
	Anchored bool    // units are seen through tokens, not as the files have them
}

// scoreUnits is how many MLP units of each layer choose the layer map.
const scoreUnits = 64

// wideUnits bounds the axes that may be read whole to choose a layer map
// where no unit can be expected at its place.
const wideUnits = 1024

// Score compares all layers of a tower pair: by fixed points where the
// MLPs are of one width, by units in order where they are not. Residual
// streams of different width are compared on anchored coordinates.
func Score(ctx context.Context, p *align.Pair, t align.TowerPair) (*Scores, error) {
	if len(t.A.Layers) == 0 || len(t.B.Layers) == 0 {
		return nil, nil
	}
	wa, wb := width(t.A.Layers[0]), width(t.B.Layers[0])
	s := &Scores{How: "fixed-points", Units: min(scoreUnits, wa/2)}
	units := [2]int{s.Units, s.Units}
	if wa != wb {
		s.How, units = "order", [2]int{wa, wb}
		s.Units = min(wa, wb)
	}
	if min(wa, wb) < 2*axis.MinUnits || max(units[0], units[1]) > wideUnits {
		return nil, nil
	}
	if !s.reserve(p, t, &units) {
		return nil, nil
	}
	a, err := layerRows(ctx, p, t, t.A, units[0])
	if err != nil || a == nil {
		return nil, err
	}
	b, err := layerRows(ctx, p, t, t.B, units[1])
	if err != nil || b == nil {
		return nil, err
	}
	if wa == wb {
		s.Held = scoredUnits(p, t, wa, units[0])
	}
	raw := t.A.Hidden == t.B.Hidden
	if raw {
		s.Count = score(p, s.narrowed(p, t, a), s.narrowed(p, t, b), s.How)
	}
	if !raw || !s.telling() {
		reads, _, err := axis.Anchors(ctx, p, t, wideUnits/2)
		if err != nil {
			return nil, err
		}
		if reads != nil && reads.Spans(t.A.Hidden, t.B.Hidden) {
			reads = reads.Some(s.throughTokens(p, t, a, b, reads.Tokens()))
			anchored := *s
			anchored.Anchored = true
			anchored.Count = score(p, respondAll(reads, a, false), respondAll(reads, b, true), s.How)
			if !raw || anchored.telling() {
				return &anchored, nil
			}
		} else if !raw {
			return nil, nil
		}
	}
	return s, nil
}

// reserve finds how many units of every layer the budget allows to read: all that
// are asked for or, where units are held against those at the same place, as few as
// still tell layers apart.
func (s *Scores) reserve(p *align.Pair, t align.TowerPair, units *[2]int) bool {
	for {
		cost := max(scoreCost(t.A, units[0]), scoreCost(t.B, units[1]))
		if p.Fits(cost, mapShare) {
			p.Hold(cost)
			return true
		}
		if s.How != "fixed-points" || s.Units <= axis.MinUnits {
			return false
		}
		s.Units = max(axis.MinUnits, s.Units*3/4)
		*units = [2]int{s.Units, s.Units}
	}
}

// scoreCost is how many bytes so many units of every layer take.
func scoreCost(side *roles.Tower, units int) (n int64) {
	for _, l := range side.Layers {
		if m := scored(l); m != nil {
			n += m.Cost(min(m.Rows, units)) + m.Gain.Cost()
		}
	}
	return n
}

// scored is the matrix by which the units of a layer are known: the gate of the
// first MLP, or what stands in its place; nil where there is none.
func scored(l *roles.Layer) *roles.Matrix {
	all := l.MLPs()
	switch {
	case len(all) == 0:
		return nil
	case all[0].Gate != nil:
		return all[0].Gate
	}
	return all[0].Up
}

// scoreWork bounds the multiplications that hold all layers against each other, and those
// that see their units through tokens. fewestColumns is how many columns are looked at
// even so.
const scoreWork, fewestColumns = 1 << 30, 256

// narrowed keeps as many columns, the same of all layers and chosen by the seed, as
// the work allows.
func (s *Scores) narrowed(p *align.Pair, t align.TowerPair, in []axis.Rows) []axis.Rows {
	pairs := float64(len(t.A.Layers)) * float64(len(t.B.Layers)) * float64(in[0].N) * float64(in[0].N)
	most := max(fewestColumns, int(scoreWork/pairs))
	if in[0].Dim <= most {
		return in
	}
	columns := rng.New(p.Seed, "columns of layer scores of "+t.B.Name).Sample(in[0].Dim, most)
	out := make([]axis.Rows, len(in))
	for i := range in {
		out[i] = in[i].Columns(columns)
	}
	return out
}

// fewestTokens is through how many tokens units are seen at least: among as many cosines
// of units that have nothing in common stay below a third.
const fewestTokens = 128

// throughTokens chooses by the seed as many of n tokens as the work allows.
func (s *Scores) throughTokens(p *align.Pair, t align.TowerPair, a, b []axis.Rows, n int) []int {
	each := float64(len(a))*float64(a[0].N)*float64(a[0].Dim) + float64(len(b))*float64(b[0].N)*float64(b[0].Dim)
	most := max(fewestTokens, int(scoreWork/each))
	return rng.New(p.Seed, "tokens of layer scores of "+t.B.Name).Sample(n, min(n, most))
}

// telling tells whether any layer of B clearly meets one of A.
func (s *Scores) telling() bool {
	for _, row := range s.Count {
		if slices.Max(row) >= s.Units/2 {
			return true
		}
	}
	return false
}

// width is the number of hidden units of a layer's first MLP.
func width(l *roles.Layer) int {
	for _, e := range l.MLPs() {
		return e.Width()
	}
	return 0
}

// scoredUnits samples the positions that choose the layers.
func scoredUnits(p *align.Pair, t align.TowerPair, width, n int) []int {
	return rng.New(p.Seed, "units of mlp units of "+t.B.Name).Sample(width, n)
}

// layerRows reads the sampled gate rows (up rows where there is no gate) of
// every layer, the weights of the norm before them multiplied in. It returns nil for towers whose layers differ
// in shape.
func layerRows(ctx context.Context, p *align.Pair, t align.TowerPair, side *roles.Tower, units int) ([]axis.Rows, error) {
	var out []axis.Rows
	for _, l := range side.Layers {
		m := scored(l)
		if m == nil || m.Cols != side.Hidden || m.Rows < units || len(out) > 0 && m.Rows != width(l) {
			return nil, nil
		}
		s, err := axis.ReadRows(ctx, m, scoredUnits(p, t, m.Rows, units), true)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// respondAll takes every layer's rows to anchored coordinates.
func respondAll(x *axis.Anchor, in []axis.Rows, sideB bool) []axis.Rows {
	out := make([]axis.Rows, len(in))
	for i, s := range in {
		out[i] = x.Respond(s, sideB)
	}
	return out
}

// score counts, for all pairs of layers, the units that find their partner.
func score(p *align.Pair, a, b []axis.Rows, how string) [][]int {
	okA, okB := centred(a), centred(b)
	out := make([][]int, len(b))
	for j := range out {
		out[j] = make([]int, len(a))
	}
	ties := axis.NewMatcher(p.Seed, "layer scores", okA[0], okB[0])
	count := pairwise(a, b)
	if how != "order" {
		count = placewise(a, b)
	}
	dense.Parallel(len(b), func(j int) {
		for i := range a {
			out[j][i] = count(ties.Among(okA[i], okB[j]), i, j)
		}
	})
	return out
}

// pairwise counts units in order, of a layer of A and one of B.
func pairwise(a, b []axis.Rows) func(m *axis.Matcher, i, j int) int {
	return func(m *axis.Matcher, i, j int) int {
		c := make([]float32, a[i].N*b[j].N)
		dense.SerialNT(c, b[j].Unit, a[i].Unit, b[j].N, a[i].N, a[i].Dim)
		return inOrder(m.Mutual(c))
	}
}

// placewise counts units at the same place.
func placewise(a, b []axis.Rows) func(m *axis.Matcher, i, j int) int {
	packed, rows := make([]*dense.Packed, len(a)), make([][][]float32, len(b))
	for i := range a {
		packed[i] = dense.Pack(a[i].Unit, a[i].N, a[i].Dim)
	}
	for j, x := range b {
		for k := range x.N {
			rows[j] = append(rows[j], x.Unit[k*x.Dim:(k+1)*x.Dim])
		}
	}
	return func(m *axis.Matcher, i, j int) int { return m.InPlace(packed[i], rows[j]) }
}

// centred centres the rows of all layers and tells which of them stay eligible.
func centred(layers []axis.Rows) [][]bool {
	out := make([][]bool, len(layers))
	for i := range layers {
		out[i] = slices.Repeat([]bool{true}, layers[i].N)
		layers[i].Centre(out[i])
	}
	return out
}

// inOrder is the longest increasing run among the mutual best matches.
func inOrder(partners []int) int {
	return stats.LongestIncreasing(slices.DeleteFunc(partners, func(i int) bool { return i < 0 }))
}

// ScoreUnits is how many MLP units of a layer Score reads, of the larger
// side.
func ScoreUnits(t align.TowerPair) int {
	if len(t.A.Layers) == 0 || len(t.B.Layers) == 0 {
		return 0
	}
	wa, wb := width(t.A.Layers[0]), width(t.B.Layers[0])
	if wa != wb {
		return max(wa, wb)
	}
	return min(scoreUnits, wa/2)
}
