package report

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/layers"
)

// RoleLikeness says how alike the rows of all matrices in one kind of role are
// at their own places, beside what relabelling the rows at random shows. It is
// shown for orientation; the verdict does not use it.
type RoleLikeness struct {
	Role     string         `json:"role"` // such as "mlp.up"
	Matrices int            `json:"matrices"`
	Rows     int            `json:"rows"`
	Cosine   verdict.Number `json:"cosine"` // mean over rows at the same place
	Mean     verdict.Number `json:"mean"`   // of that mean under random relabelling
	SD       verdict.Number `json:"sd"`
}

// Band is where the cosine lies for 99.9 % of random relabellings, by the
// normal approximation.
func (l RoleLikeness) Band() (low, high float64) {
	const z = 3.29
	return float64(l.Mean) - z*float64(l.SD), float64(l.Mean) + z*float64(l.SD)
}

// LayerScores counts, for layers of B against layers of A, the probed MLP units
// whose nearest unit stands at the same place ("fixed-points"), or the longest
// run of matches in the same order ("order").
type LayerScores struct {
	Tower  string  `json:"tower"`
	How    string  `json:"how"`
	Units  int     `json:"units"`  // that could have matched
	A      []int   `json:"a"`      // layers of A
	B      []int   `json:"b"`      // layers of B
	Counts [][]int `json:"counts"` // [layer of B][layer of A]
}

// Histogram counts the differences b−a in units of their own root mean square,
// matrix by matrix: equal bins from −Reach to Reach, and one bin for all that
// lies further out at either end.
type Histogram struct {
	Reach    verdict.Number `json:"reach"`
	Matrices int            `json:"matrices"`
	Counts   []int64        `json:"counts"`
}

// pictured adds what pictures of a report show, as far as the budget allows. It
// proves nothing and costs as much as the tests, so of large models it is
// asked for by the depth.
func (r *run) pictured(ctx context.Context, out *Report) error {
	if !r.whole && r.o.Depth != Deep {
		return nil
	}
	all, err := delta.Likenesses(ctx, r.pair, r.pair.Match())
	if err != nil {
		return err
	}
	for _, l := range all {
		out.Roles = append(out.Roles, RoleLikeness{l.Role, l.Matrices, l.Rows, verdict.Number(l.Cosine), verdict.Number(l.Mean), verdict.Number(l.SD)})
	}
	if out.LayerScores, err = r.layerScores(ctx); err != nil || out.LayerScores.clear() {
		return err
	}
	hidden, err := r.hiddenScores(ctx)
	if hidden.clear() {
		out.LayerScores = hidden
	}
	return err
}

// scoreWork bounds the multiplications spent on layer scores, a second or so.
const scoreWork = 1 << 32

// layerScores compares layers of the first tower with each other: all, or as
// many evenly spread ones as a second of work allows.
func (r *run) layerScores(ctx context.Context) (*LayerScores, error) {
	if len(r.pair.Towers) == 0 || r.o.Depth == Quick {
		return nil, nil
	}
	t := r.pair.Towers[0]
	if len(t.A.Layers) < 2 || len(t.B.Layers) < 2 {
		return nil, nil
	}
	k := max(len(t.A.Layers), len(t.B.Layers))
	work := int64(layers.ScoreUnits(t)) * int64(layers.ScoreUnits(t)) * int64(max(t.A.Hidden, t.B.Hidden))
	for k > 1 && int64(k)*int64(k)*work > scoreWork {
		k--
	}
	out := &LayerScores{Tower: t.B.Name}
	t.A, out.A = someLayers(t.A, k)
	t.B, out.B = someLayers(t.B, k)
	if k < 2 {
		return nil, nil
	}
	s, err := layers.Score(ctx, r.pair, t)
	if s == nil || s.Count == nil {
		return nil, err
	}
	out.How, out.Units, out.Counts = s.How, s.Units, s.Count
	return out, nil
}

// someLayers is a tower of at most k evenly spread layers of another.
func someLayers(t *roles.Tower, k int) (*roles.Tower, []int) {
	some, at := *t, []int{}
	some.Layers = nil
	for _, i := range align.Spread(len(t.Layers), k) {
		some.Layers = append(some.Layers, t.Layers[i])
		at = append(at, t.Layers[i].Index)
	}
	return &some, at
}

// histogram pools the differences that were looked at as a whole.
func (r *run) histogram() *Histogram {
	var all delta.Histogram
	h := &Histogram{Reach: delta.HistogramReach}
	for _, s := range r.facts.Spectra {
		if s.Largest > 0 {
			all.Merge(&s.Histogram)
			h.Matrices++
		}
	}
	if h.Matrices == 0 {
		return nil
	}
	h.Counts = all[:]
	return h
}
