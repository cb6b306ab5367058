package roles_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/archs"
	"github.com/weightprint/weightprint/internal/zoo"
)

// samples reads the table of architectures.
func samples(t testing.TB) []*archs.Architecture {
	all, err := archs.All()
	require.NoError(t, err)
	require.Greater(t, len(all), 100)
	return all
}

// model makes a network without values.
func model(a *archs.Architecture) *header {
	h := &header{meta: a.Meta}
	for _, name := range a.Tensors {
		n, _ := tensor.Elements(a.Shapes[name])
		h.tensors = append(h.tensors, &tensor.Tensor{Name: name, DType: tensor.F32, Shape: a.Shapes[name], Data: zeros(n)})
	}
	return h
}

// describe puts a tower in the words of the table.
func describe(t *roles.Tower) string {
	s := fmt.Sprintf("%s layers %d hidden %d heads %d kv %d dim %d", t.Name, len(t.Layers), t.Hidden, t.Heads, t.KVHeads, t.HeadDim)
	if t.Rotary != roles.NoRotary {
		s += fmt.Sprintf(" rotary %s %d", t.Rotary, t.RotaryDim)
	}
	if t.Permuted {
		s += " permuted"
	}
	if t.RMSNorm {
		s += " rms"
	}
	return s
}

// Every tensor of every architecture has the role that the table gives it;
// "generic" are those without a known one.
func TestRolesOfFamilies(t *testing.T) {
	for _, s := range samples(t) {
		t.Run(s.Name, func(t *testing.T) {
			net := roles.Map(model(s))
			require.Empty(t, net.Warnings)
			require.Equal(t, s.Family, net.Family)
			var towers []string
			for _, x := range net.Towers {
				towers = append(towers, describe(x))
			}
			require.Equal(t, s.Towers, towers)
			got := map[string]string{}
			for _, a := range net.Roles {
				require.NotContains(t, got, a.Tensor.Name, "two roles")
				got[a.Tensor.Name] = a.Role
				if strings.HasPrefix(a.Role, "generic.") {
					got[a.Tensor.Name] = "generic"
				}
			}
			require.Equal(t, s.Roles, got)
			complete(t, net)
		})
	}
}

// complete requires that layers with attention or an MLP have all of it, that
// everything reads and writes the residual stream, and that every value of a
// matrix role is seen by exactly one view.
func complete(t *testing.T, net *roles.Network) {
	seen := map[*tensor.Tensor]int64{}
	for _, m := range net.Matrices() {
		require.Positive(t, m.Rows*m.Cols, m.Role)
		seen[m.Tensor] += int64(m.Rows) * int64(m.Cols)
	}
	for _, a := range net.Roles {
		if n, ok := seen[a.Tensor]; ok {
			require.Equal(t, a.Tensor.Len(), n, "values of %s in views", a.Tensor.Name)
		} else {
			require.True(t, len(a.Tensor.Shape) < 2 || a.Role == "table" || strings.HasSuffix(a.Role, ".bias") || strings.HasSuffix(a.Role, "_norm"), "%s (%s) is in no view", a.Tensor.Name, a.Role)
		}
	}
	for _, tower := range net.Towers {
		for _, l := range tower.Layers {
			if l.Q != nil || l.O != nil {
				for i, m := range []*roles.Matrix{l.Q, l.K, l.V, l.O} {
					require.NotNil(t, m, "layer %d: attention %d", l.Index, i)
				}
				require.Equal(t, tower.Hidden, l.O.Rows)
			}
			for _, e := range l.MLPs() {
				require.Equal(t, tower.Hidden, e.Up.Cols, e.Up.Role)
				require.Equal(t, tower.Hidden, e.Down.Rows, e.Down.Role)
				require.Equal(t, e.Width(), e.Down.Cols, e.Down.Role)
				require.True(t, e.Gate == nil || e.Gate.Rows == e.Up.Rows && e.Gate.Cols == e.Up.Cols)
			}
		}
	}
}

// A name stands in one row of the tables.
func TestNamesAreUnambiguous(t *testing.T) {
	require.Empty(t, roles.TwiceListed())
}

// Files of one model in two formats give the same roles, whatever is fused.
func TestFormatsGiveTheSameMatrices(t *testing.T) {
	by := map[string]*archs.Architecture{}
	for _, s := range samples(t) {
		by[s.Name] = s
	}
	matrices := func(name string) []string {
		require.Contains(t, by, name)
		var out []string
		for _, m := range roles.Map(model(by[name])).Matrices() {
			if !strings.HasPrefix(m.Role, "generic.") {
				out = append(out, fmt.Sprintf("%s %d×%d", m.Role, m.Rows, m.Cols))
			}
		}
		slices.Sort(out)
		return out
	}
	for _, pair := range [][2]string{
		{"llama3", "gguf-llama"}, {"llama3", "llama-meta"}, {"llama3", "internlm2"}, {"mixtral", "gguf-mixtral"}, {"qwen2_moe", "gguf-qwen2moe"}, {"qwen3_moe", "gguf-qwen3moe"},
		{"gemma2", "gguf-gemma2"}, {"gemma3_text", "gguf-gemma3"}, {"phi3", "gguf-phi3"}, {"olmo2", "gguf-olmo2"}, {"olmoe", "gguf-olmoe"},
		{"deepseek_v2", "gguf-deepseek2-kv_b"}, {"deepseek_v3", "gguf-deepseek2"}, {"glm4", "gguf-glm4"}, {"glm4_moe", "gguf-glm4moe"}, {"falcon40b", "gguf-falcon"}, {"bloom", "gguf-bloom"},
		{"gpt2", "gguf-gpt2"}, {"gptj", "gguf-gptj"}, {"gpt_neox", "gguf-gptneox"}, {"gpt_bigcode", "gguf-starcoder"}, {"gpt_oss", "gguf-gpt-oss"}, {"t5-v1_1", "gguf-t5"}, {"minilm", "gguf-bert"},
		{"bert", "bert-flax"}, {"bert", "bert-keras"}, {"bert", "bert-tensorflow"},
	} {
		require.Equal(t, matrices(pair[0]), matrices(pair[1]), "%v", pair)
	}
}

// A network of no known family still gives matrices to compare.
func TestGenericNetwork(t *testing.T) {
	m := zoo.New()
	m.Add("conv.weight", make([]float32, 16*3*3*3), 16, 3, 3, 3)
	m.Add("norm1.weight", make([]float32, 16), 16)
	m.Add("stages.0.norm1.weight", make([]float32, 16), 16)
	m.Add("fc.weight", make([]float32, 20*64), 20, 64)
	m.Add("fc.bias", make([]float32, 20), 20)
	net := roles.Map(m)
	require.Empty(t, net.Towers)
	require.Len(t, net.Generic, 2)
	require.Equal(t, 27, net.Generic[0].Cols)
	require.Len(t, net.Vectors, 2)
}

// Masks and frequencies are set aside, but their names hide no weights.
func TestTables(t *testing.T) {
	net := roles.Map(parse(`config.model_type=gpt2
config.num_attention_heads=2
h.0.attn.c_attn.weight 8 24
h.0.attn.c_attn.bias 24
h.0.attn.bias 1 1 16 16
h.0.attn.masked_bias
h.1.attn.c_attn.weight 8 24
h.1.attn.c_attn.bias 24
h.1.attn.bias 8 32
h.1.attn.rotary_emb.inv_freq 32 8`))
	got := map[string]string{}
	for _, a := range net.Roles {
		got[a.Tensor.Name] = a.Role
	}
	require.Equal(t, "table", got["h.0.attn.bias"])
	require.Equal(t, "table", got["h.0.attn.masked_bias"])
	require.Equal(t, "generic.0", got["h.1.attn.bias"])
	require.Equal(t, "generic.1", got["h.1.attn.rotary_emb.inv_freq"])
	require.Len(t, net.Generic, 2)
}

// The time that many names take grows with their number only:
// ten times the names take some ten times as long. Other work on the machine
// can only add to a measurement, so the shortest of a few counts.
func TestManyNames(t *testing.T) {
	few, many := 1_000, 10_000
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		few, many = 10_000, 100_000
	}
	for kind, name := range map[string]func(i int) string{
		"layers":   func(i int) string { return fmt.Sprintf("model.layers.%d.self_attn.q_proj.weight", i) },
		"experts":  func(i int) string { return fmt.Sprintf("model.layers.%d.mlp.experts.%d.up_proj.weight", i/1000, i*7) },
		"towers":   func(i int) string { return fmt.Sprintf("t%d.layers.0.self_attn.q_proj.weight", i) },
		"outside":  func(i int) string { return fmt.Sprintf("t%d.a.b.c.d.e.embed_tokens.weight", i) },
		"unknown":  func(i int) string { return fmt.Sprintf("x%d.%d.%d.weight", i, i%7, i%11) },
		"far away": func(i int) string { return fmt.Sprintf("model.layers.%d.mlp.experts.999999.up_proj.weight", i) },
	} {
		t.Run(kind, func(t *testing.T) {
			shortest := func(n int, enough time.Duration) time.Duration {
				m := zoo.New()
				values := make([]float32, 4)
				for i := range n {
					m.Add(name(i), values, 2, 2)
				}
				best := time.Hour
				for try := 0; try < 4 && best > enough; try++ {
					start := time.Now()
					require.Len(t, roles.Map(m).Roles, n)
					best = min(best, time.Since(start))
				}
				return best
			}
			short := shortest(few, 0)
			limit := max(2*time.Second, 40*short)
			require.Less(t, shortest(many, limit), limit)
		})
	}
}

// gathered reads all rows of a view.
func gathered(t *testing.T, m *roles.Matrix) []float32 {
	t.Helper()
	x := make([]float32, m.Rows*m.Cols)
	require.NoError(t, m.Gather(context.Background(), x, m.All()))
	return x
}

// The words that training frameworks put around modules change no role.
func TestWrappersInNames(t *testing.T) {
	for _, s := range samples(t) {
		plain := roles.Map(model(s))
		for _, w := range []string{"_fsdp_wrapped_module", "_orig_mod", "module"} {
			wrapped := *s
			wrapped.Shapes, wrapped.Tensors = map[string][]int64{}, nil
			for _, name := range s.Tensors {
				words := strings.Split(name, ".")
				at := max(0, len(words)-2) // before the module that holds the tensor
				long := strings.Join(slices.Insert(words, at, w), ".")
				wrapped.Tensors, wrapped.Shapes[long] = append(wrapped.Tensors, long), s.Shapes[name]
			}
			net := roles.Map(model(&wrapped))
			require.Equal(t, len(plain.Roles), len(net.Roles), s.Name)
			for i, a := range net.Roles {
				require.Equal(t, plain.Roles[i].Role, a.Role, "%s: %s", s.Name, a.Tensor.Name)
			}
		}
	}
}

// The stacks of a U-Net stand in one order in either layout, whose numbers have one
// digit or two.
func TestStacksOfUNets(t *testing.T) {
	widths := func(prefixes ...string) (out []int) {
		m := zoo.New()
		for i, p := range prefixes {
			hidden := int64(8 * (i + 1))
			for _, x := range []string{"to_q", "to_k", "to_v", "to_out.0"} {
				m.Add(p+".transformer_blocks.0.attn1."+x+".weight", make([]float32, hidden*hidden), hidden, hidden)
			}
			m.Add(p+".transformer_blocks.0.norm1.weight", make([]float32, hidden), hidden)
		}
		for _, tower := range roles.Map(m).Towers {
			out = append(out, tower.Hidden)
		}
		return out
	}
	want := []int{8, 16, 24, 32, 40, 48}
	require.Equal(t, want, widths("down_blocks.0.attentions.0", "down_blocks.0.attentions.1", "down_blocks.3.attentions.0", "mid_block.attentions.0", "up_blocks.1.attentions.0", "up_blocks.3.attentions.2"))
	require.Equal(t, want, widths("model.diffusion_model.input_blocks.1.1", "model.diffusion_model.input_blocks.2.1", "model.diffusion_model.input_blocks.10.1", "model.diffusion_model.middle_block.1",
		"model.diffusion_model.output_blocks.3.1", "model.diffusion_model.output_blocks.11.1"))
}

// Which tensor stands first in a file says nothing of its family.
func TestFamilyInAnyOrder(t *testing.T) {
	names := []string{"intermediate.dense", "output.dense", "attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"}
	for first := range names {
		m := zoo.New()
		for i := range names {
			name := names[(first+i)%len(names)]
			rows, cols := int64(16), int64(16)
			switch name {
			case "intermediate.dense":
				rows = 32
			case "output.dense":
				cols = 32
			}
			m.Add("encoder.layer.0."+name+".weight", make([]float32, rows*cols), rows, cols)
		}
		require.Equal(t, "bert", roles.Map(m).Family, names[first])
	}
}

// ALBERT applies one layer, or a few, again and again; its embeddings are narrower than what
// the layers read, and generic.
func TestALBERT(t *testing.T) {
	m := zoo.New()
	const h, f, e, layer = 32, 64, 8, "albert.encoder.albert_layer_groups.0.albert_layers.0."
	add := func(name string, shape ...int64) {
		n, _ := tensor.Elements(shape)
		m.Add(name, make([]float32, n), shape...)
	}
	add("albert.embeddings.word_embeddings.weight", 100, e)
	add("albert.encoder.embedding_hidden_mapping_in.weight", h, e)
	for name, shape := range map[string][2]int64{"attention.query": {h, h}, "attention.key": {h, h}, "attention.value": {h, h}, "attention.dense": {h, h}, "ffn": {f, h}, "ffn_output": {h, f}} {
		add(layer+name+".weight", shape[0], shape[1])
		add(layer+name+".bias", shape[0])
	}
	add(layer+"attention.LayerNorm.weight", h)
	add(layer+"full_layer_layer_norm.weight", h)
	for _, declared := range []bool{false, true} {
		if declared {
			m.Meta["config.model_type"], m.Meta["config.num_attention_heads"] = "albert", int64(4)
		}
		n := roles.Map(m)
		require.Equal(t, "bert", n.Family)
		require.Len(t, n.Towers, 1)
		require.Equal(t, h, n.Towers[0].Hidden)
		require.Len(t, n.Towers[0].Layers, 1)
		l := n.Towers[0].Layers[0]
		for _, x := range []*roles.Matrix{l.Q, l.K, l.V, l.O, l.Experts[0].Up, l.Experts[0].Down} {
			require.NotNil(t, x)
			require.NotNil(t, x.Bias)
		}
		require.Equal(t, f, l.Experts[0].Up.Rows)
		require.Len(t, n.Generic, 2, "the narrow embeddings and what widens them")
	}
}
