package packed_test

import (
	"context"
	"errors"
	"io"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
)

// fuzzed lists the endings that a fuzzed module draws from, and
// modules to begin with.
type fuzzed struct {
	endings []string
	seeds   [][]piece
	method  string // that the configuration declares
	meta    func(bits, size int64) tensor.Metadata
}

var fuzzTypes = []tensor.DType{tensor.I32, tensor.F16, tensor.BF16, tensor.F32, tensor.U8, tensor.I8, tensor.F8E4M3, tensor.F8E5M2, tensor.F8E8M0, tensor.I64, tensor.U32}

// cyclic is a file that repeats some bytes for ever.
type cyclic []byte

func (c cyclic) ReadAt(p []byte, off int64) (int, error) {
	if len(c) == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	for i := range p {
		p[i] = c[(off+int64(i))%int64(len(c))]
	}
	return len(p), nil
}

// perEnding is the bytes of a fuzz input that describe one tensor: whether it
// is there, its type, its dimensions, how many bytes of its own it holds.
const perEnding = 7

// encode writes a module as a fuzz input.
func (z fuzzed) encode(all []piece) (shapes, data []byte) {
	data = []byte{0, 0, 0, 0}
	for _, e := range z.endings {
		d := make([]byte, perEnding)
		for _, p := range all {
			if strings.TrimPrefix(p.name, "a") != e && !strings.HasSuffix(p.name, e) {
				continue
			}
			t, _ := tensor.ParseDType(p.dtype)
			for i, x := range fuzzTypes {
				if x == t {
					d[1] = byte(i)
				}
			}
			d[0], d[2] = 1, byte(len(p.shape))
			for i, n := range p.shape {
				d[3+i] = byte(n)
			}
			if p.data != nil {
				data = p.data
			}
		}
		shapes = append(shapes, d...)
	}
	return shapes, data
}

// decode builds the module that an input describes. Sizes always agree with
// shapes and types, as the readers of files see to.
func (z fuzzed) decode(shapes, data []byte, meta tensor.Metadata) *memory {
	m := &memory{meta: meta}
	for _, e := range z.endings {
		if len(shapes) < perEnding {
			break
		}
		d := shapes[:perEnding]
		shapes = shapes[perEnding:]
		if d[0]%2 == 0 {
			continue
		}
		t := fuzzTypes[int(d[1])%len(fuzzTypes)]
		shape := make([]int64, int(d[2])%5)
		n := int64(1)
		for i := range shape {
			shape[i] = int64(d[3+i])
			n *= shape[i]
		}
		if n > 1<<14 {
			continue
		}
		codec, _ := t.Codec()
		m.tensors = append(m.tensors, &tensor.Tensor{Name: "a" + e, DType: t, Shape: shape, Data: &tensor.Stored{
			File: "fuzz", Name: "a" + e, R: cyclic(data), Bytes: n * int64(codec.BlockBytes), DType: t}})
	}
	return m
}

type memory struct {
	meta    tensor.Metadata
	tensors []*tensor.Tensor
}

func (m *memory) Tensors() []*tensor.Tensor            { return m.tensors }
func (m *memory) Tensor(string) (*tensor.Tensor, bool) { return nil, false }
func (m *memory) Metadata() tensor.Metadata            { return m.meta }

// fuzz requires of any module a typed error, or values that do not depend on
// how they are read.
func fuzz(f *testing.F, z fuzzed) {
	for _, s := range z.seeds {
		shapes, data := z.encode(s)
		f.Add(shapes, data, int64(0), int64(0), "")
		f.Add(shapes, data, int64(4), int64(32), "gptq_v2")
	}
	f.Fuzz(func(t *testing.T, shapes, data []byte, bits, size int64, format string) {
		meta := tensor.Metadata{"config.quantization_config.quant_method": z.method, "config.quantization_config.bits": bits, "config.quantization_config.group_size": size,
			"config.quantization_config.checkpoint_format": format, "config.quantization_config.mode": format,
			"config.quantization_config.config_groups.0.weights.num_bits": bits, "config.quantization_config.config_groups.0.weights.group_size": size}
		if z.meta != nil {
			maps.Copy(meta, z.meta(bits, size))
		}
		m, err := packed.Unpack(context.Background(), z.decode(shapes, data, meta))
		if typed(t, err) || m == nil {
			return
		}
		for _, x := range m.Tensors() {
			l, ok := x.Data.(tensor.Lattice)
			n, fits := tensor.Elements(x.Shape)
			if !ok && x.DType != tensor.Named("VQ") {
				continue
			}
			if !fits || n > 1<<21 {
				t.Fatalf("%v values from %d stored bytes", x.Shape, x.StoredBytes())
			}
			whole := make([]float32, n)
			if typed(t, x.Data.ReadValues(context.Background(), whole, 0)) {
				continue
			}
			if ok {
				typed(t, l.ReadSteps(context.Background(), make([]float32, n), 0))
			}
			at := n / 3
			part := make([]float32, min(n-at, 37))
			if typed(t, x.Data.ReadValues(context.Background(), part, at)) {
				t.Fatal("a part cannot be read, the whole can")
			}
			for i, v := range part {
				if math.Float32bits(v) != math.Float32bits(whole[at+int64(i)]) && v == v {
					t.Fatalf("value %d is %v in the whole and %v in a part", at+int64(i), whole[at+int64(i)], v)
				}
			}
		}
	})
}

// typed requires that an error is one of a reader's.
func typed(t *testing.T, err error) bool {
	var fe *tensor.FormatError
	if err != nil && !errors.As(err, &fe) {
		t.Fatalf("not a typed error: %v", err)
	}
	return err != nil
}

func FuzzGPTQ(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".qweight", ".qzeros", ".scales", ".g_idx", ".weight"}, seeds: [][]piece{gptqPieces, awqPieces}})
}

func FuzzBitsandbytes(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight", ".weight.absmax", ".weight.quant_map", ".weight.nested_absmax", ".weight.nested_quant_map", ".weight.quant_state.bitsandbytes__nf4", ".SCB", ".weight_format"},
		seeds: [][]piece{bnbPieces, int8Pieces}})
}

func FuzzCompressedTensors(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight_packed", ".weight_scale", ".weight_shape", ".weight_zero_point", ".weight_g_idx", ".weight_global_scale"}, seeds: [][]piece{ctPieces, nvfp4Pieces}})
}

func FuzzScaled(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight", ".weight_scale", ".weight_scale_2", ".weight_scale_inv", ".weight_zero_point"}, seeds: [][]piece{modelOptPieces,
		{{"a.weight", "F8_E4M3", shaped(100, 60), nil}, {"a.weight_scale_inv", "F32", shaped(2, 2), nil}}}})
}

func FuzzMXFP4(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{"_blocks", "_scales"}, seeds: [][]piece{mxfp4Pieces}})
}

func FuzzMLX(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight", ".scales", ".biases"}, seeds: [][]piece{mlxPieces}})
}

func FuzzTorchAO(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{"._weight_qdata", "._weight_scale", "._weight_zero_point", ".weight:qdata", ".weight:scale", ".weight:zero_point"}, seeds: [][]piece{torchaoPieces}, method: "torchao"})
}

func FuzzQuanto(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight._data", ".weight._data._data", ".weight._scale", ".weight._shift", ".bias"}, seeds: [][]piece{quantoPieces, quantoRowPieces}, method: "quanto"})
}

func FuzzHQQ(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".W_q", ".scale", ".zero", ".shape", ".nbits", ".axis"}, seeds: [][]piece{hqqPieces}, method: "hqq"})
}

func FuzzBitNet(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".weight", ".weight_scale", ".input_scale"}, seeds: [][]piece{bitnetPieces}, method: "bitnet"})
}

func FuzzMarlin(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".B", ".s", ".workspace"}, seeds: [][]piece{marlinPieces}})
}

func FuzzAQLM(f *testing.F) {
	fuzz(f, fuzzed{endings: []string{".codes", ".codebooks", ".scales"}, seeds: [][]piece{aqlmPieces}, method: "aqlm"})
}

// FuzzVPTQ takes the numbers of the configuration from the bits of two.
func FuzzVPTQ(f *testing.F) {
	of := func(n int64, at, bits int) int64 { return n >> at & (1<<bits - 1) }
	two := func(a, b int64) *tensor.List { return list(float64(a-1), float64(b-1)) }
	f.Add([]byte{}, []byte{}, int64(0), int64(0), "")
	fuzz(f, fuzzed{endings: []string{".indices", ".centroids.weight", ".res_centroids.weight", ".outlier_indices", ".outlier_centroids.weight", ".perm", ".weight_scale", ".weight_bias"},
		seeds: [][]piece{vptqPieces}, method: "vptq",
		meta: func(a, b int64) tensor.Metadata {
			return configOf("vptq", map[string]any{"out_features": 20 ^ of(a, 0, 6), "in_features": 15 ^ of(a, 6, 6), "group_num": 1 ^ of(a, 12, 3), "group_size": 15 ^ of(a, 15, 6),
				"outlier_size": of(a, 21, 4), "is_indice_packed": of(a, 25, 1) == 0, "vector_lens": two(of(b, 0, 4), 9^of(b, 4, 4)), "num_centroids": two(of(b, 8, 5), 17^of(b, 13, 5)),
				"num_res_centroids": two(of(b, 18, 5), 17^of(b, 23, 5))})
		}})
}

// FuzzAdapter applies any tensors under the names of an adapter: a typed error,
// or values that do not depend on how they are read.
func FuzzAdapter(f *testing.F) {
	z := fuzzed{endings: []string{".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector", ".alpha", ".hada_w1_a", ".hada_w1_b", ".hada_w2_a", ".hada_w2_b", ".lokr_w1", ".lokr_w2", ".lokr_w2_a", ".lokr_w2_b", ".lora_a", ".lora_b", ".diff"}}
	for _, seed := range [][]piece{
		{{"a.lora_A.weight", "F32", shaped(2, 6), nil}, {"a.lora_B.weight", "F32", shaped(8, 2), nil}, {"a.lora_magnitude_vector", "F32", shaped(8), nil}},
		{{"a.hada_w1_a", "F32", shaped(8, 2), nil}, {"a.hada_w1_b", "F32", shaped(2, 6), nil}, {"a.hada_w2_a", "F32", shaped(8, 2), nil}, {"a.hada_w2_b", "F32", shaped(2, 6), nil}},
		{{"a.lokr_w1", "F32", shaped(2, 3), nil}, {"a.lokr_w2_a", "F32", shaped(4, 1), nil}, {"a.lokr_w2_b", "F32", shaped(1, 2), nil}},
		{{"a.lora_a", "F32", shaped(6, 2), nil}, {"a.lora_b", "F32", shaped(2, 8), nil}},
	} {
		shapes, data := z.encode(seed)
		f.Add(shapes, data, "LORA", true)
		f.Add(shapes, data, "", false)
	}
	base := &memory{meta: tensor.Metadata{}, tensors: []*tensor.Tensor{{Name: "a.weight", DType: tensor.F32, Shape: []int64{8, 6}, Data: tensor.Values(make([]float32, 48))}}}
	f.Fuzz(func(t *testing.T, shapes, data []byte, kind string, flip bool) {
		a := z.decode(shapes, data, tensor.Metadata{"adapter.peft_type": kind, "adapter.lora_alpha": int64(4), "adapter.r": int64(2), "adapter.fan_in_fan_out": flip})
		packed.IsAdapter(a)
		m, err := packed.NewAdapter(base, a)
		if typed(t, err) {
			return
		}
		x := m.Tensors()[0]
		whole, part := make([]float32, 48), make([]float32, 5)
		if typed(t, x.Data.ReadValues(context.Background(), whole, 0)) || typed(t, x.Data.ReadValues(context.Background(), part, 20)) {
			return
		}
		for i, v := range part {
			if math.Float32bits(v) != math.Float32bits(whole[20+i]) && v == v {
				t.Fatalf("value %d is %v in the whole and %v in a part", 20+i, whole[20+i], v)
			}
		}
	})
}
