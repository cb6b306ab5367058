package numpy

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "a.npz", bytes.NewReader(b), int64(len(b)))
}

func load(t testing.TB, name string) []byte {
	b, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	return b
}

// Every array is what NumPy holds.
func TestReference(t *testing.T) {
	for _, file := range []string{"types.npz", "compressed.npz", "single.npy", "version3.npy"} {
		b := load(t, file)
		require.True(t, Recognises(b[:min(len(b), 1024)]), file)
		m, err := read(b)
		require.NoError(t, err, file)
		require.Empty(t, m.Warnings)
		formatstest.Model(t, m)
		name := strings.TrimSuffix(file, filepath.Ext(file))
		var want []formatstest.Expected
		vectors.JSON(t, "testdata/"+name+".json", &want)
		floats := vectors.Floats(t, "testdata/"+name+".f32")
		require.Len(t, m.Tensors(), len(want))
		for i, w := range want {
			x := m.Tensors()[i]
			require.Equal(t, w.Name, x.Name)
			require.Equal(t, w.Shape, x.Shape, x.Name)
			require.Equal(t, w.DType, x.DType.String(), x.Name)
			values := make([]float32, x.Len())
			require.NoError(t, x.Data.ReadValues(context.Background(), values, 0))
			vectors.Equal(t, floats[:len(values)], values, x.Name)
			floats = floats[len(values):]
		}
		require.Empty(t, floats)
	}
}

// What holds no numbers is listed by name, not read.
func TestUnreadTypes(t *testing.T) {
	m, err := read(load(t, "text.npz"))
	require.NoError(t, err)
	require.Len(t, m.Tensors(), 3)
	require.Len(t, m.Warnings, 2)
	require.Contains(t, m.Warnings[0], "array text has elements of type <U2; it is listed and not read")
	x, _ := m.Tensor("void")
	require.Equal(t, tensor.Opaque, x.DType)
	require.ErrorIs(t, x.Data.ReadValues(context.Background(), make([]float32, 1), 0), tensor.ErrUnsupported)
}

// npy is an array with a description.
func npy(text string, data ...byte) []byte {
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(append(b, text...), data...)
}

type member struct {
	name string
	data []byte
}

func npz(members ...member) []byte {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, m := range members {
		w, _ := z.CreateHeader(&zip.FileHeader{Name: m.name, Method: zip.Store})
		w.Write(m.data)
	}
	z.Close()
	return b.Bytes()
}

const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }\n"

func hostile(t testing.TB) map[string][]byte {
	four := []byte{0, 0, 0, 0}
	ok := npy(good, four...)
	with := func(from, to string) []byte { return npy(strings.Replace(good, from, to, 1), four...) }
	bomb := func() []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		w, _ := z.Create("a.npy")
		w.Write(npy(strings.Replace(good, "(1,)", "(8000000,)", 1)))
		w.Write(make([]byte, 32_000_000))
		z.Close()
		return b.Bytes()
	}
	archive := npz(member{"a.npy", ok})
	return map[string][]byte{
		"empty": {}, "half a magic": []byte(magic)[:4], "another magic": []byte("\x93NUMBY\x01\x00\x00\x00"),
		"cut in the header": ok[:20], "cut in the numbers": ok[:len(ok)-1], "bytes behind": append(bytes.Clone(ok), 1),
		"version 4": append([]byte(magic), append([]byte{4, 0}, ok[8:]...)...), "a header of 4 GB": append([]byte(magic), 2, 0, 0xff, 0xff, 0xff, 0xff),
		"no dictionary": npy("hello", four...), "a key twice": with("'shape'", "'descr': '<f4', 'shape'"), "a key missing": with("'fortran_order': False, ", ""),
		"a further key": with("'shape'", "'more': True, 'shape'"), "a shape of 65": with("(1,)", "("+strings.Repeat("1,", 65)+")"),
		"a negative shape": with("(1,)", "(-1,)"), "a product that overflows": with("(1,)", "(1099511627776, 1099511627776)"), "beside a 0": with("(1,)", "(0, 1099511627776, 1099511627776)"),
		"no tuple": with("(1,)", "(1)"), "a number too large": with("(1,)", "(99999999999999999999,)"), "code in the shape": with("(1,)", "(__import__('os'),)"),
		"code behind": npy(good+"import os", four...), "order 1": with("False", "1"), "objects": with("<f4", "|O"), "records": load(t, "refused-record.npy"),
		"an object array": load(t, "refused-object.npz"), "no byte order": with("<f4", "f4"), "a type of 2^31 bytes": with("<f4", "|V2147483647"),
		"an archive cut short": archive[:len(archive)-10], "an entry of another kind": npz(member{"a.npy", ok}, member{"b.pkl", ok}), "an entry without a name": npz(member{".npy", ok}),
		"two of one name": npz(member{"a.npy", ok}, member{"a.npy", ok}), "no arrays": npz(), "an entry that is no array": npz(member{"a.npy", four}),
		"a bomb": bomb(), "a length that lies": bytes.Replace(archive, []byte{byte(len(ok)), 0, 0, 0, byte(len(ok)), 0, 0, 0}, []byte{0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff, 0x7f}, -1),
	}
}

func TestHostile(t *testing.T) {
	_, err := read(npy(good, 0, 0, 0, 0))
	require.NoError(t, err)
	for what, b := range hostile(t) {
		path := filepath.Join(t.TempDir(), "a.npz")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		formatstest.Refused(t, path, what, func(string) error { _, err := read(b); return err })
	}
}

// A compressed array that is damaged is an error when it is read.
func TestDamagedArray(t *testing.T) {
	b := load(t, "compressed.npz")
	m, err := read(b)
	require.NoError(t, err)
	x, _ := m.Tensor("long")
	values := make([]float32, 10)
	require.NoError(t, x.Data.ReadValues(context.Background(), values, 5000))
	require.NoError(t, x.Data.ReadValues(context.Background(), values, 10), "back again")
	bad := bytes.Clone(b)
	for i := len(b) / 2; i < len(b)/2+900; i++ {
		bad[i] = 0xaa
	}
	m, err = read(bad)
	require.NoError(t, err)
	x, _ = m.Tensor("long")
	err = x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
}

func FuzzRead(f *testing.F) {
	for _, name := range []string{"types.npz", "compressed.npz", "single.npy", "version3.npy", "text.npz"} {
		f.Add(load(f, name))
	}
	for what, b := range hostile(f) {
		if what != "a bomb" {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		Recognises(b)
		m, err := read(b)
		if err != nil {
			var fe *tensor.FormatError
			require.True(t, errors.As(err, &fe), "%v", err)
			return
		}
		for _, x := range m.Tensors() {
			n := min(x.Len(), 100)
			_ = x.Data.ReadValues(context.Background(), make([]float32, n), x.Len()-n)
		}
	})
}
