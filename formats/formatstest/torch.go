package formatstest

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// torchStorages names the storage types of the element types that models of
// other formats have.
var torchStorages = map[tensor.DType]string{
	tensor.F64: "Double", tensor.F32: "Float", tensor.F16: "Half", tensor.BF16: "BFloat16",
	tensor.U8: "Byte", tensor.I8: "Char", tensor.I16: "Short", tensor.I32: "Int", tensor.I64: "Long", tensor.Bool: "Bool",
}

// WriteTorch writes a model of plain element types as torch.save writes a
// state dict: the same values in another container.
func WriteTorch(t testing.TB, path string, m tensor.Model) {
	t.Helper()
	out, err := os.Create(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, out.Close()) }()
	z := zip.NewWriter(out)
	add := func(name string, r io.Reader) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: "model/" + name, Method: zip.Store})
		require.NoError(t, err)
		_, err = io.Copy(w, r)
		require.NoError(t, err)
	}
	add("data.pkl", bytes.NewReader(torchPickle(t, m)))
	add("byteorder", bytes.NewReader([]byte("little")))
	for i, x := range m.Tensors() {
		s, ok := x.Stored()
		require.True(t, ok, x.Name)
		add(fmt.Sprint("data/", i), io.NewSectionReader(s.R, s.Offset, s.Bytes))
	}
	add("version", bytes.NewReader([]byte("3\n")))
	require.NoError(t, z.Close())
}

// torchPickle is the description of a state dict, storage i for tensor i.
func torchPickle(t testing.TB, m tensor.Model) []byte {
	b := []byte("\x80\x02}(")
	text := func(s string) {
		b = binary.LittleEndian.AppendUint32(append(b, 'X'), uint32(len(s)))
		b = append(b, s...)
	}
	number := func(n int64) { b = binary.LittleEndian.AppendUint64(append(b, 0x8a, 8), uint64(n)) }
	for i, x := range m.Tensors() {
		typ, ok := torchStorages[x.DType]
		require.True(t, ok, "%s: type %v", x.Name, x.DType)
		text(x.Name)
		b = append(b, "ctorch._utils\n_rebuild_tensor_v2\n(("...)
		text("storage")
		b = append(b, "ctorch\n"+typ+"Storage\n"...)
		text(fmt.Sprint(i))
		text("cpu")
		number(x.Len())
		b = append(b, "tQK\x00("...)
		for _, d := range x.Shape {
			number(d)
		}
		b = append(b, "t("...)
		stride := x.Len()
		for _, d := range x.Shape {
			stride /= max(d, 1)
			number(stride)
		}
		b = append(b, "t\x89ccollections\nOrderedDict\n)RtR"...)
	}
	return append(b, "u."...)
}
