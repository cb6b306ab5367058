package equality

import (
	"io"
	"reflect"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// place is where the values of a tensor are stored. A file that lists one place
// under several names, as torch does for modules that share a weight, holds the
// weight once.
type place struct {
	r     io.ReaderAt
	at, n int64
	dtype tensor.DType
}

// placeOf tells where a tensor is stored, as far as it is one run of bytes.
func placeOf(t *tensor.Tensor) (place, bool) {
	s, ok := tensor.StoredOf(t.Data)
	if !ok || s.Bytes == 0 || s.R == nil || !reflect.TypeOf(s.R).Comparable() {
		return place{}, false
	}
	return place{s.R, s.Offset, s.Bytes, t.DType}, true
}

// words is a name without its digits.
func words(name string) string {
	return strings.Map(func(r rune) rune {
		if '0' <= r && r <= '9' {
			return -1
		}
		return r
	}, name)
}

// lone lists the tensors that say something and have no counterpart: neither one of
// their own, nor by another name of the same stored values. Names that differ by a
// number only are places of their own: a layer that is applied twice is two layers.
func lone(all []marked, paired func(int) bool) (out []*tensor.Tensor) {
	alone := func(i int) bool { return !paired(i) && (all[i].t.DType == tensor.Opaque || all[i].says()) }
	n := howMany(len(all), alone)
	if n == 0 {
		return nil
	}
	out = make([]*tensor.Tensor, 0, n)
	found := map[place][]string{} // names of what is paired, at the places of what is alone
	for i, x := range all {
		if p, ok := placeOf(x.t); ok && alone(i) {
			found[p] = nil
		}
	}
	for i, x := range all {
		if !paired(i) {
			continue
		}
		if p, ok := placeOf(x.t); ok {
			if names, asked := found[p]; asked {
				found[p] = append(names, words(x.t.Name))
			}
		}
	}
	for i, x := range all {
		if !alone(i) {
			continue
		}
		p, ok := placeOf(x.t)
		if names := found[p]; !ok || names == nil || slices.Contains(names, words(x.t.Name)) {
			out = append(out, x.t)
		}
	}
	return out
}

// howMany counts those of n that are.
func howMany(n int, are func(int) bool) (sum int) {
	for i := range n {
		if are(i) {
			sum++
		}
	}
	return sum
}
