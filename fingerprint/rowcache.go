package fingerprint

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// shadow is a model whose tensors remember which of their values are asked
// for, are given these while the real tensors stream by, and serve them after.
// So whoever reads a few rows needs no second reading of the file.
type shadow struct {
	tensor.Model
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
	of      map[*tensor.Tensor]*tensor.Tensor // real tensors by shadows
}

func newShadow(m tensor.Model) *shadow {
	s := &shadow{Model: m, byName: map[string]*tensor.Tensor{}, of: map[*tensor.Tensor]*tensor.Tensor{}}
	for _, t := range m.Tensors() {
		c, k := *t, &kept{real: t}
		c.Data = k
		s.tensors = append(s.tensors, &c)
		s.byName[t.Name], s.of[&c] = &c, t
	}
	return s
}

// Tensors lists the shadow tensors.
func (s *shadow) Tensors() []*tensor.Tensor { return s.tensors }

// Tensor returns the shadow tensor of that name.
func (s *shadow) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := s.byName[name]
	return t, ok
}

// wanted runs read once for its wishes and returns the tensors it reads.
func (s *shadow) wanted(read func() error) ([]*kept, error) {
	var all []*kept
	for _, t := range s.tensors {
		k := t.Data.(*kept)
		k.noting, k.asked = true, false
	}
	err := read()
	for _, t := range s.tensors {
		k := t.Data.(*kept)
		if k.noting = false; k.asked {
			all = append(all, k)
		}
	}
	return all, err
}

// kept is the data of one shadow tensor.
type kept struct {
	real   *tensor.Tensor
	noting bool
	asked  bool
	direct bool // the real tensor is read
	users  int  // readers that have not been served yet
	spans  []span
}

// span is a run of values, from first on.
type span struct {
	first  int64
	length int
	values []float32
}

// StoredBytes is that of the real tensor.
func (k *kept) StoredBytes() int64 { return k.real.StoredBytes() }

// ReadValues notes a wish or serves it.
func (k *kept) ReadValues(ctx context.Context, dst []float32, first int64) error {
	if k.direct && !k.noting {
		return k.real.Data.ReadValues(ctx, dst, first)
	}
	if k.noting {
		k.asked = true
		k.spans = append(k.spans, span{first, len(dst), nil})
		return nil
	}
	i, ok := slices.BinarySearchFunc(k.spans, first, func(s span, v int64) int { return cmp.Compare(s.first, v) })
	if !ok && i > 0 {
		i--
	}
	if i < len(k.spans) {
		if s := k.spans[i]; first >= s.first && first-s.first+int64(len(dst)) <= int64(len(s.values)) {
			copy(dst, s.values[first-s.first:])
			return nil
		}
	}
	return fmt.Errorf("fingerprint: values [%d, %d) of a tensor were not kept", first, first+int64(len(dst)))
}

// prepare joins wishes that touch and makes room for their values.
func (k *kept) prepare() {
	k.spans = joined(k.spans)
	for i := range k.spans {
		k.spans[i].values = make([]float32, k.spans[i].length)
	}
}

// joined sorts spans and joins those that touch.
func joined(spans []span) []span {
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	var out []span
	for _, s := range spans {
		if n := len(out); n > 0 && s.first <= out[n-1].first+int64(out[n-1].length) {
			out[n-1].length = max(out[n-1].length, int(s.first-out[n-1].first)+s.length)
			continue
		}
		out = append(out, s)
	}
	return out
}

// from is the first span that ends behind a value.
func (k *kept) from(first int64) int {
	i, _ := slices.BinarySearchFunc(k.spans, first, func(s span, v int64) int { return cmp.Compare(s.first+int64(s.length)-1, v) })
	return i
}

// wants tells whether any of n values is wanted.
func (k *kept) wants(first, n int64) bool {
	i := k.from(first)
	return i < len(k.spans) && k.spans[i].first < first+n
}

// take copies what is wanted of values that stream by.
func (k *kept) take(first int64, values []float32) {
	end := first + int64(len(values))
	for i := k.from(first); i < len(k.spans) && k.spans[i].first < end; i++ {
		s := &k.spans[i]
		from, to := max(first, s.first), min(end, s.first+int64(s.length))
		if from < to {
			copy(s.values[from-s.first:], values[from-first:to-first])
		}
	}
}

// release forgets values that all have read.
func (k *kept) release() {
	if k.users--; k.users == 0 {
		k.spans = nil
	}
}
