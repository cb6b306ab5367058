package calibrated_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

func layer(l int, name string) string { return fmt.Sprintf("model.layers.%d.%s", l, name) }

// ofHeads runs the tests on heads.
func ofHeads(t *testing.T, a, b tensor.Model) map[string]similarity.Evidence {
	t.Helper()
	p := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte{1}, align.NoLimit)
	all, err := similarity.Run(context.Background(), p, []*similarity.Test{calibrated.QKPlanes(), calibrated.OVSpectra()})
	require.NoError(t, err)
	out := map[string]similarity.Evidence{}
	for _, e := range all {
		out[e.Test] = e
	}
	return out
}

// TestLongerHeads: heads that were made longer by planes between the old ones are
// compared in the planes that both have, by frequency.
func TestLongerHeads(t *testing.T) {
	b := adversary.Build{Layers: 3, Hidden: 48, Width: 64, Heads: 4, KV: 2, Dim: 16, Vocab: 48}
	r := rand.New(rand.NewPCG(41, 1))
	victim, stranger := adversary.New(r, b), adversary.New(r, b)
	for _, e := range adversary.Evasions {
		if e.Name != "heads twice as long, all moves, vocabulary shuffled" {
			continue
		}
		made := e.Apply(r, victim.Clone())
		require.Equal(t, 32, made.Dim)
		for _, sides := range [][2]*adversary.Decoder{{victim, made}, {made, victim}} {
			for test, x := range ofHeads(t, sides[0].Model(), sides[1].Model()) {
				require.Empty(t, x.Skipped, test)
				require.Greater(t, x.Effect, 0.99, test)
			}
		}
		for test, x := range ofHeads(t, stranger.Model(), made.Model()) {
			require.Less(t, x.Effect, map[string]float64{"qk-phases": 0.2, "qk-sizes": 0.5, "ov-spectra": 0.85}[test], test)
		}
		return
	}
	t.Fatal("no such disguise")
}

// TestFrequenciesUnknown: without a declared base longer heads cannot be paired.
func TestFrequenciesUnknown(t *testing.T) {
	short := shape
	long := shape
	long.HeadDim = 32
	r := rand.New(rand.NewPCG(42, 1))
	a, b := zoo.Random(r, short, zoo.Quirks{}), zoo.Random(r, long, zoo.Quirks{})
	for _, m := range []*zoo.Model{a, b} {
		delete(m.Meta, "config.rope_theta")
	}
	require.NotEmpty(t, ofHeads(t, a, b)["qk-sizes"].Skipped)
	a.Meta["config.rope_theta"], b.Meta["config.rope_theta"] = 1e4, 3e7
	require.Contains(t, ofHeads(t, a, b)["qk-sizes"].Skipped, "too few planes in common")
	b.Meta["config.rope_theta"] = 1e8
	require.Empty(t, ofHeads(t, a, b)["qk-sizes"].Skipped)
}

// TestSharedKeysGivenToAll: keys and values of groups, written once for each query
// head, leave the products of heads as they are.
func TestSharedKeysGivenToAll(t *testing.T) {
	m := network(5)
	c := zoo.New()
	for k, v := range m.Meta {
		c.Meta[k] = v
	}
	c.Meta["config.num_key_value_heads"] = int64(shape.Heads)
	group := shape.Heads / shape.KVHeads
	run := shape.HeadDim * shape.Hidden
	for _, x := range m.Tensors() {
		old := m.Values(x.Name)
		if !strings.Contains(x.Name, "k_proj") && !strings.Contains(x.Name, "v_proj") {
			c.Add(x.Name, old, x.Shape...)
			continue
		}
		var rows []float32
		for h := range shape.Heads {
			rows = append(rows, old[h/group*run:(h/group+1)*run]...)
		}
		c.Add(x.Name, rows, int64(shape.Heads*shape.HeadDim), int64(shape.Hidden))
	}
	for test, x := range ofHeads(t, m, c) {
		require.Empty(t, x.Skipped, test)
		require.InDelta(t, 1, x.Effect, 1e-4, test)
	}
}

// TestLatentValues: values that pass through a latent vector move what their product
// moves.
func TestLatentValues(t *testing.T) {
	const latent, rope = 24, 8
	r := rand.New(rand.NewPCG(43, 1))
	normal := func(n int) []float32 {
		out := make([]float32, n)
		for i := range out {
			out[i] = float32(r.NormFloat64())
		}
		return out
	}
	h, d, n := shape.Hidden, shape.HeadDim, shape.Heads
	low, whole := zoo.New(), zoo.New()
	add := func(m *zoo.Model, name string, values []float32, rows int) {
		m.Add(name, values, int64(rows), int64(len(values)/rows))
	}
	low.Meta = tensor.Metadata{"config.model_type": "deepseek_v2", "config.hidden_size": int64(h), "config.num_attention_heads": int64(n), "config.kv_lora_rank": int64(latent), "config.qk_nope_head_dim": int64(d), "config.qk_rope_head_dim": int64(rope), "config.v_head_dim": int64(d)}
	whole.Meta = tensor.Metadata{"config.model_type": "llama", "config.hidden_size": int64(h), "config.num_attention_heads": int64(n), "config.num_key_value_heads": int64(n), "config.head_dim": int64(d), "config.rope_theta": 1e4}
	for l := range 3 {
		in, out, o := normal((latent+rope)*h), normal(n*2*d*latent), normal(h*n*d)
		name := func(s string) string { return layer(l, "self_attn."+s+".weight") }
		add(low, name("kv_a_proj_with_mqa"), in, latent+rope)
		add(low, name("kv_b_proj"), out, n*2*d)
		add(low, name("q_proj"), normal(n*(d+rope)*h), n*(d+rope))
		add(low, name("o_proj"), o, h)
		values := make([]float32, n*d*h)
		for i := range n * d {
			for k := range h {
				for c := range latent {
					values[i*h+k] += out[((i/d)*2*d+d+i%d)*latent+c] * in[c*h+k]
				}
			}
		}
		add(whole, name("v_proj"), values, n*d)
		add(whole, name("q_proj"), normal(n*d*h), n*d)
		add(whole, name("k_proj"), normal(n*d*h), n*d)
		add(whole, name("o_proj"), o, h)
		for _, m := range []*zoo.Model{low, whole} {
			for part, rows := range map[string]int{"gate": 32, "up": 32, "down": h} {
				add(m, layer(l, "mlp."+part+"_proj.weight"), normal(32*h), rows)
			}
		}
	}
	x := ofHeads(t, low, whole)["ov-spectra"]
	require.Empty(t, x.Skipped)
	require.InDelta(t, 1, x.Effect, 1e-3)
	require.False(t, math.IsNaN(x.Effect))
}
