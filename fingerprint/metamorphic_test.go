package fingerprint_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/x448/float16"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
)

// item is a tensor before it is stored.
type item struct {
	name     [2]string // as Hugging Face and as llama.cpp call it
	shape    []int64
	values   []float64
	integers bool
}

// draw makes a small network of values that float16 and bfloat16 both hold, and
// of small integers.
func draw(r *rand.Rand) []item {
	h, w, v := int64(1+r.IntN(9)), int64(1+r.IntN(9)), int64(2+r.IntN(9))
	all := []item{
		{name: [2]string{"model.embed_tokens.weight", "token_embd.weight"}, shape: []int64{v, h}},
		{name: [2]string{"model.layers.0.mlp.gate_proj.weight", "blk.0.ffn_gate.weight"}, shape: []int64{w, h}},
		{name: [2]string{"model.layers.0.mlp.up_proj.weight", "blk.0.ffn_up.weight"}, shape: []int64{w, h}},
		{name: [2]string{"model.layers.0.mlp.down_proj.weight", "blk.0.ffn_down.weight"}, shape: []int64{h, w}},
		{name: [2]string{"model.norm.weight", "output_norm.weight"}, shape: []int64{h}},
		{name: [2]string{"some.table", "some.table"}, shape: []int64{v, 1, w}, integers: true},
	}
	for i := range all {
		n, _ := tensor.Elements(all[i].shape)
		for range n {
			all[i].values = append(all[i].values, value(r, all[i].integers))
		}
	}
	return all
}

func value(r *rand.Rand, integer bool) float64 {
	if integer {
		return float64(r.IntN(256) - 128)
	}
	switch r.IntN(20) {
	case 0:
		return math.Copysign(0, float64(r.IntN(2))-0.5)
	case 1:
		return math.NaN()
	case 2:
		return math.Inf(1 - 2*r.IntN(2))
	}
	return math.Ldexp(float64(128+r.IntN(128))*float64(1-2*r.IntN(2)), r.IntN(12)-14)
}

// storage is one way to store a value.
type storage struct {
	name string // in safetensors
	gguf uint32
	put  func(b []byte, v float64) []byte
}

const notInGGUF = math.MaxUint32

var floats = []storage{
	{"BF16", 30, func(b []byte, v float64) []byte {
		return binary.LittleEndian.AppendUint16(b, uint16(math.Float32bits(float32(v))>>16))
	}},
	{"F16", 1, func(b []byte, v float64) []byte {
		return binary.LittleEndian.AppendUint16(b, float16.Fromfloat32(float32(v)).Bits())
	}},
	{"F32", 0, func(b []byte, v float64) []byte {
		return binary.LittleEndian.AppendUint32(b, math.Float32bits(float32(v)))
	}},
	{"F64", 28, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }},
}

var integers = []storage{
	{"I8", 24, func(b []byte, v float64) []byte { return append(b, byte(int8(v))) }},
	{"I16", 25, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint16(b, uint16(int16(v))) }},
	{"I32", 26, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint32(b, uint32(int32(v))) }},
	{"I64", notInGGUF, func(b []byte, v float64) []byte { return binary.LittleEndian.AppendUint64(b, uint64(int64(v))) }},
	floats[2], floats[3],
}

// shard is one container in memory.
type shard struct {
	names  []string
	items  []item
	stored []storage
}

func (s *shard) bytes(i int) (b []byte) {
	for _, v := range s.items[i].values {
		b = s.stored[i].put(b, v)
	}
	return b
}

func (s *shard) safetensors(t testing.TB) []*tensor.Tensor {
	entries := map[string]any{}
	var data []byte
	for i, x := range s.items {
		b := s.bytes(i)
		entries[s.names[i]] = map[string]any{"dtype": s.stored[i].name, "shape": x.shape, "data_offsets": []int{len(data), len(data) + len(b)}}
		data = append(data, b...)
	}
	header, err := json.Marshal(entries)
	require.NoError(t, err)
	file := append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...)
	file = append(file, data...)
	f, err := safetensors.Read(context.Background(), "shard", bytes.NewReader(file), int64(len(file)), nil)
	require.NoError(t, err)
	return f.Tensors()
}

func (s *shard) gguf(t testing.TB) []*tensor.Tensor {
	le := binary.LittleEndian
	b := append([]byte("GGUF"), 3, 0, 0, 0)
	b = le.AppendUint64(b, uint64(len(s.items)))
	b = le.AppendUint64(b, 0)
	var data []byte
	for i, x := range s.items {
		b = le.AppendUint64(b, uint64(len(s.names[i])))
		b = append(b, s.names[i]...)
		b = le.AppendUint32(b, uint32(len(x.shape)))
		for k := range x.shape {
			b = le.AppendUint64(b, uint64(x.shape[len(x.shape)-1-k]))
		}
		b = le.AppendUint32(b, s.stored[i].gguf)
		b = le.AppendUint64(b, uint64(len(data)))
		data = append(data, s.bytes(i)...)
		for len(data)%32 != 0 {
			data = append(data, 0)
		}
	}
	for len(b)%32 != 0 {
		b = append(b, 0)
	}
	b = append(b, data...)
	f, err := gguf.Read(context.Background(), "shard", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return f.Tensors()
}

// joined is a model of several shards.
type joined []*tensor.Tensor

func (j joined) Tensors() []*tensor.Tensor { return j }
func (j joined) Metadata() tensor.Metadata { return tensor.Metadata{} }
func (j joined) Tensor(name string) (*tensor.Tensor, bool) {
	i := slices.IndexFunc(j, func(t *tensor.Tensor) bool { return t.Name == name })
	if i < 0 {
		return nil, false
	}
	return j[i], true
}

// store writes a network in one of countless ways: any order, names, number and
// kinds of containers, and types that lose nothing.
func store(t testing.TB, r *rand.Rand, all []item, spelling int) joined {
	shards := make([]shard, 1+r.IntN(3))
	kinds := make([]bool, len(shards)) // GGUF
	for i := range kinds {
		kinds[i] = r.IntN(2) == 0
	}
	for n, i := range r.Perm(len(all)) {
		x := all[i]
		k := r.IntN(len(shards))
		name := fmt.Sprintf("t%d.%x", n, r.Uint32())
		if spelling < 2 {
			name = x.name[spelling]
		}
		types := floats
		if x.integers {
			types = integers
		}
		as := types[r.IntN(len(types))]
		for kinds[k] && as.gguf == notInGGUF {
			as = types[r.IntN(len(types))]
		}
		shards[k].names = append(shards[k].names, name)
		shards[k].items = append(shards[k].items, x)
		shards[k].stored = append(shards[k].stored, as)
	}
	var out joined
	for k := range shards {
		switch {
		case len(shards[k].items) == 0:
		case kinds[k]:
			out = append(out, shards[k].gguf(t)...)
		default:
			out = append(out, shards[k].safetensors(t)...)
		}
	}
	return out
}

// However a network is stored, its value root is the same; the root over roles
// too as long as the names say which tensor is which. One changed value changes
// both.
func TestRootsFollowTheValuesAlone(t *testing.T) {
	ctx := context.Background()
	cases, each := 2_000, 20
	switch {
	case testing.Short():
		cases = 400
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		cases = 10_000
	}
	o := &fingerprint.Options{Workers: 1}
	compute := func(m tensor.Model) *fingerprint.Fingerprint {
		f, err := fingerprint.Compute(ctx, m, o)
		require.NoError(t, err)
		return f
	}
	for seed := range uint64(cases / each) {
		r := rand.New(rand.NewPCG(seed, 11))
		all := draw(r)
		want := compute(store(t, r, all, 0))
		for n := range each {
			got := compute(store(t, r, all, n%3))
			require.Equal(t, want.Root, got.Root, "seed %d, case %d", seed, n)
			if n%3 < 2 {
				require.Equal(t, want.RoleRoot, got.RoleRoot, "seed %d, case %d", seed, n)
			}
		}
		x := &all[r.IntN(len(all))]
		at := r.IntN(len(x.values))
		x.values[at] = changed(r, x, at)
		got := compute(store(t, r, all, r.IntN(2)))
		require.NotEqual(t, want.Root, got.Root, "seed %d", seed)
		require.NotEqual(t, want.RoleRoot, got.RoleRoot, "seed %d", seed)
	}
}

// changed is another value than the one there; the sign of a zero counts.
func changed(r *rand.Rand, x *item, at int) float64 {
	for {
		v := value(r, x.integers)
		if math.Float64bits(v) != math.Float64bits(x.values[at]) {
			return v
		}
	}
}
