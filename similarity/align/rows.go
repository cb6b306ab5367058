package align

import (
	"context"
	"math"
	"slices"
	"sort"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// rows are the values of a tensor that books what is decoded and keeps it where
// there is room. What is kept stays: nothing is thrown out for something else, so
// that what a comparison pays for does not depend on time.
type rows struct {
	account *Account
	real    *tensor.Tensor

	mu   sync.Mutex
	kept []run // ascending, apart from one another
}

// latticeRows are rows of a tensor whose values lie on a lattice of its own.
type latticeRows struct {
	*rows
	tensor.Lattice
}

// data is what stands for the tensor's own.
func (r *rows) data() tensor.Data {
	if l, ok := r.real.Data.(tensor.Lattice); ok {
		return &latticeRows{r, l}
	}
	return r
}

// Unwrap returns the data that the values come from.
func (r *rows) Unwrap() tensor.Data { return r.real.Data }

// StoredBytes is how many bytes of the checkpoint the values take.
func (r *rows) StoredBytes() int64 { return r.real.Data.StoredBytes() }

// cost is how many of the stored bytes n values take.
func (r *rows) cost(n int64) int64 {
	return int64(float64(r.StoredBytes()) / float64(max(1, r.real.Len())) * float64(n))
}

// ReadValues copies what is kept of the values and decodes the others.
func (r *rows) ReadValues(ctx context.Context, dst []float32, first int64) error {
	decoded := int64(0)
	for _, gap := range r.copyKept(dst, first) {
		part := dst[gap.Lo-first : gap.Hi-first]
		if err := r.real.Data.ReadValues(ctx, part, gap.Lo); err != nil {
			return err
		}
		decoded += gap.Hi - gap.Lo
		r.keep(part, gap.Lo)
	}
	r.account.book(r.cost(int64(len(dst))), r.cost(decoded))
	return nil
}

// copyKept fills in what is kept and lists the spans that are not.
func (r *rows) copyKept(dst []float32, first int64) (gaps []tensor.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, end := first, first+int64(len(dst))
	for i := r.find(first); i < len(r.kept) && r.kept[i].lo < end; i++ {
		x := &r.kept[i]
		if x.lo > at {
			gaps = append(gaps, tensor.Span{Lo: at, Hi: x.lo})
			at = x.lo
		}
		to := min(end, x.hi())
		x.copy(dst[at-first:to-first], at)
		at = to
	}
	if at < end {
		gaps = append(gaps, tensor.Span{Lo: at, Hi: end})
	}
	return gaps
}

// find is the first run that ends behind a value.
func (r *rows) find(first int64) int {
	return sort.Search(len(r.kept), func(i int) bool { return r.kept[i].hi() > first })
}

// keep keeps values where there is room. Somebody else may have kept some of
// them in the meantime.
func (r *rows) keep(values []float32, first int64) {
	narrow := r.real.DType == tensor.BF16
	size := 4 * int64(len(values))
	if narrow {
		size /= 2
	}
	if len(values) == 0 || !r.account.take(size) {
		return
	}
	x := newRun(values, first, narrow)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(first); i == len(r.kept) || r.kept[i].lo >= x.hi() {
		r.kept = slices.Insert(r.kept, i, x)
	}
}

// run is a run of values that are kept: as halves where they come from bfloat16,
// which loses nothing.
type run struct {
	lo     int64
	halves []uint16
	values []float32
}

func newRun(values []float32, lo int64, narrow bool) run {
	if !narrow {
		return run{lo: lo, values: slices.Clone(values)}
	}
	x := run{lo: lo, halves: make([]uint16, len(values))}
	for i, v := range values {
		x.halves[i] = uint16(math.Float32bits(v) >> 16)
	}
	return x
}

func (x *run) hi() int64 { return x.lo + int64(len(x.halves)+len(x.values)) }

// copy copies the values from number at on.
func (x *run) copy(dst []float32, at int64) {
	if x.values != nil {
		copy(dst, x.values[at-x.lo:])
		return
	}
	for i, h := range x.halves[at-x.lo:][:len(dst)] {
		dst[i] = math.Float32frombits(uint32(h) << 16)
	}
}
