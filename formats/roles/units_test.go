package roles

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// counting gives every value its own number, so that reading one shows where it
// lies.
type counting int64

func (c counting) StoredBytes() int64 { return 4 * int64(c) }

func (c counting) ReadValues(_ context.Context, dst []float32, first int64) error {
	for i := range dst {
		dst[i] = float32((first + int64(i)) % (1 << 20))
	}
	return nil
}

// Oversized tensors get no place in a tower; each of their values is in exactly
// one row of what stands for them.
func TestOversizedTensors(t *testing.T) {
	for _, c := range []struct {
		name  string
		shape []int64
		flat  int // matrices that stand for it
	}{
		{"model.norm.weight", []int64{mostUnits + 1}, 2},
		{"model.norm.weight", []int64{2 * mostUnits}, 1},
		{"w", []int64{1, mostUnits + 7}, 2},
		{"w", []int64{mostUnits + 7, 1}, 2},
		{"w", []int64{4, mostInputs + 1}, 2},
		{"model.layers.0.mlp.up_proj.weight", []int64{mostUnits + 1, 2}, 2},
		{"w", []int64{mostInputs, 4}, 0},
		{"model.embed_tokens.weight", []int64{1 << 18, 64}, 0},
	} {
		n := int64(1)
		for _, d := range c.shape {
			n *= d
		}
		net := Map(tensor.Tensors{{Name: c.name, DType: tensor.F32, Shape: c.shape, Data: counting(n)}})
		var flat []*Matrix
		for _, m := range net.Generic {
			if m.Flat() {
				flat = append(flat, m)
			}
		}
		require.Len(t, flat, c.flat, "%v", c.shape)
		require.Empty(t, net.Exchangeable())
		require.Len(t, net.Roles, 1)
		if c.flat == 0 {
			require.Empty(t, net.Warnings)
			continue
		}
		require.Len(t, net.Warnings, 1)
		next := int64(0)
		for _, m := range flat {
			for _, r := range []int{0, m.Rows - 1} {
				row := make([]float32, m.Cols)
				require.NoError(t, m.Gather(context.Background(), row, []int{r}))
				require.Equal(t, float32((next+int64(r)*int64(m.Cols))%(1<<20)), row[0])
			}
			next += int64(m.Rows) * int64(m.Cols)
		}
		require.Equal(t, n, next)
	}
}

// A network of unknown names has hidden units only where its shapes show that they are
// neither inputs nor outputs.
func TestExchangeableWhereEndsShow(t *testing.T) {
	for name, c := range map[string]struct {
		sizes []int64 // from the input to the output
		found int
	}{
		"classifier of digits":                {[]int64{784, 128, 64, 10}, 2},
		"classifier of grey pictures":         {[]int64{1, 32, 48, 10}, 2},
		"colour to grey":                      {[]int64{3, 32, 48, 1}, 2},
		"autoencoder":                         {[]int64{784, 128, 16, 128, 784}, 0},
		"autoencoder, one latent":             {[]int64{48, 32, 1, 32, 48}, 0},
		"grey to grey, which looks like that": {[]int64{1, 32, 48, 32, 1}, 0},
		"autoencoder, deep":                   {[]int64{3, 64, 64, 64, 8, 64, 64, 3}, 0},
		"one layer":                           {[]int64{64, 10}, 0},
	} {
		var all tensor.Tensors
		for i, in := range c.sizes[:len(c.sizes)-1] {
			out := c.sizes[i+1]
			all = append(all, &tensor.Tensor{Name: string(rune('a'+i)) + ".weight", DType: tensor.F32, Shape: []int64{out, in, 3, 3}, Data: counting(9 * in * out)})
		}
		require.Len(t, Map(all).Exchangeable(), c.found, name)
	}
}
