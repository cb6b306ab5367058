package carry

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// Agreeing finds the units and heads of the main towers' paired layers that agree, in the
// coordinates in which most do. why says what stood in the way when nothing could be
// compared.
func Agreeing(ctx context.Context, p *align.Pair) (layers []Layer, coordinates, why string, err error) {
	if len(p.Towers) == 0 {
		return nil, "", "no stack of layers stands on both sides", nil
	}
	t := p.Towers[0]
	pairs, why := comparable(t)
	if why != "" {
		return nil, "", why, nil
	}
	all, err := systems(ctx, p, t)
	if err != nil {
		return nil, "", "", err
	}
	most := -1
	found := make([][]Layer, len(all))
	for _, l := range pairs {
		units, err := agreeing(ctx, p.Seed, all, t.A.Layers[l.A], t.B.Layers[l.B])
		if err != nil {
			return nil, "", "", err
		}
		headsA, err := headsOf(ctx, t.A, t.A.Layers[l.A])
		if err != nil {
			return nil, "", "", err
		}
		headsB, err := headsOf(ctx, t.B, t.B.Layers[l.B])
		if err != nil {
			return nil, "", "", err
		}
		for i, c := range all {
			found[i] = append(found[i], Layer{A: l.A, B: l.B, Units: units[i], Heads: agreeingHeads(p.Seed, c, headsA, headsB)})
		}
	}
	for i, f := range found {
		n := 0
		for _, l := range f {
			n += len(l.Units) + t.B.HeadDim*len(l.Heads)
		}
		if n > most {
			most, layers, coordinates = n, f, all[i].name
		}
	}
	if enough(t, layers, agreed(layers)) {
		return layers, coordinates, "", nil
	}
	other, err := withoutTokens(ctx, p, t, pairs)
	if err != nil {
		return nil, "", "", err
	}
	if n := agreed(other); n > most && n > len(other)*chancePairs {
		return other, "token-free", "", nil
	}
	return layers, coordinates, "", nil
}

// chancePairs is how many pairs of a layer are not enough to prefer a basis that was
// fitted.
const chancePairs = 8

// enough tells whether half of the smaller side's units agree.
func enough(t align.TowerPair, layers []Layer, agree int) bool {
	units := 0
	for _, l := range layers {
		units += min(t.A.Layers[l.A].MLPs()[0].Width(), t.B.Layers[l.B].MLPs()[0].Width())
	}
	return 2*agree > units
}

func agreed(layers []Layer) (n int) {
	for _, l := range layers {
		n += len(l.Units)
	}
	return n
}

// maxLayers bounds the work of comparing units: of deeper networks so many layers
// are looked at, evenly spread.
const maxLayers = 8

// comparable lists the pairs of layers whose MLPs can be compared.
func comparable(t align.TowerPair) (out []align.LayerPair, why string) {
	for _, l := range t.Layers {
		a, b := t.A.Layers[l.A].MLPs(), t.B.Layers[l.B].MLPs()
		if len(a) != 1 || len(b) != 1 || a[0].Up == nil || b[0].Up == nil || a[0].Down == nil || b[0].Down == nil || (a[0].Gate == nil) != (b[0].Gate == nil) {
			return nil, "the MLPs of the two sides are not of one kind"
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, "no layers are held against each other"
	}
	if len(out) > 2*maxLayers {
		var some []align.LayerPair
		for _, i := range align.Spread(len(out), maxLayers) {
			some = append(some, out[i])
		}
		out = some
	}
	return out, ""
}

// agreeing pairs, in each of the coordinates, the units that are each other's best
// partner in every view. One view of one side is held at a time.
func agreeing(ctx context.Context, seed []byte, in []coordinates, a, b *roles.Layer) ([][][2]int, error) {
	both := make([][]int, len(in))
	for which := range views {
		x, _, err := prepared(ctx, seed, in, a, which, false)
		if err != nil {
			return nil, err
		}
		y, signed, err := prepared(ctx, seed, in, b, which, true)
		if err != nil {
			return nil, err
		}
		for c := range in {
			both[c] = confirmed(both[c], mutual(x[c], y[c], signed, leastCosine(a.MLPs()[0].Up.Cols, b.MLPs()[0].Up.Cols)))
		}
	}
	out := make([][][2]int, len(in))
	for c, partners := range both {
		for j, i := range partners {
			if i >= 0 {
				out[c] = append(out[c], [2]int{i, j})
			}
		}
	}
	return out, nil
}

// prepared reads one view of one side and brings it into all the coordinates.
func prepared(ctx context.Context, seed []byte, in []coordinates, l *roles.Layer, which int, sideB bool) (out []axis.Rows, signed bool, err error) {
	v, err := viewOf(ctx, l, which)
	if err != nil {
		return nil, false, err
	}
	for _, c := range in {
		x := c.bring(v, sideB)
		x.Centre(nil)
		out = append(out, unit(sketched(seed, x)))
	}
	return out, v.signed, nil
}

// confirmed keeps the partners that another view finds too; nil before there is one.
func confirmed(partners, other []int) []int {
	for j := range partners {
		if partners[j] != other[j] {
			partners[j] = -1
		}
	}
	if partners == nil {
		return other
	}
	return partners
}

// beyondChance is how many standard deviations of the cosine of two random rows
// partners must be apart from none: a best partner of several hundred is 3 by chance,
// and 3.5 in two views at once one time in 10⁴.
const beyondChance = 3.5

// leastCosine is the cosine from which partners count. Rows that are seen through tokens
// vary in no more directions than they are long.
func leastCosine(a, b int) float32 {
	return float32(beyondChance / math.Sqrt(float64(min(a, b, sketch))))
}

// unit makes the rows of a sketch as long as those of what it was made from.
func unit(s axis.Rows) axis.Rows {
	if s.Unit != nil {
		return s
	}
	s.Unit = s.Raw
	for i := range s.N {
		row := s.Unit[i*s.Dim : (i+1)*s.Dim]
		if n := dense.Norm(row); n > 0 {
			for k := range row {
				row[k] = float32(float64(row[k]) / n)
			}
		}
	}
	return s
}

// best is the partner most alike so far.
type best struct {
	cosine float32
	at     int
}

// mutual returns for each unit of B its best partner in A if it is that one's best
// partner too and more alike than a least cosine, otherwise -1. Of equal partners the
// first counts; rows that vanish have none.
func mutual(a, b axis.Rows, signed bool, least float32) []int {
	const together = 128
	forth, back := make([]best, b.N), make([]best, a.N)
	for i := range back {
		back[i].at = -1
	}
	cosines := make([]float32, together*a.N)
	for first := 0; first < b.N; first += together {
		n := min(together, b.N-first)
		dense.MulNT(cosines[:n*a.N], b.Unit[first*b.Dim:(first+n)*b.Dim], a.Unit, n, a.N, a.Dim)
		for j := range n {
			to := best{at: -1}
			for i, c := range cosines[j*a.N : (j+1)*a.N] {
				if signed {
					c = float32(math.Abs(float64(c)))
				}
				if c > to.cosine {
					to = best{c, i}
				}
				if c > back[i].cosine {
					back[i] = best{c, first + j}
				}
			}
			forth[first+j] = to
		}
	}
	out := make([]int, b.N)
	for j, x := range forth {
		out[j] = -1
		if x.at >= 0 && x.cosine >= least && back[x.at].at == j {
			out[j] = x.at
		}
	}
	return out
}
