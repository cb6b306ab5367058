package calibrated

import (
	"context"

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

// likenessOf pools the axes of a component, tower by tower alike.
func likenessOf(axes []*axis.Axis, component string) similarity.Evidence {
	e := similarity.Evidence{Test: "likeness", Axis: component + " (raw)", Component: component, Tower: "main", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated, Null: nullLikeness}
	var fit []*axis.Axis
	for _, x := range axes {
		if x.Coordinates == "raw" && x.Component == component && !x.Table && len(x.Views) > 0 && x.A.Total == x.B.Total {
			fit = append(fit, x)
		}
	}
	cosines, reach := 0.0, 0.0
	readers := map[int]int{}
	for _, x := range fit {
		readers[x.Views[0].Width]++
	}
	for _, x := range fit {
		sum, n := atPlace(x)
		cosines += sum
		reach += float64(n) * arrangement(x, readers[x.Views[0].Width]).Reach()
		e.N += n
	}
	if e.N == 0 {
		e.Skipped = "no axis of this kind has the same number of units on both sides"
		return e
	}
	e.Effect, e.Statistic = cosines/float64(e.N), reach/float64(e.N)
	return e
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
