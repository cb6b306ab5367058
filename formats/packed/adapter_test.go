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

// GGUF adapters name the base's tensors as its GGUF file does.
func TestGGUFAdapter(t *testing.T) {
	base := zoo.New()
	base.Add("blk.0.attn_q.weight", []float32{1, 2, 3, 4, 5, 6}, 3, 2)
	a := zoo.New()
	a.Meta["general.type"], a.Meta["adapter.type"], a.Meta["adapter.lora.alpha"] = "adapter", "lora", 4.0
	a.Add("blk.0.attn_q.weight.lora_a", []float32{1, 10, 100, 1000}, 2, 2)
	a.Add("blk.0.attn_q.weight.lora_b", []float32{1, 0, 0, 1, 1, 1}, 3, 2)
	require.True(t, packed.IsAdapter(a))
	m, err := packed.NewAdapter(base, a)
	require.NoError(t, err)
	require.Equal(t, []string{"blk.0.attn_q"}, m.Targets)
	got := make([]float32, 6)
	require.NoError(t, m.Tensors()[0].Data.ReadValues(context.Background(), got, 0))
	require.Equal(t, []float32{3, 22, 203, 2004, 207, 2026}, got)
}

// Of several faults the first by name is reported, in whatever order the
// tensors stand; names that fit several tensors, and kinds that are not read,
// are refused.
func TestAdapterErrors(t *testing.T) {
	one := func(names ...string) *zoo.Model {
		m := zoo.New()
		for _, n := range names {
			m.Add(n, []float32{1, 1}, 1, 2)
		}
		return m
	}
	for range 20 {
		_, err := packed.NewAdapter(base(), one("z.lora_A.weight", "b.lora_A.weight", "m.lora_B.weight", "a.lora_B.weight"))
		require.ErrorContains(t, err, "module a:")
	}
	twice := zoo.New()
	twice.Add("x.layers.0.q.weight", make([]float32, 4), 2, 2)
	twice.Add("y.layers.0.q.weight", make([]float32, 4), 2, 2)
	_, err := packed.NewAdapter(twice, one("lora_unet_layers_0_q.lora_down.weight", "lora_unet_layers_0_q.lora_up.weight"))
	require.ErrorContains(t, err, "several of the base's tensors have names that fit: x.layers.0.q.weight and y.layers.0.q.weight")
	for _, n := range []string{"layer.q.hada_t1", "layer.q.lokr_t2", "layer.q.lora_mid.weight", "base_model.model.layer.q.ia3_l", "layer.q.oft_blocks", "layer.q.diff_b"} {
		_, err := packed.NewAdapter(base(), one(n))
		require.ErrorIs(t, err, tensor.ErrUnsupported, n)
		require.ErrorContains(t, err, n)
	}
	ia3 := one("base_model.model.layer.q.lora_A.weight")
	ia3.Meta["adapter.peft_type"] = "IA3"
	require.True(t, packed.IsAdapter(ia3))
	_, err = packed.NewAdapter(base(), ia3)
	require.ErrorContains(t, err, "adapters of the kind IA3 are not read")
	said := func(names ...string) bool {
		m := one(names...)
		m.Meta["adapter.peft_type"] = "LORA"
		return packed.IsAdapter(m)
	}
	require.True(t, said("x.lora_A.weight", "y.weight"), "a module saved whole")
	require.True(t, said("x.lora_A.weight", "emb.lora_embedding_A", "emb.base_layer.weight"), "an embedding saved whole")
	require.True(t, said("base_model.model.y.weight"), "nothing but modules saved whole")
	require.False(t, said("x.base_layer.weight", "x.lora_A.weight"), "not merged yet")
	require.False(t, said("x.weight"), "merged")
	require.False(t, said())
	require.False(t, packed.IsAdapter(one("crf.alpha", "crf.diff")))
	require.False(t, packed.IsAdapter(base()))
}
