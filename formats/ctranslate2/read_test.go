package ctranslate2

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "model.bin", bytes.NewReader(b), int64(len(b)))
}

func load(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return b
}

func examples(t testing.TB) []string {
	all, err := filepath.Glob("testdata/*.bin")
	require.NoError(t, err)
	require.Len(t, all, 11)
	for i := range all {
		all[i] = strings.TrimSuffix(filepath.Base(all[i]), ".bin")
	}
	return all
}

// Every tensor has the name that the transformers library has for it, and the values that the
// converter was given, rounded or quantised.
func TestReference(t *testing.T) {
	for _, name := range examples(t) {
		b := load(t, name+".bin")
		require.True(t, Recognises(b[:1024]), name)
		m, err := read(b)
		require.NoError(t, err, name)
		require.Empty(t, m.Warnings, name)
		formatstest.Model(t, m)
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/"+name+".json", &want)
		sorted := slices.SortedFunc(slices.Values(m.Tensors()), func(a, b *tensor.Tensor) int { return strings.Compare(a.Name, b.Name) })
		formatstest.Values(t, name, sorted, want)
		for _, x := range m.Tensors() {
			_, lattice := x.Data.(tensor.Lattice)
			require.Equal(t, lattice, x.DType == tensor.PackedInt(8) || x.DType == tensor.PackedInt(16), "%s: %s", name, x.Name)
			require.False(t, strings.Contains(name, "int16") && len(x.Shape) > 1 && !strings.Contains(x.Name, "embed_positions") && !lattice, "%s: %s", name, x.Name)
		}
	}
}

// What a config.json would say follows from the specification and the numbers in the file.
func TestDeclared(t *testing.T) {
	for name, want := range map[string]tensor.Metadata{
		"whisper-int8":  {"config.model_type": "whisper", "config.decoder_attention_heads": int64(2), "config.encoder_attention_heads": int64(2), "ctranslate2.aliases": int64(1), "ctranslate2.version": int64(6)},
		"llama-float16": {"config.model_type": "llama", "config.num_attention_heads": int64(4), "config.num_key_value_heads": int64(2), "config.head_dim": nil},
		"gpt2-int8":     {"config.model_type": "opt", "config.num_attention_heads": int64(2)},
		"t5-int8":       {"config.model_type": "t5", "config.decoder_attention_heads": int64(2), "config.num_attention_heads": nil},
		"bert-int8":     {"config.model_type": "bert", "config.num_attention_heads": int64(2), "ctranslate2.specification": "TransformerEncoderSpec"},
	} {
		m, err := read(load(t, name+".bin"))
		require.NoError(t, err)
		for k, v := range want {
			require.Equal(t, v, m.Metadata()[k], "%s: %s", name, k)
		}
	}
}

// item is a variable of a file that a test writes.
type item struct {
	name  string
	shape []uint32
	kind  byte
	data  []byte
}

func str(s string) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(s)+1)), s+"\x00"...)
}

// file writes a model of a version.
func file(version uint32, spec string, items []item, aliases ...string) []byte {
	b := binary.LittleEndian.AppendUint32(nil, version)
	b = binary.LittleEndian.AppendUint32(append(b, str(spec)...), 1)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(items)))
	for _, x := range items {
		b = append(append(b, str(x.name)...), byte(len(x.shape)))
		for _, n := range x.shape {
			b = binary.LittleEndian.AppendUint32(b, n)
		}
		n := len(x.data)
		if version < typed && x.kind != 0 {
			n /= int(x.kind)
		}
		b = append(binary.LittleEndian.AppendUint32(append(b, x.kind), uint32(n)), x.data...)
	}
	if version < aliased {
		return b
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(aliases)/2))
	for _, a := range aliases {
		b = append(b, str(a)...)
	}
	return b
}

func floats(v ...float32) []byte {
	var b []byte
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func values(t *testing.T, m *File, name string) []float32 {
	x, ok := m.Tensor(name)
	require.True(t, ok, name)
	v := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(context.Background(), v, 0))
	return v
}

// Files of before version 4 say the size of a number where later ones say its type.
func TestOldVersions(t *testing.T) {
	for _, version := range []uint32{2, 3} {
		m, err := read(file(version, "TransformerSpec", []item{
			{"encoder/layer_0/ffn/linear_0/weight", []uint32{2, 2}, 1, []byte{1, 2, 0xff, 4}}, {"encoder/layer_0/ffn/linear_0/weight_scale", []uint32{2}, 4, floats(2, 4)},
			{"encoder/layer_0/ffn/linear_0/bias", []uint32{2}, 4, floats(5, 6)}, {"encoder/layer_0/ffn/linear_1/weight", []uint32{1, 2}, 2, []byte{8, 0, 16, 0}}, {"encoder/layer_0/ffn/linear_1/weight_scale", nil, 4, floats(8)},
		}))
		require.NoError(t, err)
		require.Equal(t, []float32{.5, 1, -.25, 1}, values(t, m, "encoder.layers.0.fc1.weight"))
		require.Equal(t, []float32{5, 6}, values(t, m, "encoder.layers.0.fc1.bias"))
		require.Equal(t, []float32{1, 2}, values(t, m, "encoder.layers.0.fc2.weight"))
		require.Len(t, m.Tensors(), 3)
	}
}

// A bias of Whisper's keys that is not zero is a bias like any other, and so are zeros elsewhere.
func TestBiasOfKeys(t *testing.T) {
	bias := func(spec string, v ...float32) *File {
		m, err := read(file(6, spec, []item{{"encoder/layer_0/self_attention/linear_0/bias", []uint32{6}, 0, floats(v...)}}))
		require.NoError(t, err)
		return m
	}
	require.Len(t, bias("WhisperSpec", 0, 0, 0, 0, 0, 0).Tensors(), 2)
	require.Len(t, bias("TransformerSpec", 1, 1, 0, 0, 1, 1).Tensors(), 3)
	hidden := bias("WhisperSpec", 1, 2, 0, 4, 5, 6)
	require.Equal(t, []float32{0, 4}, values(t, hidden, "encoder.layers.0.self_attn.k_proj.bias"))
}

// What has no place keeps its name; rows that cannot be divided stay together; integers without
// a scale are listed and not read, and neither are their zero-points taken for weights.
func TestUnknownPlaces(t *testing.T) {
	m, err := read(file(6, "TransformerDecoderSpec", []item{
		{"decoder/num_heads", nil, 2, []byte{3, 0}}, {"decoder/layer_0/self_attention/num_heads_kv", nil, 3, []byte{1, 0, 0, 0}}, {"decoder/eps", nil, 0, floats(float32(math.NaN()))},
		{"decoder/layer_0/self_attention/linear_0/weight", []uint32{10, 1}, 0, floats(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)}, {"decoder/layer_1/self_attention/linear_0/weight", []uint32{7, 1}, 0, floats(0, 1, 2, 3, 4, 5, 6)},
		{"decoder/layer_x/strange/weight", []uint32{1}, 0, floats(1)}, {"adapter/weight", []uint32{1}, 0, floats(2)}, {"decoder/layer_2/strange/weight", []uint32{1}, 0, floats(3)},
		{"decoder/layer_0/ffn/linear_0/weight", []uint32{1, 1}, 3, []byte{1, 2, 3, 4}}, {"decoder/layer_0/ffn/linear_0/weight_zero", []uint32{1}, 0, floats(2)}, {"decoder/layer_0/ffn/linear_0/weight_scale", []uint32{1}, 0, floats(2)},
		{"decoder/words", []uint32{2}, 1, []byte("ab")},
	}))
	require.NoError(t, err)
	require.Equal(t, []float32{0, 1, 2, 3, 4, 5}, values(t, m, "model.layers.0.self_attn.q_proj.weight"))
	require.Equal(t, []float32{6, 7}, values(t, m, "model.layers.0.self_attn.k_proj.weight"))
	require.Equal(t, []float32{8, 9}, values(t, m, "model.layers.0.self_attn.v_proj.weight"))
	require.Len(t, values(t, m, "model.layers.1.self_attn.qkv_proj.weight"), 7)
	require.Equal(t, []float32{3}, values(t, m, "decoder.layer_2.strange.weight"))
	require.Equal(t, []float32{2}, values(t, m, "adapter.weight"))
	require.Len(t, m.Warnings, 1)
	x, _ := m.Tensor("model.layers.0.mlp.fc1.weight")
	require.Equal(t, tensor.Opaque, x.DType)
	require.Len(t, m.Tensors(), 8)
	require.Equal(t, "ab", m.Metadata()["ctranslate2.decoder.words"])
	require.NotContains(t, m.Metadata(), "ctranslate2.decoder.eps")
}

// hostile are files that must each be refused, and a part of what the error says.
func hostile() map[string]struct {
	b    []byte
	says string
} {
	one := item{"encoder/conv1/weight", []uint32{2, 2}, 0, floats(1, 2, 3, 4)}
	with := func(x item) []byte { return file(6, "WhisperSpec", []item{x}) }
	good := with(one)
	put := func(at int, v ...byte) []byte { c := slices.Clone(good); copy(c[at:], v); return c }
	const count, name = 4 + 2 + 12 + 4, 4 + 2 + 12 + 4 + 4
	rank := name + 2 + len(one.name) + 1
	shape := func(n ...uint32) []byte { return with(item{one.name, n, 0, one.data}) }
	int8 := func(scale item) []byte {
		return file(6, "WhisperSpec", []item{{"a/weight", []uint32{2, 2}, 1, []byte{1, 2, 3, 4}}, scale})
	}
	return map[string]struct {
		b    []byte
		says string
	}{
		"empty": {nil, "the file ends"}, "a version alone": {good[:4], "the file ends"}, "cut in the kind": {good[:10], "the file ends"}, "cut in the count": {good[:count+2], "the file ends"},
		"cut in a name": {good[:name+5], "the file ends"}, "cut in a shape": {good[:rank+3], "the file ends"}, "cut in the values": {good[:len(good)-8], "the file ends"}, "cut before the aliases": {good[:len(good)-4], "the file ends"},
		"version 1": {put(0, 1), "version 1"}, "version 7": {put(0, 7), "version 7"}, "version 2^32-1": {put(0, 255, 255, 255, 255), "version 4294967295"},
		"a revision of 2^32-1":     {put(18, 255, 255, 255, 255), "at most 1024"},
		"2^32-1 variables":         {put(count, 255, 255, 255, 255), "at most 65536"},
		"a variable that is not":   {put(count, 2), "at least 2"}, // the count of aliases is taken for a name
		"an empty name":            {put(name, 1, 0), "1 bytes, at least 2"},
		"a name of 64 KiB":         {put(name, 255, 255), "65535 bytes"},
		"a name without its zero":  {put(rank-1, 'x'), "ends with its first zero"},
		"a name with a zero":       {put(name+5, 0), "ends with its first zero"},
		"a name that is no UTF-8":  {put(name+5, 0xff), "no UTF-8"},
		"200 dimensions":           {put(rank, 200), "200 dimensions"},
		"a type that is unknown":   {put(rank+9, 6), "type 6 is unknown"},
		"a size that is unknown":   {file(3, "WhisperSpec", []item{{one.name, []uint32{2, 1}, 8, make([]byte, 16)}}), "type 8 is unknown"},
		"a shape of other size":    {shape(2, 3), "16 bytes for F32 of shape [2 3]"},
		"a shape that overflows":   {shape(math.MaxUint32, math.MaxUint32, math.MaxUint32), "bytes for F32"},
		"a 0 in a shape":           {shape(0, 2), "bytes for F32 of shape [0 2]"},
		"a length that lies":       {put(rank+10, 255, 255, 255, 255), "4294967295 bytes for F32"},
		"values beyond the end":    {put(rank+1, 0, 0, 0, 64, 1, 0, 0, 0, 0, 0, 0, 0, 1), "bytes for F32"},
		"a name twice":             {file(6, "WhisperSpec", []item{one, one}), "the name stands twice"},
		"two for one place":        {file(6, "WhisperSpec", []item{{"encoder/embeddings/weight", []uint32{1}, 0, floats(1)}, {"encoder/embeddings_0/weight", []uint32{1}, 0, floats(1)}}), `two tensors stand for "encoder.embed_tokens.weight"`},
		"nothing but scalars":      {with(item{"encoder/num_heads", nil, 2, []byte{1, 0}}), "no variable is a weight"},
		"no variables":             {file(6, "WhisperSpec", nil), "no variable is a weight"},
		"2^32-1 aliases":           {append(slices.Clone(good[:len(good)-4]), 255, 255, 255, 255), "at most 65536"},
		"an alias of nothing":      {file(6, "WhisperSpec", []item{one}, "a", "b"), `stands for "b", which is not there`},
		"an alias that is there":   {file(6, "WhisperSpec", []item{one}, one.name, one.name), "the name stands twice"},
		"an alias twice":           {file(6, "WhisperSpec", []item{one}, "a", one.name, "a", one.name), "the name stands twice"},
		"bytes behind":             {append(slices.Clone(good), 0), "1 bytes behind the model"},
		"a scale too few":          {int8(item{"a/weight_scale", []uint32{1}, 0, floats(1)}), "scales of shape [1] for codes of shape [2 2]"},
		"scales of two dimensions": {int8(item{"a/weight_scale", []uint32{2, 1}, 0, floats(1, 1)}), "scales of shape [2 1]"},
		"scales of integers":       {int8(item{"a/weight_scale", []uint32{2}, 2, []byte{1, 0, 1, 0}}), "scales of type I16"},
	}
}

func TestHostile(t *testing.T) {
	require.Greater(t, len(hostile()), 35)
	dir := t.TempDir()
	for what, c := range hostile() {
		path := filepath.Join(dir, "model.bin")
		require.NoError(t, os.WriteFile(path, c.b, 0o600))
		_, err := read(c.b)
		require.ErrorContains(t, err, c.says, what)
		formatstest.Refused(t, path, what, func(path string) error {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			_, err = Read(context.Background(), path, f, int64(len(c.b)))
			return err
		})
	}
}

// Names together are bounded: descriptions are kept in memory.
func TestManyNames(t *testing.T) {
	var items []item
	for i := range maxNames/maxName + 100 {
		items = append(items, item{strings.Repeat("x", maxName-8) + string(rune('a'+i%26)) + string(rune('a'+i/26%26)) + string(rune('a'+i/676%26)) + string(rune('a'+i/17576%26)), []uint32{1}, 0, floats(1)})
	}
	_, err := read(file(6, "WhisperSpec", items))
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// A file that is cut anywhere is refused.
func TestCut(t *testing.T) {
	b := load(t, "llama-int8_bfloat16.bin")
	for n := range b {
		_, err := read(b[:n])
		require.Error(t, err, n)
	}
}

func TestRecognises(t *testing.T) {
	for text, want := range map[string]bool{
		"\x06\x00\x00\x00\x0c\x00WhisperSpec\x00": true, "\x02\x00\x00\x00\x10\x00TransformerSpec\x00": true, "\x07\x00\x00\x00\x0c\x00WhisperSpec\x00": true,
		"\x01\x00\x00\x00\x0c\x00WhisperSpec\x00": false, "\x06\x00\x00\x00\x0c\x00WhisperSpec": false, "\x06\x00\x00\x00\x0c\x00WhisperSpex\x00": false,
		"\x06\x00\x00\x00\x0c\x00Whi perSpec\x00": false, "\x06\x00\x00\x00\x04\x00Spe\x00": false, "\x06\x00\x00\x00\xff\xffWhisperSpec\x00": false, "": false,
	} {
		require.Equal(t, want, Recognises([]byte(text)), "%q", text)
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"whisper-int8_float16.bin", "t5-gated-float32.bin", "llama-int8_bfloat16.bin", "bert-int8.bin"} {
		f.Add(load(f, name))
	}
	for _, c := range hostile() {
		f.Add(c.b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Recognises(b)
		m, err := read(b)
		if err != nil {
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe)
			return
		}
		for _, x := range m.Tensors() {
			n := min(x.Len(), 100)
			err := x.Data.ReadValues(context.Background(), make([]float32, n), x.Len()-n)
			require.Equal(t, x.DType == tensor.Opaque && n > 0, err != nil, "%s: %v", x.Name, err)
			if l, ok := x.Data.(tensor.Lattice); ok {
				require.NoError(t, l.ReadSteps(context.Background(), make([]float32, n), 0))
			}
		}
	})
}
