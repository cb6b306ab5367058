package zoo

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Shape is the size of a Llama-like network.
type Shape struct {
	Layers, Hidden, Width, Heads, KVHeads, HeadDim, Vocab int
	Untied                                                bool
}

// Quirks are things found in real weights that must not disturb a test.
type Quirks struct {
	Ties       float64 // share of units that are near copies of another
	Coarse     float64 // values rounded to multiples of this
	Common     float64 // length of a row that all units share, relative to their own
	Heavy      bool    // a few columns carry most of the length
	Correlated bool    // columns are correlated
	Gains      float64 // norm gains are e to a normal deviate times this; 0 leaves them at one
}

// Random returns a freshly initialised network: what two strangers look like
// when nothing was learned, with the quirks asked for.
func Random(r *rand.Rand, s Shape, q Quirks) *Model {
	m := New()
	m.Meta["config.model_type"] = "llama"
	m.Meta["config.num_attention_heads"] = int64(s.Heads)
	m.Meta["config.num_key_value_heads"] = int64(s.KVHeads)
	m.Meta["config.head_dim"] = int64(s.HeadDim)
	add := func(name string, rows, cols int) {
		m.Add(name, matrix(r, rows, cols, q), int64(rows), int64(cols))
	}
	gains := func(name string, n int) {
		v := make([]float32, n)
		for i := range v {
			v[i] = 1
			if q.Gains > 0 {
				v[i] = float32(math.Exp(q.Gains * r.NormFloat64()))
			}
		}
		m.Add(name, v, int64(n))
	}
	add("model.embed_tokens.weight", s.Vocab, s.Hidden)
	for l := range s.Layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		gains(p+"input_layernorm.weight", s.Hidden)
		add(p+"self_attn.q_proj.weight", s.Heads*s.HeadDim, s.Hidden)
		add(p+"self_attn.k_proj.weight", s.KVHeads*s.HeadDim, s.Hidden)
		add(p+"self_attn.v_proj.weight", s.KVHeads*s.HeadDim, s.Hidden)
		add(p+"self_attn.o_proj.weight", s.Hidden, s.Heads*s.HeadDim)
		gains(p+"post_attention_layernorm.weight", s.Hidden)
		add(p+"mlp.gate_proj.weight", s.Width, s.Hidden)
		add(p+"mlp.up_proj.weight", s.Width, s.Hidden)
		add(p+"mlp.down_proj.weight", s.Hidden, s.Width)
	}
	gains("model.norm.weight", s.Hidden)
	if s.Untied {
		add("lm_head.weight", s.Vocab, s.Hidden)
	}
	return m
}

// matrix draws rows that are exchangeable, with the quirks asked for.
func matrix(r *rand.Rand, rows, cols int, q Quirks) []float32 {
	common := normal(r, cols, q.Common)
	scale := make([]float64, cols)
	for k := range scale {
		scale[k] = 1
		if q.Heavy && k%13 == 5 {
			scale[k] = 30
		}
	}
	out := make([]float32, rows*cols)
	for i := range rows {
		row := out[i*cols : (i+1)*cols]
		source := normal(r, cols, 1)
		if q.Ties > 0 && i > 0 && r.Float64() < q.Ties {
			copyOf := out[r.IntN(i)*cols:]
			for k := range source {
				source[k] = float64(copyOf[k])/scale[k] - common[k] + 1e-3*source[k]
			}
		}
		last := 0.0
		for k := range row {
			v := source[k]
			if q.Correlated {
				v = 0.8*last + 0.6*v
				last = v
			}
			v = (v + common[k]) * scale[k]
			if q.Coarse > 0 {
				v = math.Round(v/q.Coarse) * q.Coarse
			}
			row[k] = float32(v)
		}
	}
	// Near copies stand behind their originals: shuffle, so that the order
	// of the units carries nothing.
	r.Shuffle(rows, func(i, j int) {
		for k := range cols {
			out[i*cols+k], out[j*cols+k] = out[j*cols+k], out[i*cols+k]
		}
	})
	return out
}

func normal(r *rand.Rand, n int, sd float64) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = r.NormFloat64() * sd
	}
	return v
}
