package torch

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

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
	for name, want := range map[string]string{"w.npy": "NumPy", "[Content_Types].xml": "office document", "x": "this archive does not"} {
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
