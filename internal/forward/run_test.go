package forward

import (
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// edited opens a model with some of its metadata replaced; nil takes a key out.
func edited(t *testing.T, name string, edits tensor.Metadata) (*Model, error) {
	t.Helper()
	c, err := formats.Open(t.Context(), filepath.Join("testdata", name), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	meta := maps.Clone(c.Metadata())
	for k, v := range edits {
		meta[k] = v
		if v == nil {
			delete(meta, k)
		}
	}
	return New(roles.Map(c), meta)
}

// Configurations spell one thing in several ways.
func TestSpellings(t *testing.T) {
	for name, edits := range map[string]tensor.Metadata{
		"mistral": {"config.rope_parameters.rope_type": nil, "config.rope_parameters.factor": nil, "config.rope_parameters.rope_theta": nil, "config.rope_theta": 1e4, "config.rope_scaling.type": "linear", "config.rope_scaling.factor": int64(4)},
		"llama3": {"config.rope_parameters.rope_type": nil, "config.rope_parameters.factor": nil, "config.rope_parameters.rope_theta": nil, "config.rope_parameters.original_max_position_embeddings": nil,
			"config.rope_theta": 5e5, "config.rope_scaling.rope_type": "llama3", "config.rope_scaling.factor": 8.0, "config.rope_scaling.original_max_position_embeddings": int64(16)},
		"gemma3": {"config.rope_parameters.sliding_attention.rope_theta": nil, "config.rope_local_base_freq": 1e4, "config.hidden_activation": nil},
		"gpt2":   {"config.activation_function": nil, "config.layer_norm_epsilon": nil},
	} {
		m, g := openGolden(t, name)
		other, err := edited(t, name, edits)
		require.NoError(t, err, name)
		require.Equal(t, output(t.Context(), t, m, g.Text, nil), output(t.Context(), t, other, g.Text, nil), name)
	}
}

// What cannot be run says so.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		name  string
		edits tensor.Metadata
		want  string
	}{
		{"llama", tensor.Metadata{"config.model_type": nil}, "no configuration states its type"},
		{"llama", tensor.Metadata{"config.model_type": "rwkv"}, `"rwkv"`},
		{"llama", tensor.Metadata{"config.hidden_act": "sine"}, `activation "sine"`},
		{"llama", tensor.Metadata{"config.rope_parameters.rope_type": "yarn"}, `method "yarn"`},
		{"llama", tensor.Metadata{"config.rope_parameters.rope_theta": 0.0}, "base of 0"},
		{"mistral", tensor.Metadata{"config.sliding_window": int64(8)}, "window of 8"},
	} {
		_, err := edited(t, c.name, c.edits)
		require.ErrorIs(t, err, ErrUnsupported, c.want)
		require.ErrorContains(t, err, c.want)
	}
	m, _ := openGolden(t, "llama")
	for _, texts := range [][][]int{{{1, 48}}, {{-1}}, {{1, 2}, {3}}, {make([]int, MaxText+1)}} {
		_, err := m.Run(t.Context(), texts, []Variant{nil}, nil)
		require.Error(t, err)
	}
}

func chances(scores []float32) []float64 {
	p := make([]float64, len(scores))
	sum := 0.0
	for k, s := range scores {
		p[k] = math.Exp(float64(s))
		sum += p[k]
	}
	for k := range p {
		p[k] /= sum
	}
	return p
}

// The change is the divergence as it is defined, and 0 of a variant that misses
// nothing; that of an encoder is a relative distance.
func TestChange(t *testing.T) {
	m, g := openGolden(t, "gemma2")
	pass, err := m.Run(t.Context(), g.Text, []Variant{nil, {1: {MLP: true}}, nil}, nil)
	require.NoError(t, err)
	got, err := pass.Change(t.Context())
	require.NoError(t, err)
	all, err := pass.Logits(t.Context())
	require.NoError(t, err)
	want, v := 0.0, 48
	for i := range pass.Tokens {
		p, q := chances(all[i*v:(i+1)*v]), chances(all[(pass.Tokens+i)*v:][:v])
		for k := range p {
			want += p[k] * math.Log(p[k]/q[k]) / float64(pass.Tokens)
		}
	}
	require.InDelta(t, want, got[0], 1e-9)
	require.InDelta(t, 0, got[1], 1e-12)
	require.Greater(t, want, 0.01)

	m, g = openGolden(t, "bert")
	pass, err = m.Run(t.Context(), g.Text, []Variant{nil, {1: {MLP: true}}, nil}, nil)
	require.NoError(t, err)
	got, err = pass.Change(t.Context())
	require.NoError(t, err)
	require.Greater(t, got[0], 0.01)
	require.Zero(t, got[1])
}

// Units that are left at nothing, one after the other, are the MLP left out; half of
// every head's output is not all of it.
func TestCuts(t *testing.T) {
	m, g := openGolden(t, "llama")
	none, half := make([]float32, 40), []float32{0.5, 0.5}
	out := output(t.Context(), t, m, g.Text, Variant{0: {MLP: true}}, Variant{0: {Units: none}}, Variant{1: {Attention: true}}, Variant{1: {Heads: []float32{0, 0}}}, Variant{1: {Heads: half}})
	n := len(out) / 5
	require.Equal(t, out[:n], out[n:2*n])
	require.Equal(t, out[2*n:3*n], out[3*n:4*n])
	require.NotEqual(t, out[2*n:3*n], out[4*n:])
}

// Tokens are drawn as often as the scores say: over 4,000 draws each share is within
// five standard errors of its chance.
func TestSample(t *testing.T) {
	m, g := openGolden(t, "qwen2")
	pass, err := m.Run(t.Context(), g.Text[:1], []Variant{nil}, nil)
	require.NoError(t, err)
	scores, err := pass.Logits(t.Context())
	require.NoError(t, err)
	const draws = 4000
	counts := make([]float64, 48)
	for i := range uint64(draws) {
		tokens, err := pass.Sample(t.Context(), func(token int) func() float64 { return rand.New(rand.NewPCG(i, uint64(token))).Float64 })
		require.NoError(t, err)
		counts[tokens[3]]++
	}
	for k, p := range chances(scores[3*48 : 4*48]) {
		require.InDelta(t, p, counts[k]/draws, 5*math.Sqrt(p*(1-p)/draws)+1e-3)
	}
}
