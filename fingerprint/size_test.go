package fingerprint

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// shaped is a model of which only the shapes exist; its values follow from
// their places.
type shaped struct {
	tensors []*tensor.Tensor
	meta    tensor.Metadata
}

type endless struct{ bytes int64 }

func (e endless) StoredBytes() int64 { return e.bytes }
func (e endless) ReadValues(_ context.Context, dst []float32, first int64) error {
	for i := range dst {
		z := uint64(first+int64(i))*0x9e3779b97f4a7c15 + uint64(e.bytes)
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		dst[i] = float32(int32(z>>32)) / (1 << 31)
	}
	return nil
}

func (m *shaped) Tensors() []*tensor.Tensor { return m.tensors }
func (m *shaped) Metadata() tensor.Metadata { return m.meta }
func (m *shaped) Tensor(name string) (*tensor.Tensor, bool) {
	i := slices.IndexFunc(m.tensors, func(t *tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return m.tensors[i], true
}

func (m *shaped) add(name string, shape ...int64) {
	n, _ := tensor.Elements(shape)
	m.tensors = append(m.tensors, &tensor.Tensor{Name: name, DType: tensor.BF16, Shape: shape, Data: endless{2 * n}})
}

// gated is a network of the Llama kind; biases those of q, k and v.
func gated(kind string, layers, hidden, width, kv, vocabulary int64, biases bool) *shaped {
	m := &shaped{meta: tensor.Metadata{"config.model_type": kind, "config.num_attention_heads": int64(32), "config.num_key_value_heads": int64(32) * kv / hidden}}
	m.add("model.embed_tokens.weight", vocabulary, hidden)
	for l := range layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		for _, x := range []struct {
			name       string
			rows, cols int64
		}{{"self_attn.q_proj", hidden, hidden}, {"self_attn.k_proj", kv, hidden}, {"self_attn.v_proj", kv, hidden}, {"self_attn.o_proj", hidden, hidden}, {"mlp.gate_proj", width, hidden}, {"mlp.up_proj", width, hidden}, {"mlp.down_proj", hidden, width}} {
			m.add(p+x.name+".weight", x.rows, x.cols)
			if biases && strings.HasPrefix(x.name, "self_attn") && x.name != "self_attn.o_proj" {
				m.add(p+x.name+".bias", x.rows)
			}
		}
		m.add(p+"input_layernorm.weight", hidden)
		m.add(p+"post_attention_layernorm.weight", hidden)
	}
	m.add("model.norm.weight", hidden)
	m.add("lm_head.weight", vocabulary, hidden)
	return m
}

// neox is a network whose MLPs have no gate and whose every part has a bias.
func neox(layers, hidden, vocabulary int64) *shaped {
	m := &shaped{meta: tensor.Metadata{"config.model_type": "gpt_neox", "config.num_attention_heads": int64(32)}}
	m.add("gpt_neox.embed_in.weight", vocabulary, hidden)
	for l := range layers {
		p := fmt.Sprintf("gpt_neox.layers.%d.", l)
		for _, x := range []struct {
			name       string
			rows, cols int64
		}{{"attention.query_key_value", 3 * hidden, hidden}, {"attention.dense", hidden, hidden}, {"mlp.dense_h_to_4h", 4 * hidden, hidden}, {"mlp.dense_4h_to_h", hidden, 4 * hidden}} {
			m.add(p+x.name+".weight", x.rows, x.cols)
			m.add(p+x.name+".bias", x.rows)
		}
		for _, x := range []string{"input_layernorm", "post_attention_layernorm"} {
			m.add(p+x+".weight", hidden)
			m.add(p+x+".bias", hidden)
		}
	}
	m.add("gpt_neox.final_layer_norm.weight", hidden)
	m.add("gpt_neox.final_layer_norm.bias", hidden)
	m.add("embed_out.weight", vocabulary, hidden)
	return m
}

var shapes = map[string]*shaped{
	"Llama 2 7B":  gated("llama", 32, 4096, 11008, 4096, 32000, false),
	"Mistral 7B":  gated("mistral", 32, 4096, 14336, 1024, 32000, false),
	"Qwen 2.5 7B": gated("qwen2", 28, 3584, 18944, 512, 152064, true),
	"Pythia 6.9B": neox(32, 4096, 50432),
}

// A complete fingerprint of a 7B-shaped model has no more than 64 KiB: every
// number as long as it can be, and digests that do not compress.
func TestSizeOfLargeModels(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	random := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	full := Stats{NonFinite: math.MaxUint32}
	for name, m := range shapes {
		f := &Fingerprint{Version: 2, Complete: true, Parameters: 1 << 33}
		for _, a := range axes(roles.Map(m), 2) {
			n := len(a.units)
			f.Sketches = append(f.Sketches, Sketch{Axis: a.name, Length: a.length, Dim: a.dim, Units: a.units, Trend: n * n / 2, Eligible: make([]bool, n), Words: make([]uint64, n*sketchWords)})
		}
		kinds := map[string]bool{}
		for _, x := range roles.Map(m).Roles {
			if room(x.Tensor) >= statsRoom {
				kinds[kindOf(x.Role)] = true
			}
		}
		for _, x := range byName(m) {
			p := TensorPrint{Name: x.Name, DType: x.DType.String(), Shape: x.Shape}
			random(p.Values[:])
			if l := layoutOf(x); l.leaves() > 1 {
				for i := range p.Blocks {
					random(p.Blocks[i][:])
				}
			}
			if room(x) >= statsRoom {
				p.Stats = &full
			}
			f.Tensors = append(f.Tensors, p)
		}
		for kind := range kinds {
			f.Kinds = append(f.Kinds, KindPrint{kind, 32, full})
		}
		f.Tokens = &Tokens{Vocabulary: roles.Map(m).Tower("main").Embedding.Rows, Signs: make([]uint64, (tokenPairs+63)/64)}
		for k := range tokenCounts[0] { // as many bytes as steps can take
			f.Tokens.Rows = append(f.Tokens.Rows, f.Tokens.Vocabulary/tokenCounts[0]*k)
		}
		for _, p := range probes(roles.Map(m), 2) {
			f.Probes = append(f.Probes, Probes{Axis: p.axis, Length: p.gate.Rows, Units: slices.Repeat([]int{p.gate.Rows - 1}, p.n), Profile: make([]uint64, p.n)})
		}
		require.Len(t, f.Probes, probedLayers)
		n := len(f.encode())
		t.Logf("%s: %d tensors, %d sketches, %d bytes", name, len(f.Tensors), len(f.Sketches), n)
		require.LessOrEqual(t, n, 64<<10, name)
		require.Greater(t, n, 40<<10, name)
	}
}

// What is published of a matrix, in words of 32 bits, is at most a quarter of
// its rows plus columns, for networks of all sizes.
func TestPublishedNumbersOfAMatrix(t *testing.T) {
	all := []*shaped{gated("llama", 2, 16, 32, 16, 50, false), gated("llama", 4, 32, 64, 16, 300, true), gated("llama", 6, 96, 256, 48, 1024, false), neox(3, 48, 1100), neox(6, 128, 2000), gated("llama", 5, 128, 300, 64, 1025, false), gated("llama", 12, 768, 2048, 256, 1500, false)}
	for _, m := range shapes {
		all = append(all, m)
	}
	withTokens := 0
	for i, m := range all {
		words := map[*tensor.Tensor]int{}
		for _, x := range m.tensors {
			if room(x) >= statsRoom {
				words[x] += statsWords
			}
		}
		n := roles.Map(m)
		for _, a := range axes(n, 2) {
			asked := readBy(t, m, func(n *roles.Network) error {
				k := slices.IndexFunc(axes(n, 2), func(x axis) bool { return x.name == a.name })
				return axes(n, 2)[k].read(context.Background(), make([]float32, len(a.units)*a.dim), a.units)
			})
			for _, x := range asked {
				if len(x.Shape) > 1 {
					words[x] += len(a.units) * SketchBits / 32
				}
			}
		}
		for _, p := range probes(n, 2) {
			words[p.gate.Tensor] += p.n // positions
			words[p.up.Tensor] += p.n*profileBits/32 + 1
			words[p.embedding.Tensor] += p.n * probeWords
		}
		if s := shortRowsOf(n, 2); s != nil {
			words[n.Tower("main").Embedding.Tensor] += tokenWords(s.rows)
			withTokens++
		}
		for x, n := range words {
			rows, cols := x.Rows(), x.Cols()
			require.LessOrEqual(t, int64(n), (rows+cols)/4, "network %d: %s %v", i, x.Name, x.Shape)
			require.Greater(t, len(x.Shape), 1, "something is published of the vector %s", x.Name)
		}
	}
	require.Greater(t, withTokens, 5)
}

// readBy lists the tensors that something reads.
func readBy(t *testing.T, m *shaped, read func(*roles.Network) error) []*tensor.Tensor {
	s := newShadow(m)
	n := roles.Map(s)
	ks, err := s.wanted(func() error { return read(n) })
	require.NoError(t, err)
	var out []*tensor.Tensor
	for _, k := range ks {
		out = append(out, k.real)
	}
	return out
}

// Neither a gain nor a bias stands in a fingerprint, in no form and of no
// width.
func TestNoRawVectors(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	m := gated("qwen2", 4, 96, 256, 96, 1024, true)
	var vectors [][]float32
	for _, x := range m.tensors {
		n, _ := tensor.Elements(x.Shape)
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		x.Data, x.DType = values(v), tensor.F32
		if len(x.Shape) == 1 {
			vectors = append(vectors, v)
		}
	}
	f, err := Compute(context.Background(), m, nil)
	require.NoError(t, err)
	b := f.encode()
	for i, x := range f.Tensors {
		if len(x.Shape) == 1 {
			require.Nil(t, f.Tensors[i].Stats)
		}
	}
	for _, v := range vectors {
		for i := range v[:len(v)-1] {
			// Two neighbours, as float32 or by their upper halves.
			wide := binary.LittleEndian.AppendUint32(nil, math.Float32bits(v[i]))
			half := append(wide[2:4:4], binary.LittleEndian.AppendUint32(nil, math.Float32bits(v[i+1]))[2:]...)
			require.NotContains(t, string(b), string(wide))
			require.NotContains(t, string(b), string(half))
		}
	}
}

// values is data in memory.
type values []float32

func (v values) StoredBytes() int64 { return 4 * int64(len(v)) }
func (v values) ReadValues(_ context.Context, dst []float32, first int64) error {
	copy(dst, v[first:])
	return nil
}

// counted counts how often each value is read.
type counted struct {
	values
	reads []atomic.Int32
}

func (c *counted) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for i := range dst {
		c.reads[first+int64(i)].Add(1)
	}
	return c.values.ReadValues(ctx, dst, first)
}

// distinct is how many values were read.
func (c *counted) distinct() (n int) {
	for i := range c.reads {
		if c.reads[i].Load() > 0 {
			n++
		}
	}
	return n
}

// counting fills a model with values whose reads are counted.
func counting(m *shaped, r *rand.Rand) (all []*counted) {
	for _, x := range m.tensors {
		n, _ := tensor.Elements(x.Shape)
		c := &counted{make(values, n), make([]atomic.Int32, n)}
		for i := range c.values {
			c.values[i] = float32(r.NormFloat64())
		}
		x.Data, x.DType = c, tensor.F32
		all = append(all, c)
	}
	return all
}

// What sketches read was said before: exactly, but for the rows that probes
// choose, which are no more than was said.
func TestSketchedSaysWhatIsRead(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 3))
	for _, m := range []*shaped{gated("llama", 4, 96, 256, 48, 1024, false), gated("qwen2", 2, 64, 192, 64, 30, true), neox(4, 96, 1100)} {
		all := counting(m, r)
		said := Sketched(m)
		for _, c := range all {
			require.Zero(t, c.distinct(), "read to say what is read")
		}
		f, err := Compute(context.Background(), m, &Options{SketchOnly: true})
		require.NoError(t, err)
		require.NotEmpty(t, f.Sketches)
		for k, c := range all {
			read := 4 * int64(c.distinct())
			x := m.tensors[k]
			if strings.HasSuffix(x.Name, "up_proj.weight") {
				require.LessOrEqual(t, read, said[x], x.Name)
				continue
			}
			require.Equal(t, read, said[x], x.Name)
		}
	}
}

// Every value is read once, sketches and probes included.
func TestEveryValueIsReadOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for _, m := range []*shaped{gated("llama", 4, 96, 256, 48, 1024, false), gated("qwen2", 2, 64, 192, 64, 30, true), neox(4, 96, 1100)} {
		all := counting(m, r)
		f, err := Compute(context.Background(), m, &Options{Workers: 4, ChunkBytes: 4 << 10})
		require.NoError(t, err)
		require.NotEmpty(t, f.Sketches)
		again := 0
		for _, c := range all {
			require.Equal(t, len(c.reads), c.distinct())
			for i := range c.reads {
				again += int(c.reads[i].Load()) - 1
			}
		}
		if m.meta["config.model_type"] == "gpt_neox" {
			// Here the rows that probes choose are of the tensor they search.
			require.Len(t, f.Probes, 3)
			require.LessOrEqual(t, again, 3*maxProbes*96)
			continue
		}
		require.Zero(t, again)
	}
}
