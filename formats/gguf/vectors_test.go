package gguf

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/internal/vectors"
)

func open(t testing.TB, path string) (*File, error) {
	t.Helper()
	f, err := os.Open(path)
	require.NoError(t, err)
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	require.NoError(t, err)
	return Read(context.Background(), filepath.Base(path), f, info.Size())
}

// folders lists the committed vectors and, where it is, the whole set.
func folders(t testing.TB, name string) []string {
	out := []string{filepath.Join("testdata", filepath.Base(name))}
	if dir, ok := vectors.Shared(t, filepath.Join("vectors", name)); ok {
		out = append(out, dir)
	}
	return out
}

type expected struct {
	File      string
	Version   int
	Alignment int64
	ByteOrder string `json:"byte_order"`
	KV        []struct {
		Key, Type string
		Value     any
	}
	Tensors []formatstest.Expected
}

func TestEveryTypeDecodesBitForBit(t *testing.T) {
	for _, dir := range folders(t, "gguf/types") {
		types := map[string]bool{}
		files, err := filepath.Glob(filepath.Join(dir, "*.expected.json"))
		require.NoError(t, err)
		for _, path := range files {
			var want expected
			vectors.JSON(t, path, &want)
			f, err := open(t, filepath.Join(dir, want.File))
			require.NoError(t, err)
			formatstest.Model(t, f)
			formatstest.Values(t, dir, f.Tensors(), want.Tensors)
			types[want.Tensors[0].Type] = true
		}
		require.Len(t, types, 35, "types in %s", dir)
	}
}

func TestContainers(t *testing.T) {
	for _, dir := range folders(t, "gguf/container") {
		files, err := filepath.Glob(filepath.Join(dir, "*.gguf"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, path := range files {
			f, err := open(t, path)
			require.NoError(t, err, path)
			expectation := strings.TrimSuffix(path, ".gguf") + ".expected.json"
			if _, err := os.Stat(expectation); err != nil {
				continue
			}
			var want expected
			vectors.JSON(t, expectation, &want)
			if want.Version > 0 {
				require.Equal(t, want.Version, f.Version, path)
				require.Equal(t, want.ByteOrder == "big", f.BigEndian, path)
			}
			if want.Alignment > 0 {
				require.Equal(t, want.Alignment, f.Alignment, path)
			}
			if want.KV != nil {
				require.Len(t, f.Entries, len(want.KV), path)
				for i, kv := range want.KV {
					e := f.Entries[i]
					require.Equal(t, kv.Key, e.Key, path)
					require.Equal(t, kv.Type, e.Type.String(), kv.Key)
					v, err := f.Value(e)
					require.NoError(t, err, kv.Key)
					checkValue(t, kv.Key, kv.Value, v)
				}
			}
			formatstest.Values(t, dir, f.Tensors(), want.Tensors)
		}
	}
}

// checkValue compares a metadata value with its written form.
func checkValue(t *testing.T, key string, want, got any) {
	t.Helper()
	w, ok := want.(map[string]any)
	if !ok {
		require.Equal(t, fmt.Sprint(want), fmt.Sprint(got), key)
		return
	}
	switch {
	case w["utf8"] != nil:
		require.Equal(t, w["utf8"], got, key)
	case w["hex"] != nil:
		require.Equal(t, w["hex"], hex.EncodeToString([]byte(got.(string))), key)
	case w["dec"] != nil:
		require.Equal(t, w["dec"], fmt.Sprint(got), key)
	case w["sha256"] != nil:
		sum := sha256.Sum256([]byte(got.(string)))
		require.Equal(t, w["sha256"], hex.EncodeToString(sum[:]), key)
	case w["bits"] != nil:
		bits, err := strconv.ParseUint(w["bits"].(string), 16, 64)
		require.NoError(t, err)
		v := got.(float64)
		if math.IsNaN(v) { // widening makes a NaN quiet
			require.True(t, math.IsNaN(float64(math.Float32frombits(uint32(bits)))) || math.IsNaN(math.Float64frombits(bits)), key)
			return
		}
		if len(w["bits"].(string)) <= 8 {
			require.Equal(t, uint32(bits), math.Float32bits(float32(v)), key)
		} else {
			require.Equal(t, bits, math.Float64bits(v), key)
		}
	case w["elem"] != nil:
		items := got.([]any)
		require.Len(t, items, int(w["n"].(float64)), key)
		if list, ok := w["items"].([]any); ok {
			for i, item := range list {
				checkValue(t, fmt.Sprintf("%s[%d]", key, i), item, items[i])
			}
		}
	default:
		require.Failf(t, "unknown form of expectation", "%s: %v", key, want)
	}
}

func TestLittleAndBigEndianAgree(t *testing.T) {
	little, err := open(t, "testdata/container/endian-pair-little.gguf")
	require.NoError(t, err)
	big, err := open(t, "testdata/container/endian-pair-big.gguf")
	require.NoError(t, err)
	require.True(t, big.BigEndian)
	for i, a := range little.Tensors() {
		b := big.Tensors()[i]
		x, y := make([]float32, a.Len()), make([]float32, b.Len())
		require.NoError(t, a.Data.ReadValues(context.Background(), x, 0))
		require.NoError(t, b.Data.ReadValues(context.Background(), y, 0))
		vectors.Equal(t, x, y, a.Name)
	}
}

// lenient lists the files on which the format's text or the references
// disagree and that are read all the same, because files like them exist.
var lenient = map[string]bool{
	"094-string-bad-utf8.bin": true, // tokenizers hold byte strings
	"126-dims-5.bin":          true,
}

func TestMalformed(t *testing.T) {
	for _, dir := range folders(t, "malformed/gguf") {
		if strings.HasPrefix(dir, "testdata") {
			dir = "testdata/malformed"
		}
		var cases []struct{ File, What, Verdict string }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &cases)
		require.Len(t, cases, 171)
		for _, c := range cases {
			path := filepath.Join(dir, c.File)
			if c.Verdict == "accept" || lenient[c.File] {
				f, err := open(t, path)
				require.NoError(t, err, "%s: %s", c.File, c.What)
				formatstest.Model(t, f)
				continue
			}
			formatstest.Refused(t, path, c.What, func(path string) error { _, err := open(t, path); return err })
		}
	}
}

func TestLlamaSet(t *testing.T) {
	dir, ok := vectors.Shared(t, "vectors/llama")
	if !ok {
		return
	}
	var want struct {
		Tensors []struct {
			GGUF string
			SHA  string `json:"f32_sha256_gguf_order"`
		}
		Quantised map[string][]struct {
			Name string
			Type string
			SHA  string `json:"f32_sha256"`
		}
	}
	vectors.JSON(t, filepath.Join(dir, "expected.json"), &want)
	f, err := open(t, filepath.Join(dir, "tiny-bf16.gguf"))
	require.NoError(t, err)
	for _, w := range want.Tensors {
		x, ok := f.Tensor(w.GGUF)
		require.True(t, ok, w.GGUF)
		values := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
		require.Equal(t, w.SHA, formatstest.Digest(values), w.GGUF)
	}
	require.NotEmpty(t, want.Quantised)
	for file, tensors := range want.Quantised {
		f, err := open(t, filepath.Join(dir, file))
		require.NoError(t, err)
		for _, w := range tensors {
			x, ok := f.Tensor(w.Name)
			require.True(t, ok, w.Name)
			require.Equal(t, w.Type, x.DType.String(), w.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
			require.Equal(t, w.SHA, formatstest.Digest(values), "%s %s", file, w.Name)
		}
	}
}
