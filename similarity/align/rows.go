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
type rows[T kept] struct {
	account *Account
	real    *tensor.Tensor

	mu   sync.Mutex
	runs []run[T] // that are kept: ascending, apart from one another
}

// booked is the data that stands for a tensor's own.
func booked(a *Account, t *tensor.Tensor) tensor.Data {
	var d tensor.Data
	if t.DType == tensor.BF16 {
		d = &rows[uint16]{account: a, real: t}
	} else {
		d = &rows[float32]{account: a, real: t}
	}
	if l, ok := t.Data.(tensor.Lattice); ok {
		return &latticeRows{d, t.Data, l}
	}
	return d
}

// latticeRows are rows of a tensor whose values lie on a lattice of its own.
type latticeRows struct {
	tensor.Data
	real tensor.Data
	tensor.Lattice
}

// Unwrap returns the data that the values come from.
func (r *latticeRows) Unwrap() tensor.Data { return r.real }

// Unwrap returns the data that the values come from.
func (r *rows[T]) Unwrap() tensor.Data { return r.real.Data }

// StoredBytes is how many bytes of the checkpoint the values take.
func (r *rows[T]) StoredBytes() int64 { return r.real.Data.StoredBytes() }

// cost is how many of the stored bytes n values take.
func (r *rows[T]) cost(n int64) int64 {
	return int64(float64(r.StoredBytes()) / float64(max(1, r.real.Len())) * float64(n))
}

// ReadValues copies what is kept of the values and decodes the others.
func (r *rows[T]) ReadValues(ctx context.Context, dst []float32, first int64) error {
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
func (r *rows[T]) copyKept(dst []float32, first int64) (gaps []tensor.Span) {
	r.mu.Lock()
	defer r.mu.Unlock()
	at, end := first, first+int64(len(dst))
	for i := r.find(first); i < len(r.runs) && r.runs[i].lo < end; i++ {
		x := &r.runs[i]
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
func (r *rows[T]) find(first int64) int {
	return sort.Search(len(r.runs), func(i int) bool { return r.runs[i].hi() > first })
}

// keep keeps values where there is room. Somebody else may have kept some of
// them in the meantime.
func (r *rows[T]) keep(values []float32, first int64) {
	if len(values) == 0 || !r.account.take(bytesOf[T]()*int64(len(values))) {
		return
	}
	x := newRun[T](values, first)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := r.find(first); i == len(r.runs) || r.runs[i].lo >= x.hi() {
		r.runs = slices.Insert(r.runs, i, x)
	}
}

// kept is how values are kept: as halves where they come from bfloat16, which loses
// nothing.
type kept interface{ uint16 | float32 }

// run is a run of values that are kept.
type run[T kept] struct {
	lo     int64
	values []T
}

func newRun[T kept](values []float32, lo int64) run[T] {
	x := run[T]{lo, make([]T, len(values))}
	switch to := any(x.values).(type) {
	case []float32:
		copy(to, values)
	case []uint16:
		for i, v := range values {
			to[i] = uint16(math.Float32bits(v) >> 16)
		}
	}
	return x
}

// bytesOf is how many bytes a value takes.
func bytesOf[T kept]() int64 {
	if _, narrow := any(T(0)).(uint16); narrow {
		return 2
	}
	return 4
}

func (x *run[T]) hi() int64 { return x.lo + int64(len(x.values)) }

// copy copies the values from number at on.
func (x *run[T]) copy(dst []float32, at int64) {
	switch from := any(x.values[at-x.lo:][:len(dst)]).(type) {
	case []float32:
		copy(dst, from)
	case []uint16:
		for i, h := range from {
			dst[i] = math.Float32frombits(uint32(h) << 16)
		}
	}
}
