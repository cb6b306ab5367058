package formats

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// strided are a tensor's values in another order, as NumPy views an array: entry (i, j, …) of
// the view is value start + i·strides[0] + j·strides[1] + … of the tensor.
type strided struct {
	of      tensor.Data
	start   int64
	shape   []int64
	strides []int64
	run     int64   // values that lie together
	share   float64 // of the tensor's values
}

// maxBetween is how many values are read at once where runs are short, most of them for nothing.
const maxBetween = 1 << 16

// newStrided views a tensor under a name of its own. Shape and strides are as long, and every
// entry lies within the tensor, at a place of its own.
func newStrided(t *tensor.Tensor, name string, start int64, shape, strides []int64) *tensor.Tensor {
	out := &tensor.Tensor{Name: name, DType: t.DType, Shape: slices.Clone(shape)}
	s := &strided{of: t.Data, start: start, shape: slices.Clone(shape), strides: slices.Clone(strides), run: 1}
	for n := len(s.shape); n > 0 && s.strides[n-1] == s.run; n-- { // what lies together is one run
		s.run *= s.shape[n-1]
		s.shape, s.strides = s.shape[:n-1], s.strides[:n-1]
	}
	s.share = float64(out.Len()) / float64(max(1, t.Len()))
	out.Data = s
	return out
}

// ReadValues reads the runs that the values lie in.
func (s *strided) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for len(dst) > 0 {
		at, within := first/s.run, first%s.run
		lo := s.at(at) + within
		n := min(int64(len(dst)), s.run-within)
		if runs, step := s.together(at, int64(len(dst))); runs > 1 && within == 0 {
			buf := make([]float32, (runs-1)*step+s.run)
			if err := s.of.ReadValues(ctx, buf, lo); err != nil {
				return err
			}
			for i := range runs {
				copy(dst[i*s.run:(i+1)*s.run], buf[i*step:])
			}
			n = runs * s.run
		} else if err := s.of.ReadValues(ctx, dst[:n], lo); err != nil {
			return err
		}
		dst, first = dst[n:], first+n
	}
	return nil
}

// at is where a run begins.
func (s *strided) at(run int64) int64 {
	at := s.start
	for i := len(s.shape) - 1; i >= 0; i-- {
		at += run % s.shape[i] * s.strides[i]
		run /= s.shape[i]
	}
	return at
}

// together counts the whole runs from one on, of at most n values, that are read at once: those
// of the last axis, as far as they and what lies between them are few.
func (s *strided) together(run, n int64) (runs, step int64) {
	last := len(s.shape) - 1
	if last < 0 {
		return 1, 0
	}
	step = s.strides[last]
	left := s.shape[last] - run%s.shape[last]
	return min(left, n/s.run, maxBetween/step), step
}

// StoredBytes is the view's share of the tensor's bytes, rounded down.
func (s *strided) StoredBytes() int64 { return int64(s.share * float64(s.of.StoredBytes())) }
