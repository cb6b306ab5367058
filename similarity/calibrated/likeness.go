package calibrated

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

// nullLikeness is what a likeness is held against.
const nullLikeness = "no arrangement of an independent network makes units at the same place more alike than the statistic says"

// Likeness is the mean cosine of units at the same place, in the coordinates that
// the files have, beside the most that arranging a stranger reaches (the
// statistic; [stats.Arrangement.Reach]). Every unit and view counts alike, so
// that no scale of a unit weighs more. A likeness beyond it is no arrangement;
// one below says nothing, as a disguise leaves none.
func Likeness(stage int) *similarity.Test {
	return &similarity.Test{Name: "likeness", Doc: "mean cosine of units at the same place, beside what arranging a stranger reaches", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		axes, err := axis.Read(ctx, p, stage)
		if err != nil {
			return nil, err
		}
		var out []similarity.Evidence
		for _, component := range []string{"mlp", "experts", "generic"} {
			out = append(out, likenessOf(axes, component))
		}
		return out, nil
	}}
}

// likenessOf pools the axes of a component, tower by tower alike: all of them, or where
// these are not more alike than arranging makes them, those most alike that are so by
// most, as the layers that a network spliced from two has of one.
func likenessOf(axes []*axis.Axis, component string) similarity.Evidence {
	e := similarity.Evidence{Test: "likeness", Axis: component + " (raw)", Component: component, Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLikeness}
	var fit []likened
	for _, x := range axes {
		if x.Coordinates == "raw" && x.Component == component && !x.Table && len(x.Views) > 0 && x.A.Total == x.B.Total {
			if sum, n := atPlace(x); n > 0 {
				fit = append(fit, likened{x, sum, n})
			}
		}
	}
	if len(fit) == 0 {
		e.Skipped = "no such units stand on both sides in the same number"
		return e
	}
	e.Effect, e.Statistic, e.N = pooled(fit, fit)
	slices.SortStableFunc(fit, func(x, y likened) int { return cmp.Compare(y.mean(), x.mean()) })
	if e.Effect > e.Statistic {
		if component == "generic" && !notOneAlone(fit, fit) {
			e.Skipped = "one matrix alone is alike, as a task or filters to begin with can make it"
		}
		return e
	}
	beyond := 0.0
	for k := 1; k < len(fit); k++ {
		if cosine, reach, n := pooled(fit[:k], fit); cosine-reach > beyond && (component != "generic" || notOneAlone(fit[:k], fit)) {
			e.Effect, e.Statistic, e.N, beyond = cosine, reach, n, cosine-reach
			e.Axis = fmt.Sprintf("%s (raw, the %d of %d axes most alike)", component, k, len(fit))
		}
	}
	return e
}

// likened is an axis with the cosines of its units at the same place.
type likened struct {
	*axis.Axis
	sum float64
	n   int
}

func (x likened) mean() float64 { return x.sum / float64(x.n) }

// notOneAlone tells whether axes are alike without the most alike of them, too, and without
// what repeats it: one matrix of unknown role alone, as often as the files hold it, may be a
// bank of filters that strangers begin with, the graph of the places that data come from, or
// units that are taught to stand for something, which its rows do not tell.
func notOneAlone(some, all []likened) bool {
	var others []likened
	for _, x := range some[1:] {
		if !x.Repeats(some[0].Axis) {
			others = append(others, x)
		}
	}
	if len(others) == 0 {
		return false
	}
	cosine, reach, _ := pooled(others, all)
	return cosine > reach
}

// pooled are the mean cosine of units, and what arranging reaches, on some axes of all:
// where these are not all, they were chosen among them.
func pooled(some, all []likened) (cosine, reach float64, units int) {
	here, readers := map[int]int{}, map[int]int{}
	for _, x := range some {
		here[x.Views[0].Width]++
	}
	for _, x := range all {
		readers[x.Views[0].Width]++
	}
	for _, x := range some {
		a := arrangement(x.Axis, readers[x.Views[0].Width])
		a.Layers = here[x.Views[0].Width]
		if len(some) < len(all) {
			a.Among = len(all)
		}
		cosine += x.sum
		reach += float64(x.n) * a.Reach()
		units += x.n
	}
	return cosine / float64(units), reach / float64(units), units
}

// atPlace sums the cosines of eligible units at the same place, the mean over
// views for each unit.
func atPlace(x *axis.Axis) (sum float64, n int) {
	na := len(x.A.Units)
	for j := range x.B.Units {
		if !x.A.Eligible[j] || !x.B.Eligible[j] {
			continue
		}
		for i := range x.Views {
			sum += float64(x.Views[i].Cosine[j*na+j]) / float64(len(x.Views))
		}
		n++
	}
	return sum, n
}

// streamReaders is how many matrices of unknown role must read vectors of one
// length before these are taken for a residual stream, which may be turned.
const streamReaders = 4

// arrangement is the freedom of whoever arranges the units of an axis, of which
// so many are seen through vectors of the same length. Layers of one residual
// stream share a rotation. What units of unknown role read may be relabelled, as
// it may be units of another layer, and turned where many read the like.
func arrangement(x *axis.Axis, readers int) stats.Arrangement {
	v := &x.Views[0]
	a := stats.Arrangement{Units: len(x.B.Units), Choice: x.B.Total, Layers: readers, Views: len(x.Views), Width: v.Width, Rank: v.Rank, Turned: true}
	for i := range x.Views {
		a.Rank = min(a.Rank, x.Views[i].Rank)
	}
	if x.Component == "generic" {
		a.Columns, a.Turned = true, readers >= streamReaders
		a.Views = v.Places
		a.Rank /= float64(v.Places)
	}
	return a
}
