package safetensors

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func x1(x *tensor.Tensor) []*tensor.Tensor { return []*tensor.Tensor{x} }

// file puts a header and data together.
func file(header string, data int) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), make([]byte, data)...)
}

func read(b []byte) (*File, error) {
	return Read(context.Background(), "test.safetensors", bytes.NewReader(b), int64(len(b)), nil)
}

// Errors say where and why, in the words a person needs.
func TestErrors(t *testing.T) {
	for _, c := range []struct{ header, want string }{
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, `test.safetensors: offset 62: tensor "a": the name stands twice in the header`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, `test.safetensors: offset 62: tensor "b" data_offsets: [2, 6) overlaps tensor "a", which ends at 4`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F16","shape":[1],"data_offsets":[6,8]}}`, `test.safetensors: offset 62: tensor "b" data_offsets: a hole of 2 bytes before byte 6, behind tensor "a"`},
		{`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}`, `test.safetensors: offset 9: tensor "a" data_offsets: 4 bytes, but shape and type make 8`},
		{`{"\u001b[2J":{"dtype":"F31"}}`, `test.safetensors: offset 30: tensor "\x1b[2J" dtype: "F31" is no type of the format`},
		{`{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, `test.safetensors: offset 66: data: 4 bytes follow the last tensor`},
	} {
		_, err := read(file(c.header, 8))
		require.EqualError(t, err, c.want)
	}
}

// Every way to cut a good file short is refused, and no single changed byte
// makes the reader panic or hand out a tensor it cannot read.
func TestCutsAndFlips(t *testing.T) {
	good := file(`{"__metadata__":{"k":"\u00e9\ud83d\ude00"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"b":{"dtype":"F4","shape":[3,2],"data_offsets":[8,11]}}  `, 11)
	f, err := read(good)
	require.NoError(t, err)
	require.Equal(t, "é😀", f.Metadata()["safetensors.k"])
	for n := range good {
		_, err := read(good[:n])
		require.Error(t, err, "cut to %d bytes", n)
	}
	for i := range good {
		for _, x := range []byte{1, 0x20, 0x80, 0xff} {
			b := bytes.Clone(good)
			b[i] ^= x
			accepted(t, b)
		}
	}
}

// accepted checks the invariant of an accepted file: every tensor is readable
// and the sizes add up.
func accepted(t testing.TB, b []byte) {
	t.Helper()
	f, err := read(b)
	if err != nil {
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
		return
	}
	total := f.DataStart
	for _, x := range f.Tensors() {
		total += x.StoredBytes()
		require.LessOrEqual(t, x.Len(), int64(2*len(b)))
		err := x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0)
		if x.DType != tensor.Bool {
			require.NoError(t, err)
		}
	}
	require.Equal(t, int64(len(b)), total)
}

func FuzzRead(f *testing.F) {
	f.Add(file(`{}`, 0))
	f.Add(file(`{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,2],"data_offsets":[0,8]}}`, 8))
	f.Add(file(`{"a":{"dtype":"F4","shape":[0,9],"data_offsets":[0,0]}}`, 0))
	f.Add([]byte("version https://git-lfs.github.com/spec/v1\n"))
	f.Fuzz(func(t *testing.T, b []byte) { accepted(t, b) })
}

// A header of 100,000 overlapping tensors is refused in linear time, and one
// of 100,000 good ones is read.
func TestManyTensors(t *testing.T) {
	for _, overlap := range []bool{true, false} {
		var h strings.Builder
		h.WriteString("{")
		for i := range 100_000 {
			if i > 0 {
				h.WriteString(",")
			}
			begin := i
			if overlap {
				begin = 0
			}
			fmt.Fprintf(&h, `"t%d":{"dtype":"U8","shape":[1],"data_offsets":[%d,%d]}`, i, begin, begin+1)
		}
		h.WriteString("}")
		start := time.Now()
		f, err := read(file(h.String(), 100_000))
		require.Less(t, time.Since(start), 60*time.Second)
		if overlap {
			require.ErrorIs(t, err, tensor.ErrFormat)
		} else {
			require.NoError(t, err)
			require.Len(t, f.Tensors(), 100_000)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	var h strings.Builder
	h.WriteString("{")
	for i := range 10_000 {
		if i > 0 {
			h.WriteString(",")
		}
		fmt.Fprintf(&h, `"model.layers.%d.mlp.gate_proj.weight":{"dtype":"BF16","shape":[2],"data_offsets":[%d,%d]}`, i, 4*i, 4*i+4)
	}
	h.WriteString("}")
	data := file(h.String(), 40_000)
	b.SetBytes(int64(h.Len()))
	for b.Loop() {
		if _, err := read(data); err != nil {
			b.Fatal(err)
		}
	}
}

// What writers in use do against the text is a warning where leniency was
// asked for; what could hide or swap a tensor never is.
func TestLenient(t *testing.T) {
	entry := `"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]`
	for _, c := range []struct {
		b  []byte
		ok bool
	}{
		{file(" {"+entry+"}}", 4), true},
		{file("{"+entry+"}}\n\t", 4), true},
		{file("{"+entry+`,"extra":{"x":[1,"y",null,-2.5e3]}}}`, 4), true},
		{file("{"+entry+"}}", 9), true},
		{file("{"+entry+"},"+entry+"}}", 4), false},
		{file("{"+entry+"}} x", 4), false},
		{file("{"+entry+"}}", 3), false},
		{file("{"+entry+`,"extra":[[[[[1]]]]]}}`, 4), false},
	} {
		_, err := read(c.b)
		require.Error(t, err)
		f, err := Read(context.Background(), "x", bytes.NewReader(c.b), int64(len(c.b)), &Options{Lenient: true})
		if !c.ok {
			require.Error(t, err)
			continue
		}
		require.NoError(t, err)
		require.NotEmpty(t, f.Warnings)
		require.Len(t, f.Tensors(), 1)
	}
}

// announced notes what it is told will be read.
type announced struct {
	*bytes.Reader
	spans []tensor.Span
}

func (a *announced) Fetch(_ context.Context, spans []tensor.Span) error {
	a.spans = append(a.spans, spans...)
	return nil
}

// What a long header holds beyond its first window is announced in long runs, each byte
// once; a short one is not.
func TestLongHeadersAreAnnounced(t *testing.T) {
	for _, c := range []struct{ note, runs int }{{10, 0}, {300_000, 1}, {2_500_000, 3}} {
		b := file(`{"__metadata__":{"note":"`+strings.Repeat("x", c.note)+`"},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, 4)
		r := &announced{Reader: bytes.NewReader(b)}
		_, err := Read(context.Background(), "x", r, int64(len(b)), nil)
		require.NoError(t, err)
		require.Len(t, r.spans, c.runs)
		at := int64(windowBytes + 8)
		for _, s := range r.spans {
			require.Equal(t, at, s.Lo)
			at = s.Hi
		}
		if c.runs > 0 {
			require.Equal(t, int64(len(b)-4), at, "up to the header's end")
		}
	}
}
