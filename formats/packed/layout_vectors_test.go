package packed_test

import (
	"context"
	"encoding/binary"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

// Every layout gives what its package dequantises, bit for bit, and its steps
// are positive.
func TestPackageVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/layouts/*/expected.json")
	require.NoError(t, err)
	require.Len(t, files, 23)
	for _, path := range files {
		dir := filepath.Dir(path)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			var want []struct {
				Name  string
				Shape []int64
			}
			vectors.JSON(t, path, &want)
			floats := vectors.Floats(t, filepath.Join(dir, "expected.f32"))
			m := open(t, dir)
			formatstest.Model(t, m)
			for _, w := range want {
				x, ok := m.Tensor(w.Name)
				require.True(t, ok, w.Name)
				require.Equal(t, w.Shape, x.Shape, w.Name)
				got, step := make([]float32, x.Len()), make([]float32, x.Len())
				require.NoError(t, x.Data.ReadValues(context.Background(), got, 0))
				vectors.Equal(t, floats[:len(got)], got, w.Name)
				floats = floats[len(got):]
				if l, ok := x.Data.(tensor.Lattice); ok {
					require.NoError(t, l.ReadSteps(context.Background(), step, 0))
					require.Positive(t, step[len(step)/2], w.Name)
				} else {
					require.Equal(t, "VQ", x.DType.String(), "only entries of codebooks lie on no lattice")
				}
				for first := int64(0); first < x.Rows(); first += 7 {
					row := make([]float32, x.Cols())
					require.NoError(t, x.ReadRows(context.Background(), row, first, 1))
					require.Equal(t, got[first*x.Cols():][:x.Cols()], row, w.Name)
				}
			}
			require.Empty(t, floats)
			require.Contains(t, []int{2, 3}, len(m.Tensors()), "two matrices, and a bias where there is one")
		})
	}
}

// What is not read is refused by its name.
func TestRefusedLayouts(t *testing.T) {
	_, err := formats.Open(context.Background(), "testdata/layouts/refused/torchao-int4-tile", nil)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
	require.ErrorContains(t, err, "torchao's Int4TilePackedTo4dTensor is not read")
}

// Modules of the newer layouts that are in order.
var (
	hqqPieces       = []piece{{"a.W_q", "U8", shaped(16, 64), nil}, {"a.scale", "F32", shaped(32, 1), nil}, {"a.zero", "F32", shaped(32, 1), nil}, {"a.shape", "I64", shaped(2), u32s(32, 0, 64, 0)}, {"a.nbits", "I32", shaped(), u32s(4)}, {"a.axis", "I32", shaped(), u32s(1)}}
	torchaoPieces   = []piece{{"a._weight_qdata", "I8", shaped(8, 16), nil}, {"a._weight_scale", "F32", shaped(8, 1), nil}}
	quantoPieces    = []piece{{"a.weight._data", "I8", shaped(8, 16), nil}, {"a.weight._scale", "F32", shaped(8, 1), nil}}
	quantoRowPieces = []piece{{"a.weight._data._data", "U8", shaped(4, 16), nil}, {"a.weight._scale", "F32", shaped(8, 1), nil}, {"a.weight._shift", "F32", shaped(8, 1), nil}}
	marlinPieces    = []piece{{"a.B", "I32", shaped(2, 128), nil}, {"a.s", "F16", shaped(2, 64), nil}, {"a.workspace", "I32", shaped(16), nil}}
	bitnetPieces    = []piece{{"a.weight", "U8", shaped(4, 16), nil}, {"a.weight_scale", "F32", shaped(1), nil}}
)

// Broken parts of the newer layouts are refused, each with the part's name.
func TestNewerLayoutsHostile(t *testing.T) {
	hqq := func(more ...piece) []piece {
		all := hqqPieces
		for _, p := range more {
			all = with(all, p)
		}
		return all
	}
	torchao, quanto, rows := torchaoPieces, quantoPieces, quantoRowPieces
	require.NoError(t, read(pieces(hqq()...)))
	require.NoError(t, read(pieces(torchao...)))
	require.NoError(t, read(pieces(quanto...)))
	require.NoError(t, read(pieces(rows...)))
	require.NoError(t, read(pieces(marlinPieces...)))
	bitnet := bitnetPieces
	cases := map[string][]piece{
		"marlin with fewer words":        with(marlinPieces, piece{"a.B", "I32", shaped(2, 120), nil}),
		"marlin of 32 outputs":           with(marlinPieces, piece{"a.s", "F16", shaped(2, 32), nil}),
		"marlin of 3 groups":             with(marlinPieces, piece{"a.s", "F16", shaped(3, 64), nil}),
		"marlin with scales of integers": with(marlinPieces, piece{"a.s", "I32", shaped(2, 64), nil}),
		"marlin of nothing":              with(marlinPieces, piece{"a.B", "I32", shaped(0, 128), nil}),
		"hqq without scale":              hqq(piece{name: "a.scale"}),
		"hqq without zero":               hqq(piece{name: "a.zero"}),
		"hqq without shape":              hqq(piece{name: "a.shape"}),
		"hqq without bits":               hqq(piece{name: "a.nbits"}),
		"hqq without axis":               hqq(piece{name: "a.axis"}),
		"hqq of 5 bits":                  hqq(piece{"a.nbits", "I32", shaped(), u32s(5)}),
		"hqq of -1 bits":                 hqq(piece{"a.nbits", "I32", shaped(), u32s(0xffffffff)}),
		"hqq of axis 2":                  hqq(piece{"a.axis", "I32", shaped(), u32s(2)}),
		"hqq of another shape":           hqq(piece{"a.shape", "I64", shaped(2), u32s(32, 0, 63, 0)}),
		"hqq of a huge shape":            hqq(piece{"a.shape", "I64", shaped(2), u32s(0, 0x40000000, 64, 0)}),
		"hqq of three dimensions":        hqq(piece{"a.shape", "I64", shaped(3), nil}),
		"hqq with other groups":          hqq(piece{"a.scale", "F32", shaped(16, 1), nil}),
		"hqq with other zeros":           hqq(piece{"a.zero", "F32", shaped(1, 32), nil}),
		"hqq of words":                   hqq(piece{"a.W_q", "I32", shaped(16, 64), nil}),
		"torchao without scale":          with(torchao, piece{name: "a._weight_scale"}),
		"torchao of packed codes":        with(torchao, piece{"a._weight_qdata", "U8", shaped(8, 8), nil}),
		"torchao of three dimensions":    with(torchao, piece{"a._weight_qdata", "I8", shaped(2, 8, 8), nil}),
		"torchao with scales of 3":       with(torchao, piece{"a._weight_scale", "F32", shaped(8, 3), nil}),
		"torchao with other zeros":       append(torchao[:2:2], piece{"a._weight_zero_point", "I8", shaped(8, 2), nil}),
		"torchao with scales of integer": with(torchao, piece{"a._weight_scale", "I32", shaped(8, 1), nil}),
		"quanto with other scales":       with(quanto, piece{"a.weight._scale", "F32", shaped(3, 5), nil}),
		"quanto of words":                with(quanto, piece{"a.weight._data", "I32", shaped(8, 16), nil}),
		"quanto rows without shift":      with(rows, piece{name: "a.weight._shift"}),
		"quanto rows of other length":    with(rows, piece{"a.weight._data._data", "U8", shaped(5, 16), nil}),
		"quanto in groups":               append(rows[:3:3], piece{"a.bias", "F32", shaped(2), nil}),
	}
	for name, all := range cases {
		var fe *tensor.FormatError
		err := read(pieces(all...))
		require.ErrorAs(t, err, &fe, name)
		require.Contains(t, fe.Field, "a.", name)
	}
	for name, all := range map[string][]piece{
		"of many scales": with(bitnet, piece{"a.weight_scale", "F32", shaped(16), nil}),
		"of words":       with(bitnet, piece{"a.weight", "I32", shaped(4, 16), nil}),
		"of three":       with(bitnet, piece{"a.weight", "U8", shaped(4, 4, 4), nil}),
	} {
		err := read(configured(tensor.Metadata{"config.quantization_config.quant_method": "bitnet"}, all...))
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe, name)
	}
	for name, ends := range map[string][2]string{"EXL2": {".q_weight", ".q_scale"}, "EXL3": {".trellis", ".svh"}, "QuIP#": {".Qidxs", ".SU"}, "SpQR": {".dense_weights", ".row_offsets"}, "HIGGS": {".weight", ".tables2"}} {
		err := read(pieces(piece{"a" + ends[0], "I16", shaped(4, 4), nil}, piece{"a" + ends[1], "F16", shaped(4), nil}))
		require.ErrorIs(t, err, tensor.ErrUnsupported)
		require.ErrorContains(t, err, "the model is packed as "+name)
	}
}

// u32s is little-endian words.
func u32s(v ...uint32) []byte {
	var out []byte
	for _, x := range v {
		out = binary.LittleEndian.AppendUint32(out, x)
	}
	return out
}
