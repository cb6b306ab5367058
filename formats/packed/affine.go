package packed

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Affine is Data of any number of dimensions that is stored as codes with
// scales and zero-points: value = (code − zero)·scale in float32, each step
// rounded once. It is what ONNX, TFLite and OpenVINO call a linearly
// quantised tensor.
type Affine struct {
	// What is the packing in words, such as "INT8 scaled by channel".
	What string
	// Codes gives the stored codes as numbers, in the order of the logical
	// tensor.
	Codes tensor.Data
	// Shape is that of the logical tensor.
	Shape []int64
	// Block is how many neighbours along each dimension share a scale: 1 for
	// one scale each, the whole length for one scale in all.
	Block []int64
	// Scale and Zero give the numbers of the blocks in row-major order; Zero
	// may be nil.
	Scale, Zero tensor.Data
	// Gap is the distance of neighbouring codes: 1 for integers, 0 where the
	// codes are no lattice (floats).
	Gap float32
	// Slack is the relative error that storing the scales may have made.
	Slack float32

	mu    sync.Mutex
	small [2][]float32 // scales and zero-points that were read whole
}

// smallGrid is how many scales are kept in memory.
const smallGrid = 1 << 18

// Grid is the shape of the scales.
func (a *Affine) Grid() []int64 {
	out := make([]int64, len(a.Shape))
	for i, n := range a.Shape {
		out[i] = (n + a.Block[i] - 1) / max(1, a.Block[i])
	}
	return out
}

// String describes the packing.
func (a *Affine) String() string { return a.What }

// StoredBytes counts the codes, the scales and the zero-points.
func (a *Affine) StoredBytes() int64 {
	n := a.Codes.StoredBytes() + a.Scale.StoredBytes()
	if a.Zero != nil {
		n += a.Zero.StoredBytes()
	}
	return n
}

// ReadValues decodes the values [first, first+len(dst)).
func (a *Affine) ReadValues(ctx context.Context, dst []float32, first int64) error {
	if err := a.Codes.ReadValues(ctx, dst, first); err != nil {
		return err
	}
	return a.rows(ctx, dst, first, func(dst []float32, scale, zero float32) {
		for i, c := range dst {
			dst[i] = (c - zero) * scale
		}
	})
}

// ReadSteps gives the lattice step at the values [first, first+len(dst)), 0
// for codes that are floats.
func (a *Affine) ReadSteps(ctx context.Context, dst []float32, first int64) error {
	if err := a.Codes.ReadValues(ctx, dst, first); err != nil {
		return err
	}
	return a.rows(ctx, dst, first, func(dst []float32, scale, zero float32) {
		h := max(scale, -scale)
		for i, c := range dst {
			size := max(c-zero, zero-c)
			dst[i] = float32(a.Gap*h) + float32(2*a.Slack*size*h)
		}
	})
}

// ReadCells gives the cells of the values [first, first+len(lo)); those of codes
// that are floats have no width.
func (a *Affine) ReadCells(ctx context.Context, lo, hi []float32, first int64) error {
	if err := a.ReadValues(ctx, lo, first); err != nil {
		return err
	}
	if err := a.ReadSteps(ctx, hi, first); err != nil {
		return err
	}
	for i, v := range lo {
		half := hi[i]/2 + float32(math.Abs(float64(v)))*roundingSlack
		lo[i], hi[i] = v-half, v+half
	}
	return nil
}

// Compensated is false: converters round.
func (a *Affine) Compensated() bool { return false }

// rows walks through a range of values, run by run of one scale.
func (a *Affine) rows(ctx context.Context, dst []float32, first int64, f func(dst []float32, scale, zero float32)) error {
	if len(dst) == 0 {
		return nil
	}
	k := len(a.Shape) - 1
	cols, block := int64(1), int64(1)
	if k >= 0 {
		cols, block = a.Shape[k], a.Block[k]
	}
	per := (cols + block - 1) / block // scales of a row
	scales, zeros := make([]float32, per), make([]float32, per)
	last := int64(-1)
	for len(dst) > 0 {
		row, c := first/cols, first%cols
		n := min(int64(len(dst)), cols-c)
		if at := a.gridRow(row) * per; at != last {
			if err := a.numbers(ctx, 0, a.Scale, scales, at); err != nil {
				return err
			}
			if err := a.numbers(ctx, 1, a.Zero, zeros, at); err != nil {
				return err
			}
			last = at
		}
		for i := int64(0); i < n; {
			b := (c + i) / block
			end := min(n, (b+1)*block-c)
			f(dst[i:end], scales[b], zeros[b])
			i = end
		}
		dst, first = dst[n:], first+n
	}
	return ctx.Err()
}

// gridRow is the row of scales that a row of values has.
func (a *Affine) gridRow(row int64) int64 {
	at, step := int64(0), int64(1)
	for i := len(a.Shape) - 2; i >= 0; i-- {
		n, b := a.Shape[i], a.Block[i]
		at += row % n / b * step
		step *= (n + b - 1) / b
		row /= n
	}
	return at
}

// numbers reads scales or zero-points from a place of the grid. Few of them
// are read whole and kept.
func (a *Affine) numbers(ctx context.Context, which int, d tensor.Data, dst []float32, at int64) error {
	if d == nil {
		return nil
	}
	total, _ := tensor.Elements(a.Grid())
	if total > smallGrid {
		return d.ReadValues(ctx, dst, at)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.small[which] == nil {
		all := make([]float32, total)
		if err := d.ReadValues(ctx, all, 0); err != nil {
			return err
		}
		a.small[which] = all
	}
	copy(dst, a.small[which][at:])
	return nil
}

// Blocks gives the Block of a tensor whose scales lie along one axis, size
// neighbours sharing one; axis −1 is one scale for all.
func Blocks(shape []int64, axis int, size int64) []int64 {
	out := slices.Clone(shape)
	for i := range out {
		out[i] = max(1, out[i])
	}
	if axis >= 0 {
		out[axis] = size
	}
	return out
}

// ByAxis describes what shares a scale.
func ByAxis(kind string, axis int, size int64) string {
	switch {
	case axis < 0:
		return kind + " scaled as a whole"
	case size == 1:
		return fmt.Sprintf("%s scaled along dimension %d", kind, axis)
	}
	return fmt.Sprintf("%s scaled in groups of %d along dimension %d", kind, size, axis)
}

// Repeated is one number that stands for all blocks.
type Repeated struct{ tensor.Data }

// ReadValues gives the number as often as is asked for.
func (r Repeated) ReadValues(ctx context.Context, dst []float32, _ int64) error {
	if len(dst) == 0 {
		return nil
	}
	err := r.Data.ReadValues(ctx, dst[:1], 0)
	for i := range dst {
		dst[i] = dst[0]
	}
	return err
}
