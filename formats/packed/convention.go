package packed

import (
	"context"
	"fmt"
	"math"
)

// GPTQ files of the first version store zero-points less one, those of the
// second as they are. The configuration says which; where it does not, the
// data can: in symmetric files every zero-point is half the range, and
// elsewhere codes lie evenly around their zero-point.

// sampleModules is how many modules are looked at.
const sampleModules = 8

// zeroFacts is what a sample of stored zero-points and codes shows.
type zeroFacts struct {
	bits   int64
	n      int64
	sum    float64 // Σ(code − stored zero-point)
	zeros  int64
	less   int64 // stored as half the range less one: symmetric, first version
	half   int64 // stored as half the range: symmetric, second version
	lowest int64 // stored as the largest code, which adding one turns to zero
}

// conventions decides the version for all GPTQ modules.
func (out *Model) conventions(ctx context.Context, modules []*module) error {
	var all []*matrix
	for _, m := range modules {
		if m.logical == nil {
			continue
		}
		if x, ok := m.logical.Data.(*matrix); ok {
			if _, is := x.zero.(*packedTurned); is {
				all = append(all, x)
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	var f zeroFacts
	n := min(len(all), sampleModules)
	for i := range n {
		if err := f.add(ctx, all[i*len(all)/n]); err != nil {
			return err
		}
	}
	cfg := &config{out.stored.Metadata()}
	plus := out.version(&f, cfg)
	for _, x := range all {
		x.zero.(*packedTurned).plus = plus
	}
	return nil
}

// add samples the first columns of some rows of a matrix.
func (f *zeroFacts) add(ctx context.Context, x *matrix) error {
	z := *x.zero.(*packedTurned)
	z.plus = 0
	f.bits = z.bits
	probe := *x
	probe.zero, probe.scale = &z, one{}
	rows, cols := min(x.rows, 1024), min(x.cols, 32)
	values := make([]float32, cols)
	for r := int64(0); r < rows; r += max(1, rows/64) {
		if err := probe.ReadValues(ctx, values, r*x.cols); err != nil {
			return err
		}
		for _, v := range values {
			f.sum += float64(v)
			f.n++
		}
	}
	zeros := make([]float32, rows)
	if err := z.load(ctx, zeros, box{0, rows, 0, cols}, 0, 1); err != nil {
		return err
	}
	half := float32(int64(1) << (z.bits - 1))
	for _, v := range zeros {
		f.zeros++
		switch v {
		case half - 1:
			f.less++
		case half:
			f.half++
		case 2*half - 1:
			f.lowest++
		}
	}
	return nil
}

// one is a grid of ones.
type one struct{}

func (one) load(_ context.Context, dst []float32, _ box, _, _ int64) error {
	for i := range dst {
		dst[i] = 1
	}
	return nil
}

// says returns the version that the data speak for, 0 if they do not tell.
func (f *zeroFacts) says() int {
	mean := f.sum / math.Max(1, float64(f.n))
	switch {
	case f.less == f.zeros:
		return 1
	case f.half == f.zeros:
		return 2
	case f.bits > 4: // a step is too small a part of the values
		return 0
	case math.Abs(mean-1) < 0.25 && math.Abs(mean) > 0.75:
		return 1
	case math.Abs(mean) < 0.25 && math.Abs(mean-1) > 0.75:
		return 2
	}
	return 0
}

// version returns what is to be added to stored zero-points, and notes doubts.
func (out *Model) version(f *zeroFacts, cfg *config) (plus uint8) {
	declared := map[string]int{"gptq": 1, "gptq_v1": 1, "gptq_v2": 2}[cfg.text("checkpoint_format")]
	data := f.says()
	v := declared
	switch {
	case declared == 0 && data == 0:
		v = 1
		out.warn("GPTQ: no configuration names the version of the zero-points, and the data do not tell; the first version was taken, so all values may be off by one step")
	case declared == 0:
		v = data
		if data == 2 {
			out.warn("GPTQ: no configuration names the version of the zero-points; the data speak for the second")
		}
	case data != 0 && data != declared:
		out.warn(fmt.Sprintf("GPTQ: the configuration names version %d of the zero-points, the data speak for version %d; the configuration was followed, so all values may be off by one step", declared, data))
	}
	if v == 2 {
		return 0
	}
	if f.lowest > 0 {
		out.warn(fmt.Sprintf("GPTQ: %d of %d zero-points looked at are stored as %d; they were read as 0, as today's readers do; kernels that do not mask read %d", f.lowest, f.zeros, int(1)<<f.bits-1, int(1)<<f.bits))
	}
	return 1
}
