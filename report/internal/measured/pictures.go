package measured

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/internal/read"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Pictures are the figures that pictures of a report show. They prove nothing.
type Pictures struct {
	Roles     []delta.Likeness
	Scores    *LayerScores
	Histogram *Histogram
}

// LayerScores counts, for layers of B against layers of A, the probed MLP units
// whose nearest unit stands at the same place ("fixed-points"), the longest run of
// matches in the same order ("order"), or the units that find the same partner through
// two views ("agreement", "held-out-agreement").
type LayerScores struct {
	Tower       string
	How         string
	Coordinates string  // Files, Tokens or OtherLayers
	Units       int     // that could have matched
	A           []int   // layers of A
	B           []int   // layers of B
	Counts      [][]int // [layer of B][layer of A]
}

// Coordinates in which layers are compared: as the files have them, by the responses to
// the tokens of both, or under a basis that was found in other layers.
const Files, Tokens, OtherLayers = "files", "tokens", "other layers"

// Histogram counts the differences b−a in units of their own root mean square,
// matrix by matrix: equal bins from −Reach to Reach, and one bin for all that
// lies further out at either end.
type Histogram struct {
	Reach    verdict.Number
	Matrices int
	Counts   []int64
}

// Draw measures what pictures show, as far as the budget allows. It costs as much as
// the tests, so of large models it is asked for by the depth.
func Draw(ctx context.Context, v *read.Values, found *verdict.Facts) (p Pictures, err error) {
	p.Histogram = histogram(found.Spectra)
	if !v.Whole && !v.Extent.Deep {
		return p, nil
	}
	if p.Roles, err = delta.Likenesses(ctx, v.Pair, v.Match()); err != nil {
		return p, err
	}
	if p.Scores, err = layerScores(ctx, v); err != nil || p.Scores.clear() {
		return p, err
	}
	for _, of := range []func(context.Context, *read.Values, []similarity.Evidence) (*LayerScores, error){hiddenScores, anchoredScores} {
		s, err := of(ctx, v, found.Evidence)
		if err != nil {
			return p, err
		}
		if s.clear() {
			p.Scores = s
			break
		}
	}
	return p, nil
}

// scoreWork bounds the multiplications spent on layer scores, a second or so.
const scoreWork = 1 << 32

// layerScores compares layers of the first tower with each other: all, or as
// many evenly spread ones as a second of work allows.
func layerScores(ctx context.Context, v *read.Values) (*LayerScores, error) {
	if len(v.Towers) == 0 || v.Extent.Quick {
		return nil, nil
	}
	t := v.Towers[0]
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
	s, err := layers.Score(ctx, v.Pair, t)
	if s == nil || s.Count == nil {
		return nil, err
	}
	out.How, out.Coordinates, out.Units, out.Counts = s.How, Files, s.Units, s.Count
	if s.Anchored {
		out.Coordinates = Tokens
	}
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
func histogram(all []delta.RoleSpectrum) *Histogram {
	var sum delta.Histogram
	h := &Histogram{Reach: delta.HistogramReach}
	for _, s := range all {
		if s.Largest > 0 {
			sum.Merge(&s.Histogram)
			h.Matrices++
		}
	}
	if h.Matrices == 0 {
		return nil
	}
	h.Counts = sum[:]
	return h
}
