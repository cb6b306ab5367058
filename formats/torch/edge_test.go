package torch

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Long runs of elements that lie apart are read piece by piece.
func TestGatherLongRuns(t *testing.T) {
	storage := make([]byte, 1<<20)
	for i := range storage {
		storage[i] = byte(i*7 + i>>8)
	}
	for _, c := range []struct{ shape, strides []int64 }{
		{[]int64{60_000}, []int64{4}},        // apart, denser than one in sixteen
		{[]int64{4_000}, []int64{60}},        // apart, sparser
		{[]int64{50_000}, []int64{0}},        // one element over and over
		{[]int64{3, 20_000}, []int64{1, 12}}, // three interleaved
		{[]int64{20_000, 3}, []int64{12, 2}}, // short rows
		{[]int64{400, 500}, []int64{1, 400}}, // transposed
		{[]int64{2, 300, 300}, []int64{1, 2, 600}},
	} {
		var want []byte
		index(c.shape, c.strides, func(at int64) { want = append(want, storage[4*at:4*at+4]...) })
		g := &gather{r: bytes.NewReader(storage), item: 4, dims: strided(c.shape, c.strides, 4)}
		for _, part := range [][2]int{{0, len(want)}, {5, len(want) - 3}, {len(want) / 3, len(want) / 2}} {
			got := make([]byte, part[1]-part[0])
			_, err := g.ReadAt(got, int64(part[0]))
			require.NoError(t, err)
			require.True(t, bytes.Equal(want[part[0]:part[1]], got), "shape %v strides %v", c.shape, c.strides)
		}
	}
}

// failing gives an error at its k-th read.
type failing struct {
	*bytes.Reader
	left int
}

var errDisk = errors.New("input/output error")

func (f *failing) ReadAt(p []byte, off int64) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errDisk
	}
	return f.Reader.ReadAt(p, off)
}

// Whichever read fails, the error says so and keeps its cause.
func TestEveryReadCanFail(t *testing.T) {
	for _, name := range []string{"wrapped.pt", "deflated.pt", "views.pt"} {
		b := load(t, "testdata/"+name)
		whole := func(r *failing) error {
			f, err := Read(context.Background(), name, r, int64(len(b)), nil)
			if err != nil {
				return err
			}
			for _, x := range f.Tensors() {
				if err := x.Data.ReadValues(context.Background(), make([]float32, x.Len()), 0); err != nil {
					return err
				}
			}
			return nil
		}
		step := 1
		if name == "views.pt" {
			step = 97
		}
		for k := 0; ; k += step {
			err := whole(&failing{bytes.NewReader(b), k})
			if err == nil {
				require.Greater(t, k, 10, name)
				break
			}
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe, "%s read %d", name, k)
			require.ErrorIs(t, err, errDisk, "%s read %d", name, k)
		}
	}
}

// Constructors of older versions of torch and Python build the same.
func TestOlderConstructors(t *testing.T) {
	old := func(p *program) {
		p.global("torch._utils", "_rebuild_tensor").raw("(").storage("FloatStorage", "0", 4).raw("K\x00").nums(2, 2).nums(1, 2).raw("tR")
	}
	p := pickle().global("collections", "OrderedDict").raw("](](").str("a")
	old(p)
	p.raw("e](").str("b")
	ones(p)
	f, err := read(pickled(p.raw("ee\x85R.")))
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 2)
	a, ok := f.Tensor("a")
	require.True(t, ok)
	require.Equal(t, []int64{2, 2}, a.Shape)

	p = pickle().global("collections", "defaultdict").global("__builtin__", "list").raw("}").str("b")
	ones(p)
	f, err = read(pickled(p.raw("s\x86R.")))
	require.NoError(t, err)
	require.Len(t, f.Tensors(), 1)
	for _, bad := range []string{"K\x01\x85R.", "]K\x01a\x85R."} {
		_, err = read(pickled(pickle().global("collections", "OrderedDict").raw(bad)))
		require.ErrorIs(t, err, tensor.ErrFormat)
	}
}

// Archives of other kinds are named.
func TestForeignArchives(t *testing.T) {
	for name, want := range map[string]string{"w.npy": "NumPy", "m/archive_format": "exported program", "[Content_Types].xml": "office document", "x": "this archive does not"} {
		_, err := read(zipped([]member{file(name, []byte("x"))}))
		require.ErrorIs(t, err, tensor.ErrNotModel)
		require.ErrorContains(t, err, want)
	}
}

// A cancelled context ends reading.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	b := load(t, "testdata/wrapped.pt")
	_, err := Read(ctx, "x", bytes.NewReader(b), int64(len(b)), nil)
	require.ErrorIs(t, err, context.Canceled)
}
