package calibrated_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/adversary"
)

// TestUnitsThatCancelHideNothing: whatever units are added that sum to nothing, and
// however the own ones are hidden among units that make up for it, all units of a
// disguised copy are found, and none of a stranger.
func TestUnitsThatCancelHideNothing(t *testing.T) {
	b := adversary.Build{Layers: 4, Hidden: 32, Width: 64, Heads: 2, KV: 1, Dim: 16, Vocab: 48}
	r := rand.New(rand.NewPCG(31, 1))
	victim, stranger := adversary.New(r, b), adversary.New(r, b)
	tried := 0
	for _, e := range adversary.Evasions {
		if !strings.Contains(e.Name, "cancel") && !strings.Contains(e.Name, "opposite gates") && !strings.Contains(e.Name, "turned round") {
			continue
		}
		tried++
		made := e.Apply(rand.New(rand.NewPCG(32, uint64(tried))), victim.Clone())
		for _, sides := range [][2]*adversary.Decoder{{victim, made}, {made, victim}} {
			share, cosine := heldOut(t, sides[0].Model(), sides[1].Model(), 0)
			require.GreaterOrEqual(t, share.Effect, 0.97, e.Name)
			require.GreaterOrEqual(t, cosine.Effect, 0.95, e.Name)
		}
		share, _ := heldOut(t, stranger.Model(), made.Model(), 0)
		require.Less(t, share.Effect, 0.05, e.Name)
	}
	require.Equal(t, 11, tried)
}
