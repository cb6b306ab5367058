package calibrated

import (
	"context"
	"fmt"

	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// idle takes what comes to nothing from the layers of both sides.
type idle struct {
	a, b []float32 // what tokens put into the residual streams, nil where it is not known
	seed []byte
}

func idleOf(ctx context.Context, p *align.Pair, t align.TowerPair) (*idle, error) {
	a, err := mlp.Stream(ctx, p, t.A)
	if err != nil {
		return nil, err
	}
	b, err := mlp.Stream(ctx, p, t.B)
	return &idle{a, b, p.Seed}, err
}

// trim replaces layers by what is left of them without directions of the hidden state that
// come to nothing. It returns a note for either side that has such directions, and leaves
// the layers as they are where neither has.
func (x *idle) trim(s **mlp.Stacks) (notes []string) {
	less := &mlp.Stacks{Layers: (*s).Layers}
	var n [2]int
	less.A, n[0] = mlp.WithoutIdle((*s).A, x.a, x.seed)
	less.B, n[1] = mlp.WithoutIdle((*s).B, x.b, x.seed)
	for side, n := range n {
		if n > 0 {
			notes = append(notes, fmt.Sprintf("%d directions of the hidden state of %s come to nothing: no unit writes them, or none reads them; they were left out", n, []string{"A", "B"}[side]))
		}
	}
	if notes != nil {
		*s = less
	}
	return notes
}

// without is what is left of all layers of both sides.
func (x *idle) without(a, b []mlp.Block) (restA, restB []mlp.Block) {
	if len(a) == 0 || len(b) == 0 {
		return a, b
	}
	a, _ = mlp.WithoutIdle(a, x.a, x.seed)
	b, _ = mlp.WithoutIdle(b, x.b, x.seed)
	return a, b
}
