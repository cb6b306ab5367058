package tokenfree

import (
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// alike counts the units of B that find the same partner in A through both
// groups, mutually. Layers are compared by thousands, and nearly all are
// strangers: the whole table of likenesses is made for one group and one way only,
// and what it suggests is refuted by a few likenesses of the rest.
func alike(a, b signed) (count int) {
	var ea, eb [2]*evened
	for g := range ea {
		var ok bool
		if ea[g], eb[g], ok = evenedTogether(a.groups[g], b.groups[g]); !ok {
			return 0
		}
		defer ea[g].release()
		defer eb[g].release()
	}
	for j, i := range foremost(eb[0].all(), ea[0].all(), b.units, a.units, ea[0].count) {
		if i >= 0 && first(eb[1], j, ea[1].row(i)) && first(ea[1], i, eb[1].row(j)) && first(eb[0], j, ea[0].row(i)) {
			count++
		}
	}
	return count
}

// foremost finds for each row of B the first of those of A, d wide, that are most
// alike, or −1 where none is at all.
func foremost(b, a []float32, nb, na, d int) []int {
	out := make([]int, nb)
	room := strips.Get().(*[]float32)
	defer strips.Put(room)
	*room = slices.Grow((*room)[:0], min(strip, nb)*na)
	c := (*room)[:min(strip, nb)*na]
	for lo := 0; lo < nb; lo += strip {
		n := min(strip, nb-lo)
		dense.SerialNT(c[:n*na], b[lo*d:(lo+n)*d], a, n, na, d)
		for j := range n {
			out[lo+j] = highestOf(c[j*na : (j+1)*na])
		}
	}
	return out
}

// highestOf is the first position of the largest value above zero, or −1.
func highestOf(x []float32) int {
	best, top := -1, float32(0)
	for i, v := range x {
		if v > top {
			best, top = i, v
		}
	}
	return best
}

// first tells whether row i is the first of those that are most like x, and like it
// at all.
func first(e *evened, i int, x []float32) bool {
	var likeness [evenBlock]float32
	see := func(k int) []float32 {
		rows := e.block(k)
		n := len(rows) / e.count
		dense.SerialNT(likeness[:n], x, rows, 1, n, e.count)
		return likeness[:n]
	}
	own := see(i / evenBlock)[i%evenBlock]
	if !(own > 0) {
		return false
	}
	for k := range e.done {
		for r, v := range see(k) {
			if at := k*evenBlock + r; v > own || v == own && at < i {
				return false
			}
		}
	}
	return true
}
