package faithful_test

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/faithful"
)

const rows, cols = 8, 512

// pair is a source of a few matrices and the same quantised to a type.
func pair(name string, dt tensor.DType, importance []float32) (source, quantised tensor.Tensors) {
	r := rand.New(rand.NewPCG(1, 2))
	codec, _ := dt.Codec()
	size := cols / codec.BlockValues * codec.BlockBytes
	for i := range 3 {
		x := make(tensor.Values, rows*cols)
		for k := range x {
			x[k] = float32(.02 * r.NormFloat64())
		}
		raw := make([]byte, rows*size)
		for k := range rows {
			quant.Requantisers[dt.String()](raw[k*size:][:size], x[k*cols:][:cols], importance)
		}
		at := fmt.Sprintf("%s.%d.weight", name, i)
		source = append(source, &tensor.Tensor{Name: at, DType: tensor.F32, Shape: []int64{rows, cols}, Data: x})
		quantised = append(quantised, stored(at, dt, raw))
	}
	return source, quantised
}

func stored(name string, dt tensor.DType, raw []byte) *tensor.Tensor {
	return &tensor.Tensor{Name: name, DType: dt, Shape: []int64{rows, cols}, Data: &tensor.Stored{File: "f", Name: name, R: bytes.NewReader(raw), Bytes: int64(len(raw)), DType: dt}}
}

func check(t *testing.T, quantised, source tensor.Model, o *faithful.Options) *faithful.Report {
	t.Helper()
	r, err := faithful.Check(t.Context(), report.Input{Ref: "q", Model: quantised}, report.Input{Ref: "s", Model: source}, o)
	require.NoError(t, err)
	return r
}

func TestVerdicts(t *testing.T) {
	w := make([]float32, cols)
	for i := range w {
		w[i] = float32(1 + i%7*i%5)
	}
	source, plain := pair("w", tensor.Named("Q4_K"), nil)
	_, weighed := pair("w", tensor.Named("Q4_K"), w)
	given := map[string][]float32{}
	for _, x := range weighed {
		given[x.Name] = w
	}
	require.Equal(t, faithful.Faithful, check(t, plain, source, nil).Verdict)
	require.Equal(t, faithful.Reachable, check(t, weighed, source, nil).Verdict)
	require.Equal(t, faithful.Faithful, check(t, weighed, source, &faithful.Options{Importance: given}).Verdict)
	require.Equal(t, faithful.Undetermined, check(t, plain, source[:2], nil).Verdict, "a tensor without a source")
}

// One turned bit is named, and the same bytes come out whatever the workers.
func TestOneBitIsNamed(t *testing.T) {
	source, quantised := pair("w", tensor.Named("Q4_K"), nil)
	raw := make([]byte, rows*2*144)
	require.NoError(t, quantised[1].Data.(*tensor.Stored).ReadRaw(raw, 0))
	raw[5*2*144+144+16+40] ^= 1 // row 5, block 1: byte 40 of the codes, low nibble: value 64+8 of the block
	quantised[1] = stored(quantised[1].Name, tensor.Named("Q4_K"), raw)
	r := check(t, quantised, source, &faithful.Options{Workers: 1})
	require.Equal(t, faithful.Deviates, r.Verdict)
	require.EqualValues(t, 1, r.Blocks.Deviates)
	require.Equal(t, []faithful.Deviation{{Row: 5, Block: 1, Col: 256 + 64 + 8, Values: 1, Steps: 1, What: "the code is not the nearest under the stored scale"}}, r.Tensors[1].Deviations)
	var one, many bytes.Buffer
	require.NoError(t, r.WriteJSON(&one))
	require.NoError(t, check(t, quantised, source, &faithful.Options{Workers: 7}).WriteJSON(&many))
	require.Equal(t, one.String(), many.String())
	for _, write := range []func(*bytes.Buffer) error{func(b *bytes.Buffer) error { return r.WriteText(b) }, func(b *bytes.Buffer) error { return r.WriteMarkdown(b) }} {
		var b bytes.Buffer
		require.NoError(t, write(&b))
		require.Contains(t, b.String(), "DEVIATES")
		require.Contains(t, strings.Join(strings.Fields(b.String()), " "), "w.1.weight")
	}
}

// A source that passed through F16 on its way is recognised.
func TestPassageIsNamed(t *testing.T) {
	source, _ := pair("w", tensor.Named("Q8_0"), nil)
	round := tensor.F16.Rounding()
	var quantised tensor.Tensors
	for _, s := range source {
		x := append(tensor.Values{}, s.Data.(tensor.Values)...)
		for i, v := range x {
			x[i] = round(v)
		}
		raw := make([]byte, rows*cols/32*34)
		quant.EncodeQ8_0(raw, x)
		quantised = append(quantised, stored(s.Name, tensor.Named("Q8_0"), raw))
	}
	r := check(t, quantised, source, nil)
	require.Equal(t, faithful.Faithful, r.Verdict)
	require.Equal(t, "F16", r.Tensors[0].Through)
}

// older is an importance matrix in the form before GGUF.
func older(entries ...string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(entries)))
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint32(b, uint32(len(e)))
		b = append(b, e...)
		b = binary.LittleEndian.AppendUint32(b, 4) // calls
		b = binary.LittleEndian.AppendUint32(b, 2) // columns
		b, _ = binary.Append(b, binary.LittleEndian, []float32{8, 2})
	}
	return b
}

func TestReadImportance(t *testing.T) {
	b := older("blk.0.attn_q.weight", "blk.1.attn_q.weight")
	got, err := faithful.ReadImportance(t.Context(), "i.dat", bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	require.Equal(t, map[string][]float32{"blk.0.attn_q.weight": {2, .5}, "blk.1.attn_q.weight": {2, .5}}, got)
	for n := range b {
		_, err := faithful.ReadImportance(t.Context(), "i.dat", bytes.NewReader(b[:n]), int64(n))
		require.Error(t, err, "cut to %d bytes", n)
	}
}

func FuzzReadImportance(f *testing.F) {
	f.Add(older("a"))
	f.Add([]byte("GGUF\x03\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = faithful.ReadImportance(t.Context(), "f", bytes.NewReader(b), int64(len(b)))
	})
}

func TestReportWithoutPinsIsNotStated(t *testing.T) {
	source, quantised := pair("w", tensor.Named("Q8_0"), nil)
	r := check(t, quantised, source, nil)
	_, err := r.Statement()
	require.Error(t, err)
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	var any map[string]any
	require.NoError(t, json.Unmarshal(b.Bytes(), &any))
	require.Equal(t, "weightprint.faithful/1", any["schema"])
}

// with replaces a tensor, or adds one.
func with(m tensor.Tensors, t *tensor.Tensor) tensor.Tensors {
	out := tensor.Tensors{t}
	for _, x := range m {
		if x.Name != t.Name {
			out = append(out, x)
		}
	}
	return out
}

// No file is faithful for what was not held against anything.
func TestNothingPassesUnseen(t *testing.T) {
	source, quantised := pair("model.layers.0.mlp.x", tensor.Named("Q8_0"), nil)
	require.Equal(t, faithful.Faithful, check(t, quantised, source, nil).Verdict)
	r := check(t, quantised[1:], source, nil)
	require.Equal(t, faithful.Undetermined, r.Verdict, "a tensor is missing")
	require.Len(t, r.Missing, 1)
	table := &tensor.Tensor{Name: "rope_freqs.weight", DType: tensor.F32, Shape: []int64{8}, Data: tensor.Values{3, 3, 3, 3, 3, 3, 3, 3}}
	r = check(t, with(quantised, table), source, nil)
	require.Equal(t, faithful.Undetermined, r.Verdict, "a table that the configuration does not ask for")
	require.Equal(t, []string{table.Name}, r.Unpaired)
	other := *table
	other.Data = tensor.Values{3, 3, 3, 3, 3, 3, 3, 4}
	r = check(t, with(quantised, table), with(source, &other), nil)
	require.Equal(t, faithful.Deviates, r.Verdict, "a buffer that differs")
}

// A scale that is no number, or infinite, is none that a search comes to, whatever the
// importance.
func TestNoNumberIsNoScale(t *testing.T) {
	w := make([]float32, cols)
	for i := range w {
		w[i] = float32(1 + i%7*i%5)
	}
	for name, at := range map[string]int{"Q4_K": 0, "Q5_K": 0, "Q2_K": 80, "Q3_K": 108, "Q6_K": 208, "Q4_0": 0, "Q5_1": 2, "IQ4_XS": 0, "IQ4_NL": 0, "IQ3_S": 0, "IQ2_XXS": 0} {
		for _, bits := range []uint16{0x7e00, 0x7c00} {
			source, quantised := pair("w", tensor.Named(name), w)
			codec, _ := tensor.Named(name).Codec()
			raw := make([]byte, rows*cols/codec.BlockValues*codec.BlockBytes)
			require.NoError(t, quantised[0].Data.(*tensor.Stored).ReadRaw(raw, 0))
			binary.LittleEndian.PutUint16(raw[at:], bits)
			quantised[0] = stored(quantised[0].Name, tensor.Named(name), raw)
			r := check(t, quantised, source, nil)
			require.Equal(t, faithful.Deviates, r.Verdict, "%s %x", name, bits)
			require.EqualValues(t, 1, r.Blocks.Deviates, name)
		}
	}
}
