package sketches

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/stats"
)

// mlpFixedPoints counts the units whose nearest sketch stands at the same
// place. Axes are paired by name where both sides list the same ones. Else
// every axis of B takes the axis of A with most fixed points, an axis of A that
// several take counts once, and the p-value is multiplied by the number of all
// such pairings. What is found of layers is appended to layers, which is empty.
func mlpFixedPoints(a, b *Prepared, layers []similarity.Evidence) (similarity.Evidence, []similarity.Evidence) {
	total := evidence("sketch-fixed-points", "sketches", "mlp")
	as, bs := a.sketches, b.sketches
	named := sameAxes(as, bs)
	choice := 0.0
	taken := map[int]int{} // axes of A, and the place in layers of what took them
	for _, sb := range bs {
		e, from, choices := nearestAxis(total, as, sb, named)
		if from < 0 {
			continue
		}
		*e.P = stats.Bonferroni(*e.P, choices)
		if !named {
			choice += math.Log(float64(choices + 1)) // the axes of A, and to be left out
		}
		at, again := taken[from]
		switch {
		case !again:
			taken[from] = len(layers)
			layers = append(layers, e)
		case e.Statistic > layers[at].Statistic:
			layers[at] = e
		}
	}
	if len(layers) == 0 {
		total.Skipped = "no sketched axes of one shape"
		return total, layers
	}
	for _, e := range layers {
		total.Statistic += e.Statistic
		total.N += e.N
	}
	total.Effect = total.Statistic / float64(total.N)
	p := stats.LogP(min(0, float64(stats.FixedPoints(int(total.Statistic), len(layers)))+choice))
	total.P = &p
	return total, layers
}

// nearestAxis holds an axis of B against those of A that it may be held
// against, and returns the evidence of the one with most fixed points, that
// axis' place (-1 if there is none), and of how many it is the best.
func nearestAxis(e similarity.Evidence, as []*fingerprint.Sketch, sb *fingerprint.Sketch, named bool) (_ similarity.Evidence, from, choices int) {
	from = -1
	for i, sa := range as {
		if !sa.Alike(sb) || named && sa.Axis != sb.Axis {
			continue
		}
		choices++
		if hits, n := fixed(sa, sb); n >= minUnits && (from < 0 || float64(hits) > e.Statistic) {
			p := stats.FixedPoints(hits, 1)
			e.Axis, e.Statistic, e.N, e.Effect, e.P = sb.Axis, float64(hits), n, float64(hits)/float64(n), &p
			e.LayerA, e.LayerB = layerOf(sa.Axis), layerOf(sb.Axis)
			from = i
		}
	}
	return e, from, choices
}

// residualFixedPoints is the same on the residual stream as tokens see it.
func residualFixedPoints(a, b *Prepared) similarity.Evidence {
	e := evidence("sketch-residual-fixed-points", "residual", "embeddings")
	sa, sb := a.residual, b.residual
	if sa == nil || sb == nil || !sa.Alike(sb) {
		e.Skipped = "no sketches of residual dimensions of one shape"
		return e
	}
	hits, n := fixed(sa, sb)
	p := stats.FixedPoints(hits, 1)
	e.Statistic, e.N, e.Effect, e.P = float64(hits), n, float64(hits)/float64(max(1, n)), &p
	return e
}

const residualSuffix = ".residual"

func residual(f *fingerprint.Fingerprint, g ground) *fingerprint.Sketch {
	for i := range f.Sketches {
		if s := &f.Sketches[i]; s.Axis == "main"+residualSuffix && g[i] {
			return s
		}
	}
	return nil
}

// usable lists the sketches of hidden units that may be tested, repeated
// layers once.
func usable(f *fingerprint.Fingerprint, g ground) []*fingerprint.Sketch {
	out := make([]*fingerprint.Sketch, 0, len(f.Sketches))
next:
	for i := range f.Sketches {
		s := &f.Sketches[i]
		if strings.HasSuffix(s.Axis, residualSuffix) || !g[i] {
			continue
		}
		for _, o := range out {
			if repeated(o, s) {
				continue next
			}
		}
		out = append(out, s)
	}
	return out
}

// sameAxes tells whether two lists of sketches are of the same axes.
func sameAxes(a, b []*fingerprint.Sketch) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i].Axis != b[i].Axis {
			return false
		}
	}
	return true
}

// fixed counts the units of B whose nearest sketch of A stands at the same
// place; ties go to a unit drawn at random.
func fixed(sa, sb *fingerprint.Sketch) (hits, n int) {
	if !slices.Contains(sa.Eligible, true) {
		return 0, 0
	}
	order := relabelling(len(sa.Units))
	for j, eligible := range sb.Eligible {
		if !eligible {
			continue
		}
		n++
		if sa.Eligible[j] && stands(order, sa, sb, j) {
			hits++
		}
	}
	return hits, n
}

// half tells whether fixed counts at least half of the units, and any. Of strangers the
// first half shows that it does not.
func half(sa, sb *fingerprint.Sketch) bool {
	if !slices.Contains(sa.Eligible, true) {
		return false
	}
	units := count(sb.Eligible)
	order, left := relabelling(len(sa.Units)), units/2 // that may stand elsewhere
	for j, eligible := range sb.Eligible {
		if eligible && !(sa.Eligible[j] && stands(order, sa, sb, j)) {
			if left--; left < 0 {
				return false
			}
		}
	}
	return units > 0
}

// count is the number of units that can be told apart.
func count(eligible []bool) (n int) {
	for _, e := range eligible {
		if e {
			n++
		}
	}
	return n
}

// stands tells whether unit j of A is the nearest to unit j of B, the first in order
// where several are. Of strangers a few others show that it is not.
func stands(order []int, sa, sb *fingerprint.Sketch, j int) bool {
	b := wordsOf(sb, j)
	least := apart(wordsOf(sa, j), b) // of those before j in order, no other may have it
	for _, i := range order {
		if i == j {
			least--
		} else if sa.Eligible[i] && apart(wordsOf(sa, i), b) <= least {
			return false
		}
	}
	return true
}

// wordsOf are those of one unit.
func wordsOf(s *fingerprint.Sketch, i int) *sketched {
	return (*sketched)(s.Words[i*len(sketched{}):])
}

// sketched is a unit's sketch.
type sketched [fingerprint.SketchBits / 64]uint64

// apart counts the bits in which two units differ.
func apart(a, b *sketched) int { return bits.OnesCount64(a[0]^b[0]) + bits.OnesCount64(a[1]^b[1]) }

// relabellings holds one random order for each number of units. It has nothing
// to do with any model's own order, which is all that breaking ties needs.
var relabellings sync.Map

func relabelling(n int) []int {
	if p, ok := relabellings.Load(n); ok {
		return p.([]int)
	}
	p := rng.New([]byte("weightprint.screen/1"), strconv.Itoa(n)).Perm(n)
	relabellings.Store(n, p)
	return p
}

// layerOf reads the layer number out of an axis name; axes without one count
// as layer 0.
func layerOf(axis string) int {
	_, rest, ok := strings.Cut(axis, "layers.")
	if !ok {
		return 0
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int(c-'0')
	}
	return n
}
