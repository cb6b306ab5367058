package tokenfree_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/calibrated/tokenfree"
	"github.com/weightprint/weightprint/similarity/mlp"
)

const zoo = "../../../../shared/zoo"

// trained reads the MLPs of a stored model.
func trained(t *testing.T, name string) (out []mlp.Block) {
	t.Helper()
	ctx := context.Background()
	c, err := formats.Open(ctx, filepath.Join(zoo, name), nil)
	require.NoError(t, err)
	tower := roles.Map(c).Towers[0]
	for i := range tower.Layers {
		b, err := mlp.ReadLayer(ctx, tower, i)
		require.NoError(t, err)
		b, _ = mlp.Rejoined(b)
		out = append(out, b)
	}
	return out
}

// TestTrainedNetworks holds really trained networks against each other, where
// they are at hand: copies under every disguise at once, also pruned,
// narrower, of several experts, and trained on until a third of their likeness was lost;
// strangers that saw the same data in the same order; one seed and other data.
func TestTrainedNetworks(t *testing.T) {
	if _, err := os.Stat(zoo); err != nil {
		t.Skip("no trained networks at hand")
	}
	for _, c := range []struct {
		a, b        string
		least, most float64
		cosine      float64
	}{
		{"r1", "r1-obf-all", 1, 1, 0.999},
		{"r1-prune24", "r1-obf-all", 1, 1, 0.9},
		{"r1", "r1-prune-hidden", 1, 1, 0.75},
		{"r1-moe", "r1-obf-all", 0.99, 1, 0.95},
		{"r1", "r1-cpt-obf-all", 0.99, 1, 0.7},
		{"r1", "r1-cpt2-obf-all", 0.98, 1, 0.55},
		{"r1", "r2", 0, 0.006, 0},
		{"r1-obf-all", "r3", 0, 0.006, 0},
		{"r1", "r4", 0, 0.006, 0},
		{"r1", "distill-r1", 0, 0.006, 0},
	} {
		r := tokenfree.CrossFit(t.Context(), trained(t, c.a), trained(t, c.b), nil)
		require.GreaterOrEqual(t, r.Share(), c.least, "%s, %s", c.a, c.b)
		require.LessOrEqual(t, r.Share(), c.most, "%s, %s", c.a, c.b)
		require.GreaterOrEqual(t, r.Cosine, c.cosine, "%s, %s", c.a, c.b)
		if c.most < 1 {
			require.Less(t, r.Cosine, 0.25, "%s, %s", c.a, c.b)
		}
	}
}

// One layer of a copy that was trained on for long tells how all are paired, and of
// strangers and of networks of one seed none does.
func TestThroughOneOfTrainedNetworks(t *testing.T) {
	if _, err := os.Stat(zoo); err != nil {
		t.Skip("no trained networks at hand")
	}
	a := trained(t, "r1")
	order := []int{3, 0, 5, 1, 4, 2}
	for name, kin := range map[string]bool{"r1-cpt-obf-all": true, "r1-cpt2-obf-all": true, "r3": false, "r4": false, "distill-r1": false} {
		b := trained(t, name)
		moved, whole := make([]mlp.Block, len(b)), make([]*mlp.Joined, len(b))
		for j, i := range order {
			moved[j], whole[j] = b[i], mlp.Whole(b[i])
		}
		require.Empty(t, tokenfree.Counterparts(t.Context(), a, moved, nil), name)
		pairs := tokenfree.NewStack(a, nil).ThroughOne(t.Context(), whole, 0)
		if !kin {
			require.Empty(t, pairs, name)
			continue
		}
		require.Len(t, pairs, len(order), name)
		for _, p := range pairs {
			require.Equal(t, order[p[1]], p[0], name)
		}
	}
}
