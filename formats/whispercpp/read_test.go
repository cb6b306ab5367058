package whispercpp

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
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

// Every value is what transformers gave to whisper.cpp's converter.
func TestReference(t *testing.T) {
	for _, name := range []string{"model.bin", "model-f32.bin"} {
		m, err := read(load(t, name))
		require.NoError(t, err)
		formatstest.Model(t, m)
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/model.json", &want)
		formatstest.Values(t, "testdata", m.Tensors(), want)
		heads, _ := m.Metadata().Int("config.decoder_attention_heads")
		require.Equal(t, 2, heads)
	}
}

// put writes a 32-bit number over a copy of a file.
func put(b []byte, at int, v uint32) []byte {
	b = slices.Clone(b)
	binary.LittleEndian.PutUint32(b[at:], v)
	return b
}

// places of a file that the tests change: the vocabulary, its first token, the first
// tensor.
func places(b []byte) (vocabulary, first int) {
	vocabulary = headBytes + 4*4*9
	return vocabulary, vocabulary + 4 + 12*5
}

// record is a tensor of one quantised row.
func record(name string, kind uint32, cols, bytes int) []byte {
	var b []byte
	for _, v := range []uint32{1, uint32(len(name)), kind, uint32(cols)} {
		b = binary.LittleEndian.AppendUint32(b, v)
	}
	return append(append(b, name...), make([]byte, bytes)...)
}

// Quantised tensors are read where their blocks are of today's version.
func TestQuantised(t *testing.T) {
	b := load(t, "model.bin")
	q8 := record("decoder.q", 8, 64, 68)
	copy(q8[len(q8)-34:], []byte{0, 0x3c, 1, 0xff}) // a scale of 1, then 1 and -1
	for _, version := range []uint32{0, 1, 2, 3} {
		m, err := read(append(put(b, 4+4*10, 1000*version+8), q8...))
		if version != 2 {
			require.ErrorIs(t, err, tensor.ErrUnsupported)
			continue
		}
		require.NoError(t, err)
		x, _ := m.Tensor("decoder.q")
		values := make([]float32, 64)
		require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
		require.Equal(t, []float32{0, 1, -1, 0}, values[31:35])
	}
}

// What is no such file, or one that was tampered with, is refused.
func TestHostile(t *testing.T) {
	b := load(t, "model.bin")
	vocabulary, first := places(b)
	rank := int(binary.LittleEndian.Uint32(b[first:]))
	name := first + 12 + 4*rank
	require.Equal(t, "encoder.", string(b[name:name+8]), "the places are right")
	add := func(r []byte) []byte { return append(slices.Clone(b), r...) }
	cases := map[string][]byte{
		"empty": {}, "magic only": b[:4], "another magic": put(b, 0, 0x67676a74), "cut in the numbers": b[:40],
		"no mels":                 put(b, 4+4*9, 0),
		"other mels":              put(b, 4+4*numbers, 5),
		"huge mels":               put(put(b, 4+4*9, math.MaxUint32), 4+4*numbers, math.MaxUint32),
		"huge window":             put(b, 8+4*numbers, math.MaxUint32),
		"window beyond the file":  put(b, 8+4*numbers, maxFFT),
		"two widths":              put(b, 4+4*2, 7),
		"huge vocabulary":         put(b, vocabulary, math.MaxUint32),
		"vocabulary too long":     put(b, vocabulary, maxTokens),
		"huge token":              put(b, vocabulary+4, math.MaxUint32),
		"token beyond the file":   put(b, vocabulary+4, maxToken),
		"no dimensions":           put(b, first, 0),
		"five dimensions":         put(b, first, 5),
		"negative dimensions":     put(b, first, math.MaxUint32),
		"no name":                 put(b, first+4, 0),
		"huge name":               put(b, first+4, math.MaxUint32),
		"name beyond the file":    b[:name+3],
		"unknown type":            put(b, first+8, 999),
		"removed type":            put(b, first+8, 4),
		"quantised, no version":   put(b, first+8, 8),
		"a negative dimension":    put(b, first+12, math.MaxUint32),
		"a huge dimension":        put(b, first+12, math.MaxInt32),
		"values beyond the file":  put(b, first+12, 4096),
		"cut in the values":       b[:len(b)-1],
		"no tensors":              b[:first],
		"three bytes behind":      add([]byte{1, 2, 3}),
		"a tensor twice":          add(b[first:]),
		"half a block":            append(put(b, 4+4*10, 2008), record("q", 8, 33, 68)...),
		"product beyond an int64": append(slices.Clone(b), append(binary.LittleEndian.AppendUint32(nil, 4), []byte{1, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255, 127, 255, 255, 255, 127, 'x'}...)...),
	}
	require.Greater(t, len(cases), 25)
	dir := t.TempDir()
	for what, c := range cases {
		path := filepath.Join(dir, "case.bin")
		require.NoError(t, os.WriteFile(path, c, 0o600))
		formatstest.Refused(t, path, what, func(path string) error {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			_, err = Read(context.Background(), path, f, int64(len(c)))
			return err
		})
	}
}

// Names together are bounded: descriptions are kept in memory.
func TestManyNames(t *testing.T) {
	b := load(t, "model.bin")
	_, first := places(b)
	b = b[:first]
	for i := range maxNames/maxName + 2 {
		name := bytes.Repeat([]byte("x"), maxName)
		copy(name, strconv.Itoa(i))
		b = append(b, record(string(name), 0, 1, 4)...)
	}
	_, err := read(b)
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// A file that is cut anywhere is refused, or lacks whole tensors only.
func TestCut(t *testing.T) {
	b := load(t, "model.bin")
	whole, err := read(b)
	require.NoError(t, err)
	ok := 0
	for n := range b {
		if m, err := read(b[:n]); err == nil {
			ok++
			require.Less(t, len(m.Tensors()), len(whole.Tensors()))
		}
	}
	require.Equal(t, len(whole.Tensors())-1, ok)
}

func FuzzRead(f *testing.F) {
	b := load(f, "model.bin")
	_, first := places(b)
	f.Add(b)
	f.Add(b[:first+300])
	f.Add(append(put(b[:first], 4+4*10, 2008), record("q", 8, 64, 68)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(b)
		if err != nil {
			return
		}
		for _, x := range m.Tensors() {
			if x.Len() < 1<<16 {
				if err := x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
