package tokenfree_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
)

// ending ends when it has been asked so many times.
type ending struct {
	context.Context
	left atomic.Int64
}

func (e *ending) Err() error {
	if e.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// Wherever a call is interrupted it returns, and begins little of what it had yet to do.
func TestCallsEndWithTheirContext(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	a := random(r, 4, 48, 16, true)
	b := disguised(r, a, 0.1)
	for name, call := range map[string]func(context.Context) bool{
		"fit":    func(ctx context.Context) bool { return tokenfree.CrossFit(ctx, a, b, nil).Agree > 0 },
		"pair":   func(ctx context.Context) bool { return tokenfree.Counterparts(ctx, a, b, nil) != nil },
		"order":  func(ctx context.Context) bool { return tokenfree.Orders(ctx, a, b, nil) != nil },
		"scores": func(ctx context.Context) bool { c, _ := tokenfree.CrossScores(ctx, a, b, nil); return c != nil },
	} {
		whole := &ending{Context: t.Context()}
		whole.left.Store(1 << 40)
		require.True(t, call(whole), name)
		asked := 1<<40 - whole.left.Load()
		require.Greater(t, asked, int64(8), name)
		for at := range asked {
			ctx := &ending{Context: t.Context()}
			ctx.left.Store(at)
			require.NotPanics(t, func() { call(ctx) }, "%s, %d", name, at)
			require.LessOrEqual(t, at-ctx.left.Load(), asked+4, "%s, %d", name, at)
		}
	}
}
