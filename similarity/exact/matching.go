package exact

import (
	"math"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// table holds the pooled likeness of B's units to A's.
type table struct {
	c      []float32 // len(B.Units) × len(A.Units)
	na, nb int
}

// pooled adds the views of an axis; views that change sign with the unit
// count by their size, so that an attacker's sign flips change nothing.
func pooled(x *axis.Axis) table {
	t := table{na: len(x.A.Units), nb: len(x.B.Units)}
	t.c = make([]float32, t.na*t.nb)
	for _, v := range x.Views {
		for k, c := range v.Cosine {
			if v.SignEquivariant {
				c = float32(math.Abs(float64(c)))
			}
			t.c[k] += c
		}
	}
	return t
}

// matches returns for each eligible unit of B the index of the unit of A most
// like it, -1 for units that are not eligible. A's units are tried in an
// order drawn at random, so that ties go to a random unit and never favour
// the same place on both sides.
func matches(p *align.Pair, x *axis.Axis, t table) []int {
	order := rng.New(p.Seed, "ties of "+x.Name).Perm(t.na)
	out := make([]int, t.nb)
	for j := range out {
		out[j] = -1
		if !x.B.Eligible[j] {
			continue
		}
		best := float32(math.Inf(-1))
		for _, i := range order {
			if c := t.c[j*t.na+i]; x.A.Eligible[i] && c > best {
				best, out[j] = c, i
			}
		}
	}
	return out
}

// Partners returns the index into A's units of each of B's units' mutual best
// match, -1 for none.
func Partners(p *align.Pair, x *axis.Axis) []int { return mutual(p, x, pooled(x)) }

// mutual keeps the matches that hold in both directions, so that each unit of
// A is used at most once.
func mutual(p *align.Pair, x *axis.Axis, t table) []int {
	forth := matches(p, x, t)
	order := rng.New(p.Seed, "ties back of "+x.Name).Perm(t.nb)
	back := make([]int, t.na)
	for i := range back {
		back[i] = -1
		best := float32(math.Inf(-1))
		for _, j := range order {
			if c := t.c[j*t.na+i]; x.B.Eligible[j] && c > best {
				best, back[i] = c, j
			}
		}
	}
	for j, i := range forth {
		if i >= 0 && back[i] != j {
			forth[j] = -1
		}
	}
	return forth
}

// signedTable adds the views as they are: a child that kept its units in
// place kept their signs.
func signedTable(x *axis.Axis) table {
	t := table{na: len(x.A.Units), nb: len(x.B.Units)}
	t.c = make([]float32, t.na*t.nb)
	for _, v := range x.Views {
		for k, c := range v.Cosine {
			t.c[k] += c
		}
	}
	return t
}
