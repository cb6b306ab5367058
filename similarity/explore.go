package similarity

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// LayerScores says how alike every layer of B is to every layer of A, as seen
// through a sample of MLP units that no later test may use again.
type LayerScores struct {
	Count [][]int // [layer of B][layer of A]: units whose partner is right
	Units int     // units that could have matched
	Held  []int   // the sampled positions
	How   string  // "fixed-points", "order" or "agreement"
}

// scoreUnits is how many MLP units of each layer choose the layer map.
const scoreUnits = 64

// wideUnits bounds the axes that may be read whole to choose a layer map
// where no unit can be expected at its place.
const wideUnits = 1024

// ScoreLayers compares all layers of a tower pair: by fixed points where the
// MLPs are of one width, by units in order where they are not. Residual
// streams of different width are compared on anchored coordinates.
func (p *Pair) ScoreLayers(ctx context.Context, t TowerPair) (*LayerScores, error) {
	if len(t.A.Layers) == 0 || len(t.B.Layers) == 0 {
		return nil, nil
	}
	wa, wb := width(t.A.Layers[0]), width(t.B.Layers[0])
	s := &LayerScores{How: "fixed-points", Units: min(scoreUnits, wa/2)}
	units := [2]int{s.Units, s.Units}
	if wa != wb {
		s.How, units = "order", [2]int{wa, wb}
		s.Units = min(wa, wb)
	}
	if min(wa, wb) < 2*minUnits || max(units[0], units[1]) > wideUnits {
		return nil, nil
	}
	a, err := p.layerRows(ctx, t, t.A, units[0])
	if err != nil || a == nil {
		return nil, err
	}
	b, err := p.layerRows(ctx, t, t.B, units[1])
	if err != nil || b == nil {
		return nil, err
	}
	if wa == wb {
		s.Held = p.scoredUnits(t, wa, units[0])
	}
	raw := t.A.Hidden == t.B.Hidden
	if raw {
		s.Count = score(a, b, s.How)
	}
	if !raw || !s.telling() {
		reads, _, err := p.anchors(ctx, t, wideUnits/2)
		if err != nil {
			return nil, err
		}
		if reads != nil && reads.da == t.A.Hidden && reads.db == t.B.Hidden {
			anchored := *s
			anchored.Count = score(respondAll(reads, a, false), respondAll(reads, b, true), s.How)
			if !raw || anchored.telling() {
				return &anchored, nil
			}
		} else if !raw {
			return nil, nil
		}
	}
	return s, nil
}

// telling tells whether any layer of B clearly meets one of A.
func (s *LayerScores) telling() bool {
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
func (p *Pair) scoredUnits(t TowerPair, width, n int) []int {
	return rng.New(p.Seed, "units of mlp units of "+t.B.Name).Sample(width, n)
}

// layerRows reads the sampled gate rows (up rows where there is no gate) of
// every layer, gains folded in. It returns nil for towers whose layers differ
// in shape.
func (p *Pair) layerRows(ctx context.Context, t TowerPair, side *roles.Tower, units int) ([]sample, error) {
	var out []sample
	for _, l := range side.Layers {
		es := l.MLPs()
		if len(es) == 0 {
			return nil, nil
		}
		m := es[0].Gate
		if m == nil {
			m = es[0].Up
		}
		if m == nil || m.Cols != side.Hidden || m.Rows < units || len(out) > 0 && m.Rows != es[0].Width() {
			return nil, nil
		}
		v := viewPlan{gains: true}
		s, err := v.read(ctx, m, 0, p.scoredUnits(t, m.Rows, units), nil)
		if err != nil {
			return nil, err
		}
		p.spent += m.Cost(units)
		out = append(out, s)
	}
	return out, nil
}

// respondAll takes every layer's rows to anchored coordinates.
func respondAll(x *anchor, in []sample, sideB bool) []sample {
	out := make([]sample, len(in))
	for i, s := range in {
		out[i] = x.respond(s, sideB)
	}
	return out
}

// score counts, for all pairs of layers, the units that find their partner.
func score(a, b []sample, how string) [][]int {
	for _, side := range [][]sample{a, b} {
		for i := range side {
			side[i].centre(trues(side[i].n))
		}
	}
	out := make([][]int, len(b))
	for j := range out {
		out[j] = make([]int, len(a))
	}
	dense.Parallel(len(b), func(j int) {
		for i := range a {
			c := make([]float32, a[i].n*b[j].n)
			dense.SerialNT(c, b[j].unit, a[i].unit, b[j].n, a[i].n, a[i].dim)
			if how == "order" {
				out[j][i] = inOrder(c, b[j].n, a[i].n)
			} else {
				out[j][i] = onDiagonal(c, a[i].n)
			}
		}
	})
	return out
}

// onDiagonal counts rows whose largest entry lies on the diagonal.
func onDiagonal(c []float32, n int) int {
	count := 0
	for j := range n {
		best := 0
		for i := range n {
			if c[j*n+i] > c[j*n+best] {
				best = i
			}
		}
		if best == j {
			count++
		}
	}
	return count
}

// inOrder is the longest increasing run among the mutual best matches.
func inOrder(c []float32, nb, na int) int {
	var seq []int
	for j := range nb {
		best := 0
		for i := range na {
			if c[j*na+i] > c[j*na+best] {
				best = i
			}
		}
		back := 0
		for k := range nb {
			if c[k*na+best] > c[back*na+best] {
				back = k
			}
		}
		if back == j {
			seq = append(seq, best)
		}
	}
	return LongestIncreasing(seq)
}

// LongestIncreasing is the length of the longest strictly increasing
// subsequence (patience sorting).
func LongestIncreasing(seq []int) int {
	var tops []int
	for _, v := range seq {
		i, _ := slices.BinarySearch(tops, v)
		if i == len(tops) {
			tops = append(tops, v)
		} else {
			tops[i] = v
		}
	}
	return len(tops)
}

// MapHeads finds, for every layer pair (unless all is set, only where the KV
// heads differ in number), the KV head of A that each KV head of B came from: the one whose key rows point the
// same way. Labels of value channels, which the tests count, are independent
// of key rows under the null, so the choice costs no p-value anything.
func (p *Pair) MapHeads(ctx context.Context, t int, all bool) error {
	tp := &p.Towers[t]
	d := tp.B.HeadDim
	if d == 0 || tp.A.HeadDim != d || tp.A.Hidden != tp.B.Hidden {
		return nil
	}
	for _, l := range tp.Layers {
		a, b := tp.A.Layers[l.A].K, tp.B.Layers[l.B].K
		if a == nil || b == nil || a.Cols != b.Cols || a.Rows == b.Rows && !all || a.Rows%d != 0 || b.Rows%d != 0 {
			continue
		}
		heads, likeness, err := p.mapHeads(ctx, a, b, d)
		if err != nil {
			return err
		}
		if a.Rows == b.Rows && likeness < headLikeness {
			continue // keys that were rotated or trained anew tell nothing
		}
		if tp.Heads == nil {
			tp.Heads = map[int][]int{}
		}
		tp.Heads[l.B] = heads
	}
	p.Forget()
	return nil
}

// headLikeness is the mean cosine of key rows from which a map of equally many
// heads is taken for more than the luckiest one.
const headLikeness = 0.2

// mapHeads returns the map and the mean cosine of the key rows that it pairs.
func (p *Pair) mapHeads(ctx context.Context, a, b *roles.Matrix, d int) (heads []int, likeness float64, err error) {
	v := viewPlan{}
	ka, err := v.read(ctx, a, 0, a.All(), nil)
	if err != nil {
		return nil, 0, err
	}
	kb, err := v.read(ctx, b, 0, b.All(), nil)
	if err != nil {
		return nil, 0, err
	}
	p.spent += max(a.Cost(a.Rows), b.Cost(b.Rows))
	ka.centre(trues(ka.n))
	kb.centre(trues(kb.n))
	out := make([]int, b.Rows/d)
	for h := range out {
		best := float32(-2)
		for g := range a.Rows / d {
			var sum float32
			for r := range d {
				sum += dense.Dot(kb.unit[(h*d+r)*kb.dim:(h*d+r+1)*kb.dim], ka.unit[(g*d+r)*ka.dim:(g*d+r+1)*ka.dim])
			}
			if sum > best {
				best, out[h] = sum, g
			}
		}
		likeness += float64(best) / float64(d*len(out))
	}
	return out, likeness, nil
}

// ScoreUnits is how many MLP units of a layer ScoreLayers reads, of the larger
// side.
func ScoreUnits(t TowerPair) int {
	if len(t.A.Layers) == 0 || len(t.B.Layers) == 0 {
		return 0
	}
	wa, wb := width(t.A.Layers[0]), width(t.B.Layers[0])
	if wa != wb {
		return max(wa, wb)
	}
	return min(scoreUnits, wa/2)
}

// ScoreCost is how many bytes ScoreLayers reads of one side of a pair.
func ScoreCost(side *roles.Tower, t TowerPair) int64 {
	n := int64(0)
	for _, l := range side.Layers {
		if es := l.MLPs(); len(es) > 0 && es[0].Up != nil {
			n += es[0].Up.Cost(min(es[0].Up.Rows, ScoreUnits(t)))
		}
	}
	return n
}
