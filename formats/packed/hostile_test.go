package packed_test

import (
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/packtest"
)

// piece is one stored tensor of a small module.
type piece struct {
	name, dtype string
	shape       []int64
	data        []byte // nil: zeros
}

// sizes of the types that pieces have.
var sizes = map[string]int64{"I32": 4, "U32": 4, "F32": 4, "F16": 2, "BF16": 2, "I16": 2, "U16": 2, "U8": 1, "I8": 1, "F8_E4M3": 1, "F8_E8M0": 1, "I64": 8}

func pieces(all ...piece) *packtest.Model { return configured(tensor.Metadata{}, all...) }

func configured(m tensor.Metadata, all ...piece) *packtest.Model {
	var f packtest.Folder
	for _, p := range all {
		n, _ := tensor.Elements(p.shape)
		if p.data == nil {
			p.data = make([]byte, n*sizes[p.dtype])
		}
		f.Add(p.name, p.dtype, p.data, p.shape...)
	}
	return f.Model(m)
}

// with returns the pieces with one replaced; a piece without type is left out.
func with(all []piece, p piece) []piece {
	out := slices.Clone(all)
	at := slices.IndexFunc(out, func(q piece) bool { return q.name == p.name })
	switch {
	case at < 0:
		return append(out, p)
	case p.dtype == "":
		return slices.Delete(out, at, at+1)
	}
	out[at] = p
	return out
}

func shaped(d ...int64) []int64 { return d }

func long(v ...int64) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint64(b, uint64(x))
	}
	return b
}

func text(s string) piece {
	return piece{"a.weight.quant_state.bitsandbytes__nf4", "U8", shaped(int64(len(s))), []byte(s)}
}

// Modules of each layout that are in order.
var (
	gptqPieces = []piece{{"a.qweight", "I32", shaped(8, 16), nil}, {"a.qzeros", "I32", shaped(2, 2), nil}, {"a.scales", "F16", shaped(2, 16), nil}, {"a.g_idx", "I32", shaped(64), nil}}
	awqPieces  = []piece{{"a.qweight", "I32", shaped(64, 2), nil}, {"a.qzeros", "I32", shaped(2, 2), nil}, {"a.scales", "F16", shaped(2, 16), nil}}
	bnbPieces  = []piece{{"a.weight", "U8", shaped(64, 1), nil}, {"a.weight.absmax", "F32", shaped(2), nil}, {"a.weight.quant_map", "F32", shaped(16), nil},
		text(`{"quant_type":"nf4","blocksize":64,"shape":[8,16]}`)}
	int8Pieces = []piece{{"a.weight", "I8", shaped(4, 8), nil}, {"a.SCB", "F32", shaped(4), nil}, {"a.weight_format", "U8", shaped(1), nil}}
	ctPieces   = []piece{{"a.weight_packed", "I32", shaped(8, 4), nil}, {"a.weight_scale", "BF16", shaped(8, 2), nil}, {"a.weight_shape", "I64", shaped(2), long(8, 32)},
		{"a.weight_zero_point", "I32", shaped(1, 2), nil}}
	nvfp4Pieces    = []piece{{"a.weight_packed", "U8", shaped(4, 16), nil}, {"a.weight_scale", "F8_E4M3", shaped(4, 2), nil}, {"a.weight_global_scale", "F32", shaped(1), words(math.Float32bits(2688), 1)}}
	modelOptPieces = []piece{{"a.weight", "U8", shaped(4, 16), nil}, {"a.weight_scale", "F8_E4M3", shaped(4, 2), nil}, {"a.weight_scale_2", "F32", shaped(), words(math.Float32bits(1e-4), 1)}}
	fp8Pieces      = []piece{{"a.weight", "F8_E4M3", shaped(130, 256), nil}, {"a.weight_scale_inv", "F32", shaped(2, 2), nil}}
	mxfp4Pieces    = []piece{{"a.experts.w_blocks", "U8", shaped(2, 4, 3, 16), nil}, {"a.experts.w_scales", "U8", shaped(2, 4, 3), nil}}
	mlxPieces      = []piece{{"a.weight", "U32", shaped(4, 16), nil}, {"a.scales", "F16", shaped(4, 2), nil}, {"a.biases", "F16", shaped(4, 2), nil}}
)

// read unpacks and reads every value of every packed tensor.
func read(m tensor.Model) error {
	out, err := packed.Unpack(context.Background(), m)
	if err != nil || out == nil {
		return err
	}
	for _, t := range out.Tensors() {
		v := make([]float32, t.Len())
		if err := t.Data.ReadValues(context.Background(), v, 0); err != nil {
			return err
		}
	}
	return nil
}

func TestModulesInOrder(t *testing.T) {
	for _, p := range [][]piece{gptqPieces, awqPieces, bnbPieces, int8Pieces, ctPieces, nvfp4Pieces, modelOptPieces, fp8Pieces, mxfp4Pieces, mlxPieces} {
		require.NoError(t, read(pieces(p...)), p[0].name)
		unpack(t, pieces(p...))
	}
}

// Each breach is a typed error that names the tensor and the rule.
func TestBreaches(t *testing.T) {
	for _, c := range []struct {
		name  string
		all   []piece
		class error
		field string // in the error
		rule  string
	}{
		{"gptq without scales", with(gptqPieces, piece{name: "a.scales"}), tensor.ErrFormat, "a.scales", "missing"},
		{"gptq without zero-points", with(gptqPieces, piece{name: "a.qzeros"}), tensor.ErrFormat, "a.qzeros", "missing"},
		{"gptq words of bytes", with(gptqPieces, piece{"a.qweight", "U8", shaped(8, 16), nil}), tensor.ErrUnsupported, "a.qweight", "type U8"},
		{"gptq of three dimensions", with(gptqPieces, piece{"a.qweight", "I32", shaped(8, 16, 1), nil}), tensor.ErrFormat, "a.qweight", "2 dimensions"},
		{"gptq without columns", with(gptqPieces, piece{"a.qweight", "I32", shaped(0, 16), nil}), tensor.ErrFormat, "a.qweight", "empty dimension"},
		{"gptq of other rows", with(gptqPieces, piece{"a.qweight", "I32", shaped(8, 24), nil}), tensor.ErrFormat, "a.qweight", "ask for"},
		{"gptq of other groups", with(gptqPieces, piece{"a.qzeros", "I32", shaped(3, 2), nil}), tensor.ErrFormat, "a.qzeros", "ask for"},
		{"gptq of 5 bits", with(gptqPieces, piece{"a.qzeros", "I32", shaped(2, 3), nil}), tensor.ErrFormat, "a.qzeros", "2, 3, 4 or 8 bits"},
		{"gptq of 16 bits", with(gptqPieces, piece{"a.qzeros", "I32", shaped(2, 8), nil}), tensor.ErrFormat, "a.qzeros", "2, 3, 4 or 8 bits"},
		{"gptq with a short index", with(gptqPieces, piece{"a.g_idx", "I32", shaped(63), nil}), tensor.ErrFormat, "a.g_idx", "ask for"},
		{"gptq with a group too many", with(gptqPieces, piece{"a.g_idx", "I32", shaped(64), words(2, 64)}), tensor.ErrFormat, "a.g_idx", "group 2"},
		{"gptq with a negative group", with(gptqPieces, piece{"a.g_idx", "I32", shaped(64), words(0xffffffff, 64)}), tensor.ErrFormat, "a.g_idx", "group -1"},
		{"gptq more groups than columns", with(with(gptqPieces, piece{"a.scales", "F16", shaped(100, 16), nil}), piece{"a.qzeros", "I32", shaped(100, 2), nil}), tensor.ErrFormat, "a.scales", "100 groups of 64 columns"},
		{"gptq scales of integers", with(gptqPieces, piece{"a.scales", "I32", shaped(2, 16), nil}), tensor.ErrUnsupported, "a.scales", "type I32"},
		{"gptq beside a plain weight", with(gptqPieces, piece{"a.weight", "F32", shaped(16, 64), nil}), tensor.ErrFormat, "a.weight", "both for a stored and for a packed"},
		{"gptq groups that do not divide", with(with(gptqPieces, piece{name: "a.g_idx"}), piece{"a.qweight", "I32", shaped(7, 16), nil}), nil, "", ""},
		{"awq of other groups", with(awqPieces, piece{"a.qzeros", "I32", shaped(4, 2), nil}), tensor.ErrFormat, "a.qzeros", "ask for"},
		{"awq groups that do not divide", with(awqPieces, piece{"a.qweight", "I32", shaped(65, 2), nil}), tensor.ErrFormat, "a.scales", "do not divide"},
		{"bitsandbytes without state", with(bnbPieces, piece{name: "a.weight.quant_state.bitsandbytes__nf4"}), tensor.ErrFormat, "quant_state", "missing"},
		{"bitsandbytes state that is no JSON", with(bnbPieces, text("{")), tensor.ErrFormat, "quant_state", "JSON"},
		{"bitsandbytes state of 5000 bytes", with(bnbPieces, text(strings.Repeat(" ", 5000))), tensor.ErrFormat, "quant_state", "at most 4096"},
		{"bitsandbytes state of another type", with(bnbPieces, text(`{"quant_type":"fp4","blocksize":64,"shape":[8,16]}`)), tensor.ErrFormat, "quant_state", "quant_type"},
		{"bitsandbytes negative shape", with(bnbPieces, text(`{"quant_type":"nf4","blocksize":64,"shape":[-8,-16]}`)), tensor.ErrFormat, "quant_state", "shape"},
		{"bitsandbytes shape that overflows", with(bnbPieces, text(`{"quant_type":"nf4","blocksize":64,"shape":[4294967296,4294967296,2]}`)), tensor.ErrFormat, "quant_state", "shape"},
		{"bitsandbytes shape of other size", with(bnbPieces, text(`{"quant_type":"nf4","blocksize":64,"shape":[8,18]}`)), tensor.ErrFormat, "a.weight", "codes of 4 bits"},
		{"bitsandbytes blocks of nothing", with(bnbPieces, text(`{"quant_type":"nf4","blocksize":0,"shape":[8,16]}`)), tensor.ErrFormat, "quant_state", "blocksize"},
		{"bitsandbytes other blocks", with(bnbPieces, text(`{"quant_type":"nf4","blocksize":32,"shape":[8,16]}`)), tensor.ErrFormat, "a.weight.absmax", "ask for"},
		{"bitsandbytes short table", with(bnbPieces, piece{"a.weight.quant_map", "F32", shaped(15), nil}), tensor.ErrFormat, "a.weight.quant_map", "15 values"},
		{"bitsandbytes nested without its table", with(bnbPieces, piece{"a.weight.absmax", "U8", shaped(2), nil}), tensor.ErrFormat, "a.weight.absmax", "nested_blocksize"},
		{"int8 with short scales", with(int8Pieces, piece{"a.SCB", "F32", shaped(3), nil}), tensor.ErrFormat, "a.SCB", "ask for"},
		{"int8 in the order of a kernel", with(int8Pieces, piece{"a.weight_format", "U8", shaped(1), []byte{2}}), tensor.ErrUnsupported, "a.weight_format", "format 2"},
		{"compressed without shape", with(ctPieces, piece{name: "a.weight_shape"}), tensor.ErrFormat, "a.weight_shape", "missing"},
		{"compressed huge shape", with(ctPieces, piece{"a.weight_shape", "I64", shaped(2), long(8, math.MaxInt64)}), tensor.ErrFormat, "a.weight_shape", "no shape"},
		{"compressed negative shape", with(ctPieces, piece{"a.weight_shape", "I64", shaped(2), long(8, -32)}), tensor.ErrFormat, "a.weight_shape", "no shape"},
		{"compressed other rows", with(ctPieces, piece{"a.weight_shape", "I64", shaped(2), long(9, 32)}), tensor.ErrFormat, "a.weight_packed", "ask for"},
		{"compressed columns that do not fit", with(ctPieces, piece{"a.weight_shape", "I64", shaped(2), long(8, 1000)}), tensor.ErrFormat, "a.weight_packed", "do not fill"},
		{"compressed short zero-points", with(ctPieces, piece{"a.weight_zero_point", "I32", shaped(1, 1), nil}), tensor.ErrFormat, "a.weight_zero_point", "ask for"},
		{"compressed index out of range", with(ctPieces, piece{"a.weight_g_idx", "I32", shaped(32), words(7, 32)}), tensor.ErrFormat, "a.weight_g_idx", "group 7"},
		{"nvfp4 with many global scales", with(nvfp4Pieces, piece{"a.weight_global_scale", "F32", shaped(300), nil}), tensor.ErrFormat, "a.weight_global_scale", "expected 1"},
		{"nvfp4 of other rows", with(nvfp4Pieces, piece{"a.weight_scale", "F8_E4M3", shaped(5, 2), nil}), tensor.ErrFormat, "a.weight_scale", "ask for"},
		{"nvfp4 groups that do not divide", with(nvfp4Pieces, piece{"a.weight_scale", "F8_E4M3", shaped(4, 5), nil}), tensor.ErrFormat, "a.weight_scale", "do not divide"},
		{"modelopt scales of bytes", with(modelOptPieces, piece{"a.weight_scale", "U8", shaped(4, 2), nil}), tensor.ErrUnsupported, "a.weight_scale", "type U8"},
		{"fp8 blocks that do not cover", with(fp8Pieces, piece{"a.weight_scale_inv", "F32", shaped(1, 2), nil}), nil, "", ""}, // 130 × 128 blocks, told by even division
		{"fp8 blocks of no size", with(fp8Pieces, piece{"a.weight_scale_inv", "F32", shaped(3, 3), nil}), tensor.ErrFormat, "a.weight_scale_inv", "blocks of"},
		{"fp8 scales of three dimensions", with(fp8Pieces, piece{"a.weight_scale_inv", "F32", shaped(2, 2, 1), nil}), tensor.ErrFormat, "a.weight_scale_inv", "scales of a matrix"},
		{"fp8 scales of integers", with(fp8Pieces, piece{"a.weight_scale_inv", "I32", shaped(2, 2), nil}), tensor.ErrUnsupported, "a.weight_scale_inv", "type I32"},
		{"mxfp4 blocks of 8", with(mxfp4Pieces, piece{"a.experts.w_blocks", "U8", shaped(2, 4, 6, 8), nil}), tensor.ErrFormat, "w_blocks", "blocks of 16"},
		{"mxfp4 of other scales", with(mxfp4Pieces, piece{"a.experts.w_scales", "U8", shaped(2, 4, 2), nil}), tensor.ErrFormat, "w_scales", "ask for"},
		{"mlx without biases", with(mlxPieces, piece{name: "a.biases"}), tensor.ErrFormat, "a.biases", "missing"},
		{"mlx biases of another type", with(mlxPieces, piece{"a.biases", "BF16", shaped(4, 2), nil}), tensor.ErrUnsupported, "a.biases", "type BF16"},
		{"mlx of no known bits", with(mlxPieces, piece{"a.weight", "U32", shaped(4, 17), nil}), tensor.ErrFormat, "a.weight", "fits"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := read(pieces(c.all...))
			if c.class == nil {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, c.class)
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe)
			require.Contains(t, fe.Field, c.field)
			require.Contains(t, fe.Rule, c.rule)
		})
	}
}

// Packings that are known by name and not read are refused, never taken for
// the ones that share their tensors' names.
func TestOtherPackings(t *testing.T) {
	for _, c := range []struct {
		key, value string
		all        []piece
	}{
		{"checkpoint_format", "marlin", gptqPieces}, {"checkpoint_format", "gptq_p", gptqPieces}, {"checkpoint_format", "bitblas", gptqPieces},
		{"version", "gemv", awqPieces}, {"version", "GEMV_FAST", awqPieces}, {"quant_method", "hqq", gptqPieces},
		{"quant_method", "aqlm", []piece{{"a.codes", "I8", shaped(8, 8), nil}}}, {"quant_method", "exl2", []piece{{"a.q_weight", "I32", shaped(8, 8), nil}}},
	} {
		err := read(configured(tensor.Metadata{"config.quantization_config." + c.key: c.value}, c.all...))
		require.ErrorIs(t, err, tensor.ErrUnsupported, "%s %s", c.key, c.value)
	}
	plain := []piece{{"a.weight", "BF16", shaped(8, 8), nil}}
	require.NoError(t, read(configured(tensor.Metadata{"config.quantization_config.quant_method": "torchao"}, plain...)))
}

// A note is given once, however many modules it holds for.
func TestWarningsAreNotRepeated(t *testing.T) {
	var all []piece
	for _, stem := range []string{"a", "b", "c"} {
		for _, p := range nvfp4Pieces {
			p.name = stem + strings.TrimPrefix(p.name, "a")
			if strings.HasSuffix(p.name, "global_scale") {
				p.data = words(math.Float32bits(1e-4), 1)
			}
			all = append(all, p)
		}
	}
	m := unpack(t, configured(tensor.Metadata{"config.quantization_config.quant_method": "compressed-tensors"}, all...))
	require.Equal(t, 3, m.Packed)
	require.Len(t, m.Warnings, 1)
}

// Names that only look like those of a packed tensor are left alone.
func TestFloatsUnderPackedNames(t *testing.T) {
	m, err := packed.Unpack(context.Background(), pieces(piece{"a_blocks", "F32", shaped(4, 4), nil}, piece{"a_scales", "F32", shaped(4), nil},
		piece{"b.weight", "BF16", shaped(4, 4), nil}, piece{"b.weight_scale", "F32", shaped(4), nil}, piece{"c.scales", "F16", shaped(4, 4), nil}))
	require.NoError(t, err)
	require.Nil(t, m)
}

// Scales of whole tensors that make no sense the way they are meant to be
// used are told.
func TestImplausibleScales(t *testing.T) {
	for _, all := range [][]piece{
		with(nvfp4Pieces, piece{"a.weight_global_scale", "F32", shaped(1), words(math.Float32bits(1e-4), 1)}),
		with(modelOptPieces, piece{"a.weight_scale_2", "F32", shaped(), words(math.Float32bits(2688), 1)}),
		with(nvfp4Pieces, piece{"a.weight_global_scale", "F32", shaped(1), words(0x7fc00000, 1)}),
	} {
		m := unpack(t, pieces(all...))
		require.Contains(t, strings.Join(m.Warnings, "\n"), "inverse")
	}
}
