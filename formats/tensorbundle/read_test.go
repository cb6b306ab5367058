package tensorbundle

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"io"
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

func load(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return b
}

// beside opens files of values from memory.
func beside(data map[string][]byte) func(string) (*Part, error) {
	return func(name string) (*Part, error) {
		b, ok := data[name]
		if !ok {
			return nil, tensor.Errorf(os.ErrNotExist, name, -1, "file", "does not exist")
		}
		return &Part{bytes.NewReader(b), name, int64(len(b))}, nil
	}
}

func read(index []byte, data map[string][]byte) (*File, error) {
	return Read(context.Background(), "m.index", "m.index", bytes.NewReader(index), int64(len(index)), beside(data))
}

// Every value is what TensorFlow's own reader gives.
func TestReference(t *testing.T) {
	for _, name := range []string{"variables", "model.ckpt"} {
		index := load(t, name+".index")
		require.True(t, Recognises(index))
		require.True(t, IsTable(bytes.NewReader(index), int64(len(index))))
		m, err := read(index, map[string][]byte{"m.data-00000-of-00001": load(t, name+".data-00000-of-00001")})
		require.NoError(t, err)
		formatstest.Model(t, m)
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/"+name+".json", &want)
		formatstest.Values(t, "testdata", m.Tensors(), want)
		require.Equal(t, name == "model.ckpt", len(m.Warnings) > 0)
	}
}

// message writes a protobuf message of the given fields.
func message(fields ...[]byte) []byte { return slices.Concat(fields...) }

func varint(number int, v uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number<<3)), v)
}

func text(number int, b []byte) []byte {
	return append(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number<<3|2)), uint64(len(b))), b...)
}

// shaped is a TensorShapeProto.
func shaped(dims ...uint64) []byte {
	var b []byte
	for _, d := range dims {
		b = append(b, text(2, varint(1, d))...)
	}
	return text(2, b)
}

// pair is a name and what stands under it.
type pair struct {
	key   string
	value []byte
}

// made writes a table of one block.
func made(pairs ...pair) []byte {
	block := func(pairs []pair) []byte {
		var b []byte
		for _, p := range pairs {
			b = binary.AppendUvarint(append(b, 0), uint64(len(p.key)))
			b = append(binary.AppendUvarint(b, uint64(len(p.value))), p.key...)
			b = append(b, p.value...)
		}
		return append(b, 0, 0, 0, 0, 1, 0, 0, 0)
	}
	var out []byte
	add := func(b []byte) (place []byte) {
		place = binary.AppendUvarint(binary.AppendUvarint(nil, uint64(len(out))), uint64(len(b)))
		b = append(b, 0)
		out = append(append(out, b...), binary.LittleEndian.AppendUint32(nil, masked(crc32.Checksum(b, castagnoli)))...)
		return place
	}
	data := add(block(pairs))
	meta := add(block(nil))
	index := add(block([]pair{{"~", data}}))
	footer := append(slices.Clone(meta), index...)
	footer = append(footer, make([]byte, footerBytes-8-len(footer))...)
	return binary.LittleEndian.AppendUint64(append(out, footer...), tableMagic)
}

var head = pair{"", varint(1, 1)}

// one is a float32 vector of so many values at an offset.
func one(key string, n, offset uint64) pair {
	return pair{key, message(varint(1, 1), shaped(n), varint(4, offset), varint(5, 4*n))}
}

var values = map[string][]byte{"m.data-00000-of-00001": make([]byte, 64)}

// What was written by hand is read, in either byte order.
func TestByteOrder(t *testing.T) {
	data := map[string][]byte{"m.data-00000-of-00001": {0x3f, 0x80, 0, 0, 0xc0, 0, 0, 0}}
	m, err := read(made(pair{"", message(varint(1, 1), varint(2, 1))}, one("a", 2, 0)), data)
	require.NoError(t, err)
	got := make([]float32, 2)
	require.NoError(t, m.Tensors()[0].Data.ReadValues(context.Background(), got, 0))
	require.Equal(t, []float32{1, -2}, got)
}

// A table that lies, or that was tampered with, is refused.
func TestHostile(t *testing.T) {
	good := made(head, one("a", 4, 0), one("b", 4, 16))
	_, err := read(good, values)
	require.NoError(t, err)
	flip := func(at int) []byte {
		b := slices.Clone(good)
		if at < 0 {
			at += len(b)
		}
		b[at] ^= 0x40
		return b
	}
	entry := func(fields ...[]byte) []byte { return made(head, pair{"a", message(fields...)}) }
	many := make([]uint64, maxRank+1)
	compressed := slices.Clone(good)
	compressed[bytes.Index(good, []byte{1, 0, 0, 0, 0})+4] = 1 // the type behind the first block
	cases := map[string][]byte{
		"empty": {}, "cut": good[:len(good)-1], "only a footer": good[len(good)-footerBytes:], "another magic": flip(-1),
		"a flipped byte":           flip(9),
		"a compressed block":       compressed,
		"no header":                made(one("a", 4, 0)),
		"no variables":             made(head),
		"no files":                 made(pair{"", varint(1, 0)}, one("a", 4, 0)),
		"too many files":           made(pair{"", varint(1, maxShards+1)}, one("a", 4, 0)),
		"a file that is missing":   made(pair{"", varint(1, 2)}, pair{"a", message(varint(1, 1), shaped(4), varint(3, 1), varint(5, 16))}),
		"a file beyond the last":   entry(varint(1, 1), shaped(4), varint(3, 1), varint(5, 16)),
		"order 2":                  made(pair{"", message(varint(1, 1), varint(2, 2))}, one("a", 4, 0)),
		"a header that is cut":     made(pair{"", []byte{0x08}}, one("a", 4, 0)),
		"names that descend":       made(head, one("b", 4, 0), one("a", 4, 16)),
		"a name twice":             made(head, one("a", 4, 0), one("a", 4, 16)),
		"a name twice, shortened":  made(head, one("a", 4, 0), one("a/.ATTRIBUTES/VARIABLE_VALUE", 4, 16)),
		"a name that is not UTF-8": made(head, one("\xff", 4, 0)),
		"only an ending":           made(head, one("/.ATTRIBUTES/VARIABLE_VALUE", 4, 0)),
		"shared bytes":             made(head, one("a", 4, 0), one("b", 4, 12)),
		"values beyond the file":   made(head, one("a", 4, 52)),
		"an offset beyond int64":   made(head, one("a", 4, 1<<63)),
		"a size beyond int64":      entry(varint(1, 1), shaped(4), varint(5, 1<<63)),
		"another size":             entry(varint(1, 1), shaped(4), varint(5, 12)),
		"a negative dimension":     entry(varint(1, 1), shaped(1<<64-4), varint(5, 16)),
		"a product beyond int64":   entry(varint(1, 1), shaped(1<<40, 1<<40), varint(5, 16)),
		"a huge dimension":         entry(varint(1, 1), shaped(1<<50), varint(5, 16)),
		"many dimensions":          entry(varint(1, 1), shaped(many...), varint(5, 0)),
		"an unknown rank":          entry(varint(1, 1), text(2, varint(3, 1)), varint(5, 4)),
		"an unknown type":          entry(varint(1, 99), shaped(4), varint(5, 16)),
		"slices":                   entry(varint(1, 1), shaped(4), text(7, nil)),
		"a field that is cut":      entry(varint(1, 1), []byte{0x12, 0x7f}),
		"a group":                  entry([]byte{0x0b}),
		"field 0":                  entry([]byte{0, 0}),
	}
	require.Greater(t, len(cases), 30)
	dir := t.TempDir()
	for what, b := range cases {
		path := filepath.Join(dir, "m.index")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		formatstest.Refused(t, path, what, func(path string) error {
			f, err := os.Open(path)
			require.NoError(t, err)
			defer f.Close()
			_, err = Read(context.Background(), path, "m.index", f, int64(len(b)), beside(values))
			return err
		})
	}
}

// Every flipped bit of a real index is refused or changes nothing: all blocks have
// checksums.
func TestFlippedBits(t *testing.T) {
	b := load(t, "model.ckpt.index")
	data := map[string][]byte{"m.data-00000-of-00001": load(t, "model.ckpt.data-00000-of-00001")}
	names := func(m *File) (out string) {
		for _, x := range m.Tensors() {
			out += x.Name + x.DType.String() + " "
		}
		return out
	}
	whole, err := read(b, data)
	require.NoError(t, err)
	for i := range b {
		c := slices.Clone(b)
		c[i] ^= 1 << (i % 8)
		if m, err := read(c, data); err == nil {
			require.Equal(t, names(whole), names(m), "byte %d", i)
		}
	}
	for n := range b {
		_, err := read(b[:n], data)
		require.Error(t, err)
		require.True(t, strings.Contains(err.Error(), "m.index"))
	}
}

func FuzzRead(f *testing.F) {
	f.Add(load(f, "model.ckpt.index"))
	f.Add(load(f, "variables.index"))
	f.Add(made(head, one("a", 4, 0), one("b", 4, 16)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := read(b, values)
		if err != nil {
			return
		}
		for _, x := range m.Tensors() {
			if err := x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0); err != nil && x.DType != tensor.Bool {
				t.Fatal(err)
			}
		}
	})
}

// FuzzPairs reads tables whose checksums are right.
func FuzzPairs(f *testing.F) {
	f.Add(varint(1, 1), "a", one("a", 4, 0).value)
	f.Add(message(varint(1, 1), varint(2, 1)), "a/.ATTRIBUTES/VARIABLE_VALUE", message(varint(1, 14), shaped(2, 4), varint(5, 16)))
	f.Fuzz(func(t *testing.T, header []byte, key string, value []byte) {
		m, err := read(made(pair{"", header}, pair{key, value}), values)
		if err != nil {
			return
		}
		for _, x := range m.Tensors() {
			if err := x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0); err != nil && x.DType != tensor.Bool && err != io.EOF {
				t.Fatal(err)
			}
		}
	})
}
