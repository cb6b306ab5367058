package adversary

import (
	"context"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
)

// Decoder is a Llama-like network in float64, which every attack works on.
type Decoder struct {
	Heads, KV, Dim int     // query heads, key-value heads, head size
	Theta, Eps     float64 // base of the rotary frequencies, constant of the norms

	Embed  *Matrix // a row a token
	Blocks []*Block
	Gain   []float64 // of the last norm
	Head   *Matrix   // nil where the embedding is the head

	Tokens []string // the strings of the rows
	Beyond int      // blocks at the end that the network does not run: extra heads for further tokens

	rows []int // where relabel took each row from, nil where none was moved
}

// Block is one layer: attention, then a gated MLP, each behind a norm.
type Block struct {
	In             []float64
	Q, K, V, O     *Matrix
	Mid            []float64
	Gate, Up, Down *Matrix
}

// matrices of a block by their names in a checkpoint.
func (b *Block) matrices() []named {
	return []named{
		{"self_attn.q_proj", &b.Q}, {"self_attn.k_proj", &b.K}, {"self_attn.v_proj", &b.V}, {"self_attn.o_proj", &b.O},
		{"mlp.gate_proj", &b.Gate}, {"mlp.up_proj", &b.Up}, {"mlp.down_proj", &b.Down},
	}
}

type named struct {
	name string
	at   **Matrix
}

// gains of a block by their names.
func (b *Block) gains() map[string]*[]float64 {
	return map[string]*[]float64{"input_layernorm": &b.In, "post_attention_layernorm": &b.Mid}
}

// Hidden is the width of the residual stream.
func (d *Decoder) Hidden() int { return d.Embed.C }

// Vocab is the number of tokens.
func (d *Decoder) Vocab() int { return d.Embed.R }

// Load reads a network of Llama's shape and names. Tensors it has no place for are
// an error: an attack that lost them would not keep the function.
func Load(ctx context.Context, m tensor.Model, tokens []string) (*Decoder, error) {
	meta := m.Metadata()
	d := &Decoder{Theta: number(meta, "config.rope_theta", 10000), Eps: number(meta, "config.rms_norm_eps", 1e-6), Tokens: tokens}
	read := reader{ctx: ctx, m: m, used: map[string]bool{}}
	d.Embed, d.Gain = read.matrix("model.embed_tokens.weight"), read.vector("model.norm.weight")
	if _, ok := m.Tensor("lm_head.weight"); ok {
		d.Head = read.matrix("lm_head.weight")
	}
	for l := 0; read.has(blockName(l, "mlp.up_proj")); l++ {
		b := &Block{}
		for _, n := range b.matrices() {
			*n.at = read.matrix(blockName(l, n.name))
		}
		for name, at := range b.gains() {
			*at = read.vector(blockName(l, name))
		}
		d.Blocks = append(d.Blocks, b)
	}
	if read.err != nil {
		return nil, read.err
	}
	for _, t := range m.Tensors() {
		if !read.used[t.Name] {
			return nil, fmt.Errorf("adversary: no place for tensor %q", t.Name)
		}
	}
	return d, d.heads(meta)
}

// heads takes the numbers of heads from the metadata and holds them against the
// shapes.
func (d *Decoder) heads(meta tensor.Metadata) error {
	d.Heads, _ = meta.Int("config.num_attention_heads")
	d.KV, _ = meta.Int("config.num_key_value_heads")
	if d.Heads == 0 || len(d.Blocks) == 0 {
		return fmt.Errorf("adversary: no layers, or the number of heads is not stated")
	}
	if d.KV == 0 {
		d.KV = d.Heads
	}
	d.Dim = d.Blocks[0].Q.R / d.Heads
	for _, b := range d.Blocks {
		if b.Q.R != d.Heads*d.Dim || b.K.R != d.KV*d.Dim || b.V.R != b.K.R || b.O.C != b.Q.R || d.Heads%d.KV != 0 || d.Dim%2 != 0 {
			return fmt.Errorf("adversary: %d heads and %d key-value heads do not fit the matrices", d.Heads, d.KV)
		}
	}
	return nil
}

func number(meta tensor.Metadata, key string, otherwise float64) float64 {
	switch v := meta[key].(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return otherwise
}

func blockName(l int, part string) string { return fmt.Sprintf("model.layers.%d.%s.weight", l, part) }

// reader reads tensors until the first error.
type reader struct {
	ctx  context.Context
	m    tensor.Model
	used map[string]bool
	err  error
}

func (r *reader) has(name string) bool { _, ok := r.m.Tensor(name); return ok }

func (r *reader) vector(name string) []float64 { return r.matrix(name).V }

func (r *reader) matrix(name string) *Matrix {
	t, ok := r.m.Tensor(name)
	if !ok || len(t.Shape) == 0 || len(t.Shape) > 2 {
		r.fail(fmt.Errorf("adversary: no matrix %q", name))
		return &Matrix{}
	}
	n, _ := tensor.Elements(t.Shape)
	values := make([]float32, n)
	if err := t.Data.ReadValues(r.ctx, values, 0); err != nil {
		r.fail(fmt.Errorf("adversary: %s: %w", name, err))
	}
	r.used[name] = true
	out := &Matrix{R: int(t.Shape[0]), C: 1, V: make([]float64, n)}
	if len(t.Shape) == 2 {
		out.C = int(t.Shape[1])
	}
	for i, v := range values {
		out.V[i] = float64(v)
	}
	return out
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// Model is the network as a checkpoint in memory, rounded to float32.
func (d *Decoder) Model() *zoo.Model {
	m := zoo.New()
	for key, n := range map[string]int{"num_attention_heads": d.Heads, "num_key_value_heads": d.KV, "head_dim": d.Dim, "hidden_size": d.Hidden(), "num_hidden_layers": len(d.Blocks) - d.Beyond, "intermediate_size": d.Blocks[0].Gate.R, "vocab_size": d.Vocab()} {
		m.Meta["config."+key] = int64(n)
	}
	m.Meta["config.model_type"], m.Meta["config.rope_theta"], m.Meta["config.rms_norm_eps"] = "llama", d.Theta, d.Eps
	m.Meta["config.tie_word_embeddings"] = d.Head == nil
	d.visit(func(name string, rows, cols int, v []float64) {
		out := make([]float32, len(v))
		for i, x := range v {
			out[i] = float32(x)
		}
		if cols == 0 {
			m.Add(name, out, int64(rows))
			return
		}
		m.Add(name, out, int64(rows), int64(cols))
	})
	return m
}

// visit goes through all tensors in the order of a checkpoint; cols is 0 for gains.
func (d *Decoder) visit(f func(name string, rows, cols int, v []float64)) {
	f("model.embed_tokens.weight", d.Embed.R, d.Embed.C, d.Embed.V)
	for l, b := range d.Blocks {
		f(blockName(l, "input_layernorm"), len(b.In), 0, b.In)
		f(blockName(l, "post_attention_layernorm"), len(b.Mid), 0, b.Mid)
		for _, n := range b.matrices() {
			f(blockName(l, n.name), (*n.at).R, (*n.at).C, (*n.at).V)
		}
	}
	f("model.norm.weight", len(d.Gain), 0, d.Gain)
	if d.Head != nil {
		f("lm_head.weight", d.Head.R, d.Head.C, d.Head.V)
	}
}

// Clone copies everything.
func (d *Decoder) Clone() *Decoder {
	c := *d
	c.Embed, c.Gain, c.Blocks, c.Tokens = d.Embed.Clone(), clone(d.Gain), nil, append([]string(nil), d.Tokens...)
	c.rows = append([]int(nil), d.rows...)
	if d.Head != nil {
		c.Head = d.Head.Clone()
	}
	for _, b := range d.Blocks {
		c.Blocks = append(c.Blocks, b.clone())
	}
	return &c
}

func (b *Block) clone() *Block {
	c := &Block{In: clone(b.In), Mid: clone(b.Mid)}
	from := b.matrices()
	for i, n := range c.matrices() {
		*n.at = (*from[i].at).Clone()
	}
	return c
}

func clone(v []float64) []float64 { return append([]float64(nil), v...) }

// rounded returns the network as float32 storage would keep it.
func (d *Decoder) rounded() *Decoder {
	c := d.Clone()
	c.visit(func(_ string, _, _ int, v []float64) {
		for i, x := range v {
			v[i] = float64(float32(x))
		}
	})
	return c
}

// isMatrix tells matrices of the layers from embeddings and gains.
func isMatrix(name string) bool { return strings.Contains(name, "_proj") }

// writesStream tells the matrices that add to the residual stream.
func writesStream(name string) bool {
	return strings.Contains(name, "o_proj") || strings.Contains(name, "down_proj")
}
