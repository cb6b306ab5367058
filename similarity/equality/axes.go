package equality

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// mostMoved is the largest tensor, in values, that is compared under another
// order of axes: one side is then held in memory whole.
const mostMoved = 1 << 24

// valuesAtOnce is how many values of each side are held when axes stay.
const valuesAtOnce = 1 << 16

// wide are the axes of a shape that have more than one place.
func wide(shape []int64) []int64 {
	return slices.DeleteFunc(slices.Clone(shape), func(d int64) bool { return d == 1 })
}

// orders lists the orders of a's wide axes that give b's shape, the stored one
// first: order[k] is the axis of a that stands at axis k of b.
func orders(a, b []int64) (out [][]int) {
	if len(a) != len(b) || len(a) > 5 {
		if slices.Equal(a, b) {
			return [][]int{count(len(a))}
		}
		return nil
	}
	var extend func(order []int)
	extend = func(order []int) {
		k := len(order)
		if k == len(b) {
			out = append(out, slices.Clone(order))
			return
		}
		for axis := range a {
			if a[axis] == b[k] && !slices.Contains(order, axis) {
				extend(append(order, axis))
			}
		}
	}
	extend(nil)
	return out
}

// size is the number of elements of a shape.
func size(shape []int64) int64 {
	n, _ := tensor.Elements(shape)
	return n
}

// count is 0, 1, …, n−1.
func count(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// sameValues tells under which order of a's axes the values of the two tensors
// are equal, once round has been applied to both.
func sameValues(ctx context.Context, a, b *tensor.Tensor, round func(float32) float32) (order []int, ok bool, err error) {
	sa, sb := wide(a.Shape), wide(b.Shape)
	for _, order := range orders(sa, sb) {
		compare := inPlace
		if !slices.IsSorted(order) {
			if a.Len() > mostMoved || a.Len() != b.Len() || size(sa) != a.Len() { // a complex value is two
				continue
			}
			compare = moved(sa, order)
		}
		if ok, err = compare(ctx, a, b, round); ok || err != nil {
			return order, ok, err
		}
	}
	return nil, false, nil
}

// at is the bits of a value at a grain.
func at(round func(float32) float32, v float32) uint32 {
	if round != nil {
		v = round(v)
	}
	return plain(v)
}

// inPlace compares two tensors in stored order.
func inPlace(ctx context.Context, a, b *tensor.Tensor, round func(float32) float32) (bool, error) {
	n := min(int64(valuesAtOnce), a.Len())
	x, y := make([]float32, n), make([]float32, n)
	for first := int64(0); first < a.Len(); first += n {
		k := min(n, a.Len()-first)
		if err := a.Data.ReadValues(ctx, x[:k], first); err != nil {
			return false, err
		}
		if err := b.Data.ReadValues(ctx, y[:k], first); err != nil {
			return false, err
		}
		for i, v := range x[:k] {
			if at(round, v) != at(round, y[i]) {
				return false, nil
			}
		}
	}
	return true, nil
}

// moved returns a comparison of b with a under another order of a's axes.
func moved(shape []int64, order []int) func(context.Context, *tensor.Tensor, *tensor.Tensor, func(float32) float32) (bool, error) {
	return func(ctx context.Context, a, b *tensor.Tensor, round func(float32) float32) (bool, error) {
		whole := make([]float32, a.Len())
		if err := a.Data.ReadValues(ctx, whole, 0); err != nil {
			return false, err
		}
		w := newWalk(shape, order)
		for part, err := range b.Chunks(ctx, make([]float32, min(valuesAtOnce, b.Len()))) {
			if err != nil {
				return false, err
			}
			for _, v := range part {
				if at(round, whole[w.next()]) != at(round, v) {
					return false, nil
				}
			}
		}
		return true, nil
	}
}

// walk goes through a tensor in the order of another one's axes.
type walk struct {
	dims, strides, at []int64
	place             int64
}

func newWalk(shape []int64, order []int) *walk {
	strides := make([]int64, len(shape))
	step := int64(1)
	for k := len(shape) - 1; k >= 0; k-- {
		strides[k] = step
		step *= shape[k]
	}
	w := &walk{at: make([]int64, len(order))}
	for _, axis := range order {
		w.dims, w.strides = append(w.dims, shape[axis]), append(w.strides, strides[axis])
	}
	return w
}

// next returns the place of the value that is due and steps on.
func (w *walk) next() int64 {
	place := w.place
	for k := len(w.dims) - 1; k >= 0; k-- {
		w.at[k]++
		w.place += w.strides[k]
		if w.at[k] < w.dims[k] {
			break
		}
		w.place -= w.strides[k] * w.dims[k]
		w.at[k] = 0
	}
	return place
}
