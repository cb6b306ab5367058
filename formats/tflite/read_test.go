package tflite

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "model.tflite", bytes.NewReader(b), int64(len(b)))
}

func load(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name + ".tflite")
	require.NoError(t, err)
	return b
}

var models = []string{"float", "dynamic", "half", "static", "int4", "behind", "sparse", "blocks"}

// Every value is what the schema's own reader finds.
func TestReference(t *testing.T) {
	for _, name := range models {
		b := load(t, name)
		require.True(t, Recognises(b[:8]))
		m, err := read(b)
		require.NoError(t, err, name)
		require.Empty(t, m.Warnings)
		formatstest.Model(t, m)
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/"+name+".json", &want)
		floats := vectors.Floats(t, "testdata/"+name+".f32")
		require.Len(t, m.Tensors(), len(want), name)
		quantised := 0
		for i, w := range want {
			x := m.Tensors()[i]
			require.Equal(t, w.Name, x.Name)
			require.Equal(t, w.Shape, x.Shape, x.Name)
			require.Equal(t, w.DType, x.DType.String(), x.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
			vectors.Equal(t, floats[:len(values)], values, name+": "+x.Name)
			floats = floats[len(values):]
			if _, ok := x.Data.(tensor.Lattice); ok {
				quantised++
			}
		}
		require.Empty(t, floats)
		require.Equal(t, map[string]int{"dynamic": 2, "int4": 1, "static": 8}[name], quantised, name)
	}
}

// The same network converted without and with quantisation: within half a step.
func TestQuantisedIsNear(t *testing.T) {
	from, err := read(load(t, "float"))
	require.NoError(t, err)
	to, err := read(load(t, "dynamic"))
	require.NoError(t, err)
	n := 0
	for _, x := range to.Tensors() {
		l, ok := x.Data.(tensor.Lattice)
		if !ok {
			continue
		}
		for _, y := range from.Tensors() {
			if len(x.Shape) != 2 || !slices.Equal(x.Shape, y.Shape) {
				continue
			}
			n++
			a, b, steps := make([]float32, x.Len()), make([]float32, x.Len()), make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), a, 0))
			require.NoError(t, y.Data.ReadValues(context.Background(), b, 0))
			require.NoError(t, l.ReadSteps(context.Background(), steps, 0))
			for i := range a {
				require.LessOrEqual(t, max(a[i]-b[i], b[i]-a[i]), steps[i]/2*1.0001)
			}
		}
	}
	require.Equal(t, 2, n)
}

// builder writes a flatbuffer front to back: each table with its own list of
// fields before it, what it leads to behind it.
type builder struct{ b []byte }

// fld is a field: a number, or what the field leads to.
type fld struct {
	size int
	n    uint64
	to   func(*builder) int // writes what it leads to and says where that is
}

func u8(n uint64) fld  { return fld{size: 1, n: n} }
func u32(n uint64) fld { return fld{size: 4, n: n} }
func u64(n uint64) fld { return fld{size: 8, n: n} }

var none = fld{}

func (w *builder) put(n int, v uint64) {
	var p [8]byte
	binary.LittleEndian.PutUint64(p[:], v)
	w.b = append(w.b, p[:n]...)
}

func (w *builder) table(fields ...fld) int {
	offs, size := make([]int, len(fields)), 4
	for i, f := range fields {
		n := f.size
		if f.to != nil {
			n = 4
		}
		if n > 0 {
			offs[i] = size
			size += n
		}
	}
	w.put(2, uint64(4+2*len(fields)))
	w.put(2, uint64(size))
	for _, o := range offs {
		w.put(2, uint64(o))
	}
	at := len(w.b)
	w.put(4, uint64(4+2*len(fields)))
	for _, f := range fields {
		if f.to != nil {
			w.put(4, 0)
		} else {
			w.put(f.size, f.n)
		}
	}
	for i, f := range fields {
		if f.to != nil {
			to := f.to(w)
			binary.LittleEndian.PutUint32(w.b[at+offs[i]:], uint32(to-at-offs[i]))
		}
	}
	return at
}

func child(fields ...fld) fld { return fld{to: func(w *builder) int { return w.table(fields...) }} }

func list(size int, items ...uint64) fld {
	return fld{to: func(w *builder) int {
		at := len(w.b)
		w.put(4, uint64(len(items)))
		for _, v := range items {
			w.put(size, v)
		}
		return at
	}}
}

func bytesOf(n int) fld { return list(1, make([]uint64, n)...) }

func text(s string) fld {
	var items []uint64
	for i := range len(s) {
		items = append(items, uint64(s[i]))
	}
	return list(1, items...)
}

func tables(items ...[]fld) fld {
	return fld{to: func(w *builder) int {
		at := len(w.b)
		w.put(4, uint64(len(items)))
		for range items {
			w.put(4, 0)
		}
		for i, f := range items {
			to := w.table(f...)
			binary.LittleEndian.PutUint32(w.b[at+4+4*i:], uint32(to-at-4-4*i))
		}
		return at
	}}
}

// model is a model of one subgraph.
func model(buffers, tensors fld) []byte {
	w := &builder{b: []byte("\x00\x00\x00\x00TFL3")}
	at := w.table(u32(3), none, tables([]fld{tensors}), none, buffers)
	binary.LittleEndian.PutUint32(w.b, uint32(at))
	return w.b
}

// one is a model of one tensor whose buffer has some bytes.
func one(n int, fields ...fld) []byte {
	return model(tables([]fld{}, []fld{bytesOf(n)}), tables(fields))
}

func hostile(t testing.TB) map[string][]byte {
	quant := func(f ...fld) []byte { return one(8, list(4, 4, 2), u8(9), u32(1), text("q"), child(f...)) }
	f := load(t, "float")
	with := func(at int, v uint32) []byte {
		b := bytes.Clone(f)
		binary.LittleEndian.PutUint32(b[at:], v)
		return b
	}
	return map[string][]byte{
		"empty": {}, "cut in the head": f[:6], "another identifier": append([]byte("\x08\x00\x00\x00TFL9"), f[8:]...), "cut in the middle": f[:len(f)/2], "cut at the end": f[:len(f)*3/4],
		"a root of 0": with(0, 0), "a root beyond the end": with(0, 1<<30), "a root of 2^32-1": with(0, 1<<32-1), "a root in the head": with(0, 4),
		"a vtable before the file":      with(int(binary.LittleEndian.Uint32(f)), 1<<31-1),
		"a vtable beyond the file":      with(int(binary.LittleEndian.Uint32(f)), 1<<31+7),
		"too few bytes":                 one(8, list(4, 3), u8(0), u32(1), text("w")),
		"too many bytes":                one(8, list(4, 1), u8(0), u32(1), text("w")),
		"a negative dimension":          one(8, list(4, 1<<32-1), u8(0), u32(1), text("w")),
		"a product that overflows":      one(8, list(4, 1<<31-1, 1<<31-1, 1<<31-1, 1<<31-1), u8(0), u32(1), text("w")),
		"beside a 0":                    one(8, list(4, 0, 1<<31-1, 1<<31-1, 1<<31-1, 1<<31-1), u8(0), u32(1), text("w")),
		"a hundred dimensions":          one(8, list(4, make([]uint64, 100)...), u8(0), u32(1), text("w")),
		"no such buffer":                one(8, list(4, 2), u8(0), u32(7), text("w")),
		"a buffer of 2^32-1":            one(8, list(4, 2), u8(0), u32(1<<32-1), text("w")),
		"a name that is no text":        one(8, list(4, 2), u8(0), u32(1), text("\xff\xfe")),
		"a name of 70 KB":               one(8, list(4, 2), u8(0), u32(1), text(string(make([]byte, 70_000)))),
		"bytes far behind":              model(tables([]fld{}, []fld{none, u64(1 << 62), u64(8)}), tables([]fld{list(4, 2), u8(0), u32(1), text("w")})),
		"bytes behind, 2^63 of them":    model(tables([]fld{}, []fld{none, u64(8), u64(1 << 63)}), tables([]fld{list(4, 2), u8(0), u32(1), text("w")})),
		"bytes here and behind":         model(tables([]fld{}, []fld{bytesOf(8), u64(8), u64(8)}), tables([]fld{list(4, 2), u8(0), u32(1), text("w")})),
		"scales that do not fit":        quant(none, none, list(4, 1, 1, 1), list(8, 0), none, none, u32(0)),
		"scales along no dimension":     quant(none, none, list(4, 1, 1), list(8, 0), none, none, u32(5)),
		"along dimension -1":            quant(none, none, list(4, 1, 1), list(8, 0), none, none, u32(1<<32-1)),
		"too many zero-points":          quant(none, none, list(4, 1, 1, 1, 1), list(8, 0, 0), none, none, u32(0)),
		"an unknown quantisation":       quant(none, none, list(4, 1, 1, 1, 1), list(8, 0), u8(2), none, u32(0)),
		"scales beyond the end":         quant(none, none, fld{to: func(w *builder) int { w.put(4, 1<<30); return len(w.b) - 4 }}),
		"sparse, of a form unknown":     thin(32, dimension(7, 4), dimension(0, 2)),
		"sparse, another size":          thin(32, dimension(0, 5), dimension(0, 2)),
		"sparse, too few dimensions":    thin(32, dimension(0, 4)),
		"sparse, too many dimensions":   thin(32, dimension(0, 4), dimension(0, 2), dimension(0, 1)),
		"sparse, fewer places":          thin(28, dimension(0, 4), dimension(0, 2)),
		"sparse, no segments":           thin(4, dimension(0, 4), dimension(1, 2)),
		"sparse, segments that go back": thin(8, dimension(0, 4), compressed(list(4, 0, 2, 1, 1, 2), list(4, 0, 1))),
		"sparse, segments too few":      thin(8, dimension(0, 4), compressed(list(4, 0, 2), list(4, 0, 1))),
		"sparse, segments beyond":       thin(8, dimension(0, 4), compressed(list(4, 0, 1, 1, 2, 9), list(4, 0, 1))),
		"sparse, segments from 1":       thin(8, dimension(0, 4), compressed(list(4, 1, 1, 1, 1, 2), list(4, 0, 1))),
		"sparse, an index beyond":       thin(8, dimension(0, 4), compressed(list(4, 0, 1, 1, 1, 2), list(4, 0, 2))),
		"sparse, an index below":        thin(8, dimension(0, 4), compressed(list(4, 0, 1, 1, 1, 2), list(4, 0, 1<<32-1))),
		"sparse, an index twice":        thin(8, dimension(0, 4), compressed(list(4, 0, 2, 2, 2, 2), list(4, 1, 1))),
		"sparse, indices that go back":  thin(8, dimension(0, 4), compressed(list(4, 0, 2, 2, 2, 2), list(4, 1, 0))),
		"four bits of another size":     one(9, list(4, 4, 5), u8(17), u32(1), text("w"), child(none, none, list(4, 1), list(8, 0))),
	}
}

// thin is a sparse tensor of 4 × 2 numbers, n bytes of which are stored.
func thin(n int, dimensions ...[]fld) []byte {
	return one(n, list(4, 4, 2), u8(0), u32(1), text("w"), none, none, child(list(4, 0, 1), none, tables(dimensions...)))
}

func dimension(format, size uint64) []fld { return []fld{u8(format), u32(size)} }

func compressed(segments, indices fld) []fld {
	return []fld{u8(formatCompressed), none, u8(1), child(segments), u8(1), child(indices)}
}

// A sparse tensor reads as the dense one, from any place; zeros are where nothing is stored.
func TestSparse(t *testing.T) {
	m, err := read(thin(8, dimension(0, 4), compressed(list(4, 0, 1, 1, 1, 2), list(4, 1, 0))))
	require.NoError(t, err)
	require.Empty(t, m.Warnings)
	s := m.Tensors()[0].Data.(*sparse)
	require.Equal(t, []int64{1, 6}, s.places)
	m, err = read(load(t, "sparse"))
	require.NoError(t, err)
	x := m.Tensors()[0]
	whole := make([]float32, x.Len())
	require.NoError(t, x.Data.ReadValues(context.Background(), whole, 0))
	for first := range whole {
		for _, n := range []int{0, 1, 7} {
			part := make([]float32, min(n, len(whole)-first))
			require.NoError(t, x.Data.ReadValues(context.Background(), part, int64(first)))
			require.Equal(t, whole[first:first+len(part)], part)
		}
	}
}

func TestHostile(t *testing.T) {
	m, err := read(one(8, list(4, 2), u8(0), u32(1), text("w")))
	require.NoError(t, err)
	require.Equal(t, "w", m.Tensors()[0].Name)
	for what, b := range hostile(t) {
		path := filepath.Join(t.TempDir(), "m.tflite")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		formatstest.Refused(t, path, what, func(string) error { _, err := read(b); return err })
	}
}

// What is not read is listed by name.
func TestUnread(t *testing.T) {
	for why, b := range map[string][]byte{
		"is of type 19":                  one(8, list(4, 4), u8(19), u32(1), text("w")),
		"is stored sparse":               one(8, list(4, 2), u8(0), u32(1), text("w"), none, none, child()),
		"holds integers without a scale": one(16, list(4, 16), u8(9), u32(1), text("w")),
	} {
		m, err := read(b)
		require.NoError(t, err, why)
		require.Equal(t, []string{"tensor w " + why + "; it is listed and not read"}, m.Warnings)
		require.Equal(t, tensor.Opaque, m.Tensors()[0].DType)
	}
}

// Tables that are named over and over are counted.
func TestTablesAreCounted(t *testing.T) {
	w := &builder{b: []byte("\x00\x00\x00\x00TFL3")}
	many := fld{to: func(w *builder) int {
		at := len(w.b)
		const n = maxObjects + 10
		w.put(4, n)
		for i := range n {
			w.put(4, uint64(4*(n-i)+4)) // all lead to the one table behind
		}
		w.table()
		return at
	}}
	at := w.table(u32(3), none, none, none, many)
	binary.LittleEndian.PutUint32(w.b, uint32(at))
	_, err := read(w.b)
	require.ErrorIs(t, err, tensor.ErrLimit)
}

// No cut and no changed byte is a panic.
func TestCutsAndFlips(t *testing.T) {
	for _, name := range []string{"int4", "static", "behind"} {
		good := load(t, name)
		for i := 0; i < len(good); i += 11 {
			drain(t, good[:i])
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			drain(t, b)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range models {
		f.Add(load(f, name))
	}
	for _, b := range hostile(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { drain(t, b) })
}

func drain(t *testing.T, b []byte) {
	m, err := read(b)
	if err != nil {
		var fe *tensor.FormatError
		require.True(t, errors.As(err, &fe), "%v", err)
		return
	}
	for _, x := range m.Tensors() {
		n := min(x.Len(), 100)
		_ = x.Data.ReadValues(context.Background(), make([]float32, n), x.Len()-n)
		if l, ok := x.Data.(tensor.Lattice); ok {
			_ = l.ReadSteps(context.Background(), make([]float32, n), 0)
		}
	}
}
