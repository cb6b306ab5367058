package flax

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "test.msgpack", bytes.NewReader(b), int64(len(b)))
}

func load(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

// TestVectors compares every file with what flax restores from it, bit for
// bit.
func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	require.NoError(t, err)
	require.Len(t, files, 4)
	for _, path := range files {
		var v struct {
			File    string
			Tensors []formatstest.Expected
		}
		vectors.JSON(t, path, &v)
		t.Run(v.File, func(t *testing.T) {
			b := load(t, filepath.Join("testdata", v.File))
			require.True(t, Recognises(b[:min(len(b), 512)]))
			f, err := read(b)
			require.NoError(t, err)
			formatstest.Model(t, f)
			require.Len(t, f.Tensors(), len(v.Tensors))
			floats := vectors.Floats(t, strings.TrimSuffix(path, "json")+"f32")
			for _, w := range v.Tensors {
				x, ok := f.Tensor(w.Name)
				require.True(t, ok, w.Name)
				require.Equal(t, w.DType, x.DType.String(), w.Name)
				require.Len(t, x.Shape, len(w.Shape))
				for i := range w.Shape {
					require.Equal(t, w.Shape[i], x.Shape[i], w.Name)
				}
				raw := make([]byte, x.StoredBytes())
				require.NoError(t, x.Data.(*tensor.Stored).ReadRaw(raw, 0), w.Name)
				sum := sha256.Sum256(raw)
				require.Equal(t, w.RawSHA, hex.EncodeToString(sum[:]), w.Name)
				values := make([]float32, x.Len())
				require.NoError(t, x.Data.ReadValues(context.Background(), values, 0), w.Name)
				vectors.Equal(t, floats[:len(values)], values, w.Name)
				floats = floats[len(values):]
			}
			require.Empty(t, floats)
		})
	}
}

func TestNotes(t *testing.T) {
	for name, want := range map[string][]string{
		"model": nil,
		"types": {"entries that hold no array are left out: bytes, complex, float, large, negative, none and 2 more"},
		"state": {"the model is what stands under params", "entries of training are left out: opt_state, step", "entries that hold no array are left out: epoch"},
	} {
		f, err := read(load(t, "testdata/"+name+".msgpack"))
		require.NoError(t, err)
		require.Equal(t, want, f.Warnings, name)
	}
}

func text(s string) string { return string([]byte{0xd9, byte(len(s))}) + s }

func ext(kind byte, body string) string {
	return string(append(binary.BigEndian.AppendUint32([]byte{0xc9}, uint32(len(body))), kind)) + body
}

func blob(b string) string { return string([]byte{0xc4, byte(len(b))}) + b }

// of is a file of one array.
func of(array string) string { return "\x81" + text("w") + ext(1, array) }

// Every hostile file is refused with a typed error, and little is allocated.
func TestHostile(t *testing.T) {
	four := strings.Repeat("\x00", 16)
	good := "\x93\x91\x04" + text("float32") + blob(four)
	_, err := read([]byte(of(good)))
	require.NoError(t, err)
	part := func(shape, chunks string) string {
		return "\x81" + text("w") + "\x83" + text(chunked) + "\xc3" + text("shape") + shape + text("chunks") + chunks
	}
	flat := ext(1, good)
	_, err = read([]byte(part("\x81"+text("0")+"\x04", "\x81"+text("0")+flat)))
	require.NoError(t, err)
	for _, c := range []struct {
		name, file string
		class      error
		text       string
	}{
		{"empty", "", io.ErrUnexpectedEOF, ""},
		{"a number", "\x05", tensor.ErrNotModel, "a map from names"},
		{"an empty map", "\x80", tensor.ErrNotModel, "no array"},
		{"no array", "\x81" + text("a") + "\x05", tensor.ErrNotModel, "no array"},
		{"0xc1", "\x81" + text("a") + "\xc1", tensor.ErrFormat, "0xc1"},
		{"bytes behind", of(good) + "x", tensor.ErrFormat, "follow the tree"},
		{"a key twice", "\x82" + text("w") + ext(1, good) + text("w") + ext(1, good), tensor.ErrFormat, "stands twice"},
		{"two ways to a name", "\x82" + text("a.b") + ext(1, good) + text("a") + "\x81" + text("b") + ext(1, good), tensor.ErrFormat, "two entries make this name"},
		{"a key not UTF-8", "\x81\xa1\xff\x05", tensor.ErrFormat, "not UTF-8"},
		{"a map as key", "\x81\x80\x05", tensor.ErrUnsupported, "a text of at most"},
		{"a negative key", "\x81\xff\x05", tensor.ErrUnsupported, "a text of at most"},
		{"a key of 64 KB", "\x81\xda\xff\xff" + strings.Repeat("a", 1<<16), tensor.ErrUnsupported, "a text of at most"},
		{"a text of 4 GB", "\x81" + text("a") + "\xdb\xff\xff\xff\xff", io.ErrUnexpectedEOF, "4294967295 bytes"},
		{"bytes of 4 GB", "\x81" + text("a") + "\xc6\xff\xff\xff\xff", io.ErrUnexpectedEOF, "4294967295 bytes"},
		{"a list of 4 G", "\x81" + text("a") + "\xdd\xff\xff\xff\xff", io.ErrUnexpectedEOF, ""},
		{"a map of 4 G", "\xdf\xff\xff\xff\xff", io.ErrUnexpectedEOF, ""},
		{"an extension of 4 GB", "\x81" + text("a") + "\xc9\xff\xff\xff\xff\x01", io.ErrUnexpectedEOF, "4294967295 bytes"},
		{"10^6 numbers", "\x81" + text("a") + "\xdd\x00\x0f\xff\xff" + strings.Repeat("\x01", 1<<20), tensor.ErrLimit, "more than"},
		{"100 lists deep", "\x81" + text("a") + strings.Repeat("\x91", 100) + "\x01", tensor.ErrLimit, "deep"},
		{"array of two", of("\x92\x91\x04" + text("float32")), tensor.ErrFormat, "a list of shape"},
		{"array no list", of("\x04"), tensor.ErrFormat, "a list of shape"},
		{"shape no list", of("\x93\x04" + text("float32") + blob(four)), tensor.ErrFormat, "a shape of at most"},
		{"shape negative", of("\x93\x91\xff" + text("float32") + blob(four)), tensor.ErrFormat, "numbers from 0"},
		{"shape of 8 negative bytes", of("\x93\x91\xd3\xff\xff\xff\xff\xff\xff\xff\xff" + text("float32") + blob(four)), tensor.ErrFormat, "numbers from 0"},
		{"shape of texts", of("\x93\x91" + text("4") + text("float32") + blob(four)), tensor.ErrFormat, "numbers from 0"},
		{"shape too large", of("\x93\x91\x05" + text("float32") + blob(four)), tensor.ErrFormat, "16 bytes for the shape [5]"},
		{"shape too small", of("\x93\x91\x03" + text("float32") + blob(four)), tensor.ErrFormat, "16 bytes for the shape [3]"},
		{"shape that overflows", of("\x93\x92\xcf\x10\x00\x00\x00\x00\x00\x00\x00\x40" + text("float32") + blob(four)), tensor.ErrFormat, "for the shape"},
		{"33 dimensions", of("\x93\xdc\x00\x21" + strings.Repeat("\x01", 33) + text("float32") + blob("\x00\x00\x00\x00")), tensor.ErrFormat, "at most 32"},
		{"an unknown type", of("\x93\x91\x04" + text("int4") + blob("\x00\x00\x00\x00")), tensor.ErrUnsupported, "the element type int4"},
		{"no bytes", of("\x93\x91\x04" + text("float32") + "\xc0"), tensor.ErrFormat, "the bytes of the array"},
		{"bytes beyond the extension", strings.Replace(of(good), "\xc4\x10", "\xc4\x0c", 1), tensor.ErrFormat, "12 bytes for the shape"},
		{"more in the extension", of(good + "x"), tensor.ErrFormat, "its parts end at"},
		{"parts without shape", "\x81" + text("w") + "\x81" + text(chunked) + "\xc3", tensor.ErrNotModel, "no array"},
		{"parts without a dimension", part("\x81"+text("1")+"\x04", "\x81"+text("0")+flat), tensor.ErrFormat, "the dimension 0 is missing"},
		{"parts without the first", part("\x81"+text("0")+"\x04", "\x81"+text("1")+flat), tensor.ErrFormat, "part 0 is no flat array"},
		{"parts of another shape", part("\x81"+text("0")+"\x05", "\x81"+text("0")+flat), tensor.ErrFormat, "for the shape [5]"},
		{"parts of two types", part("\x81"+text("0")+"\x08", "\x82"+text("0")+flat+text("1")+ext(1, "\x93\x91\x04"+text("int32")+blob(four))), tensor.ErrFormat, "part 1 is no flat array"},
		{"parts that are matrices", part("\x81"+text("0")+"\x04", "\x81"+text("0")+ext(1, "\x93\x92\x02\x02"+text("float32")+blob(four))), tensor.ErrFormat, "part 0 is no flat array"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := read([]byte(c.file))
			runtime.ReadMemStats(&after)
			require.ErrorIs(t, err, c.class)
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe)
			require.ErrorContains(t, err, c.text)
			require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(96<<20))
		})
	}
}

// No cut file is accepted; no changed byte makes the reader panic.
func TestCutsAndFlips(t *testing.T) {
	for _, name := range []string{"types", "chunked"} {
		good := load(t, "testdata/"+name+".msgpack")
		for i := range good {
			_, err := read(good[:i])
			require.Error(t, err)
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			accepted(t, b)
		}
	}
}

func accepted(t testing.TB, b []byte) {
	t.Helper()
	Recognises(b)
	var fe *tensor.FormatError
	f, err := read(b)
	if err != nil {
		require.ErrorAs(t, err, &fe)
		return
	}
	for _, x := range f.Tensors() {
		values := make([]float32, min(x.Len(), 1<<12))
		for _, first := range []int64{0, x.Len() - int64(len(values))} {
			if err := x.Data.ReadValues(context.Background(), values, first); err != nil {
				require.ErrorAs(t, err, &fe)
			}
		}
	}
}

func TestRecognises(t *testing.T) {
	for head, want := range map[string]bool{
		"\x81" + text("params") + "\x81": true,
		"\x81" + text("w") + ext(1, ""):  true,
		"\x80\x02}q":                     false, // a pickle
		"\x89HDF\r\n\x1a\n":              false,
		"GGUF\x03\x00":                   false,
		"PK\x03\x04":                     false,
		"":                               false,
		"\x81" + text("a") + text("b"):   false,
		"\x81\xa1":                       false,
		"\x81" + text("a"):               false,
		"\x82" + text("step") + "\x05":   true,
		string(binary.LittleEndian.AppendUint64(nil, math.MaxUint32)) + "{": false,
	} {
		require.Equal(t, want, Recognises([]byte(head)), "%q", head)
	}
}

// FuzzRead reads any bytes.
func FuzzRead(f *testing.F) {
	files, err := filepath.Glob("testdata/*.msgpack")
	require.NoError(f, err)
	for _, path := range files {
		f.Add(load(f, path))
	}
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, b) })
}
