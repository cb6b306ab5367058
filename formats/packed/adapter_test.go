package packed_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
)

func base() *zoo.Model {
	m := zoo.New()
	m.Add("layer.q.weight", []float32{1, 2, 3, 4, 5, 6}, 3, 2)
	m.Add("norm.weight", []float32{1, 1}, 2)
	return m
}

func adapter(a, b string) *zoo.Model {
	m := zoo.New()
	m.Meta["adapter.peft_type"] = "LORA"
	m.Meta["adapter.lora_alpha"] = int64(4)
	m.Add(a, []float32{1, 10, 100, 1000}, 2, 2)
	m.Add(b, []float32{1, 0, 0, 1, 1, 1}, 3, 2)
	return m
}

const nameA, nameB = "base_model.model.layer.q.lora_A.weight", "base_model.model.layer.q.lora_B.weight"

func TestAdapterAddsTheScaledProduct(t *testing.T) {
	m, err := packed.NewAdapter(base(), adapter(nameA, nameB))
	require.NoError(t, err)
	require.Equal(t, 2, m.Rank)
	require.Equal(t, 2.0, m.Scale)
	q, ok := m.Tensor("layer.q.weight")
	require.True(t, ok)
	want := []float32{1 + 2*1, 2 + 2*10, 3 + 2*100, 4 + 2*1000, 5 + 2*101, 6 + 2*1010}
	for first := range 6 {
		for n := 1; first+n <= 6; n++ {
			got := make([]float32, n)
			require.NoError(t, q.Data.ReadValues(context.Background(), got, int64(first)))
			require.Equal(t, want[first:first+n], got)
		}
	}
	norm, ok := m.Tensor("norm.weight")
	require.True(t, ok)
	require.EqualValues(t, 2, norm.Len())
}

// PEFT lets alpha differ by module, and be a fraction.
func TestAlphaByModule(t *testing.T) {
	for name, c := range map[string]struct {
		key   string
		value any
		scale float64
	}{
		"whole name":    {"adapter.alpha_pattern.layer.q", int64(6), 3},
		"end of a name": {"adapter.alpha_pattern.q", 3.0, 1.5},
		"pattern":       {"adapter.alpha_pattern.lay.*", int64(2), 1},
		"other module":  {"adapter.alpha_pattern.ayer.q", int64(2), 2},
		"for all":       {"adapter.lora_alpha", 1.0, 0.5},
	} {
		a := adapter(nameA, nameB)
		a.Meta[c.key] = c.value
		m, err := packed.NewAdapter(base(), a)
		require.NoError(t, err, name)
		require.Equal(t, c.scale, m.Scale, name)
	}
	broken := adapter(nameA, nameB)
	broken.Meta["adapter.alpha_pattern.("] = int64(1)
	_, err := packed.NewAdapter(base(), broken)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
}

func TestAdaptersThatDoNotFit(t *testing.T) {
	dora := adapter(nameA, nameB)
	dora.Meta["adapter.use_dora"] = true
	noScale := adapter(nameA, nameB)
	delete(noScale.Meta, "adapter.lora_alpha")
	for name, c := range map[string]struct {
		m    *zoo.Model
		want error
	}{
		"of another module":    {adapter("base_model.model.x.lora_A.weight", "base_model.model.x.lora_B.weight"), tensor.ErrFormat},
		"half of a pair":       {adapter(nameA, "base_model.model.x.lora_B.weight"), tensor.ErrFormat},
		"without its B":        {adapter(nameA, "base_model.model.layer.q.lora_magnitude_vector"), tensor.ErrFormat},
		"DoRA without lengths": {dora, tensor.ErrFormat},
		"without a scale":      {noScale, tensor.ErrFormat},
		"of another shape":     {adapter("base_model.model.norm.lora_A.weight", "base_model.model.norm.lora_B.weight"), tensor.ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := packed.NewAdapter(base(), c.m)
			require.ErrorIs(t, err, c.want)
		})
	}
}
