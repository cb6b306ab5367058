package gguf

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func read(b []byte) (*File, error) {
	return Read(context.Background(), "test.gguf", bytes.NewReader(b), int64(len(b)))
}

func good(t testing.TB) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/malformed/171-good.bin")
	require.NoError(t, err)
	return b
}

// Every way to cut a good file short is refused, except within the final
// padding as a whole, and no single changed byte makes the reader panic.
func TestCutsAndFlips(t *testing.T) {
	b := good(t)
	f, err := read(b)
	require.NoError(t, err)
	last := f.Tensors()[len(f.Tensors())-1].Data.(*tensor.Stored)
	for n := range b {
		_, err := read(b[:n])
		if int64(n) == last.Offset+last.Bytes {
			require.NoError(t, err, "only the final padding is missing")
			continue
		}
		require.Error(t, err, "cut to %d bytes", n)
	}
	for i := range b {
		for _, x := range []byte{1, 0x20, 0x80, 0xff} {
			c := bytes.Clone(b)
			c[i] ^= x
			accepted(t, c)
		}
	}
}

// accepted checks what holds for every file that is read at all.
func accepted(t testing.TB, b []byte) {
	t.Helper()
	f, err := read(b)
	if err != nil {
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
		if f == nil {
			return
		}
		require.ErrorIs(t, err, tensor.ErrUnsupported)
	}
	for _, e := range f.Entries {
		_, err := f.Value(e)
		require.NoError(t, err, e.Key)
	}
	end := f.DataStart
	for _, x := range f.Tensors() {
		s := x.Data.(*tensor.Stored)
		require.GreaterOrEqual(t, s.Offset, end)
		end = s.Offset + s.Bytes
		require.LessOrEqual(t, end, int64(len(b)))
		err := x.Data.ReadValues(context.Background(), make([]float32, min(x.Len(), 1<<16)), 0)
		if x.DType == tensor.Opaque {
			require.ErrorIs(t, err, tensor.ErrUnsupported)
		} else {
			require.NoError(t, err, x.Name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add(good(f))
	for _, name := range []string{"container/meta-nested.gguf", "container/endian-pair-big.gguf", "container/version2.gguf", "container/shapes.gguf"} {
		b, err := os.ReadFile("testdata/" + name)
		require.NoError(f, err)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, b) })
}

// A tensor of unknown type: refused, but what the file says can be listed.
func TestUnknownTypeCanBeListed(t *testing.T) {
	b, err := os.ReadFile("testdata/malformed/150-type-43.bin")
	require.NoError(t, err)
	f, err := read(b)
	require.ErrorIs(t, err, tensor.ErrUnsupported)
	require.ErrorContains(t, err, "tensor type 43 is unknown")
	require.NotNil(t, f)
	require.NotEmpty(t, f.Entries)
	opaque := 0
	for _, x := range f.Tensors() {
		if x.DType == tensor.Opaque {
			opaque++
			require.ErrorIs(t, x.Data.ReadValues(context.Background(), make([]float32, 1), 0), tensor.ErrUnsupported)
		}
	}
	require.Equal(t, 1, opaque)
}

// Alignments up to a MiB are read, and no others: padding is made of them.
func TestLargestAlignment(t *testing.T) {
	const key, u32 = "general.alignment", 4
	for alignment, class := range map[uint32]error{8: nil, 1 << 20: nil, 1 << 21: tensor.ErrLimit, 1 << 31: tensor.ErrLimit, 12: tensor.ErrFormat, 4: tensor.ErrFormat} {
		b := binary.LittleEndian.AppendUint32([]byte("GGUF"), 3)
		b = binary.LittleEndian.AppendUint64(b, 0) // tensors
		b = binary.LittleEndian.AppendUint64(b, 1) // pairs
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(key))), key...)
		b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, u32), alignment)
		f, err := read(b)
		if class != nil {
			require.ErrorIs(t, err, class, alignment)
			continue
		}
		require.NoError(t, err, alignment)
		require.Equal(t, int64(alignment), f.Alignment)
	}
}

func TestSplitKeys(t *testing.T) {
	f, err := open(t, "testdata/container/empty.gguf")
	require.NoError(t, err)
	_, _, _, ok, err := f.Split()
	require.NoError(t, err)
	require.False(t, ok)
}
