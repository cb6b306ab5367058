package mlp

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// sketchDims is how many random directions find rows that may be parallel, and
// seemsParallel from which cosine there on they may.
const sketchDims, seemsParallel = 64, 0.95

// line is a set of units whose gates lie on one line through zero.
type line struct {
	units []int
	sign  []float64 // 1 where the gate points as that of the first, else −1
}

// turned tells whether some gates point the other way.
func (l line) turned() bool {
	for _, s := range l.sign {
		if s < 0 {
			return true
		}
	}
	return false
}

// lines groups units whose gates are parallel or opposite and of one length to a ratio,
// directly or through others: at sameScale, and at any.
func (b *Block) lines() (atScale, atAny []line) {
	scaled, free, g := newSets(b.Units), newSets(b.Units), newGates(b)
	b.candidates(func(i, k int) {
		if scaled.together(i, k) {
			return
		}
		sign, apart := g.alike(i, k)
		if sign == 0 {
			return
		}
		if apart < 1+sameScale {
			scaled.join(i, k, sign)
		}
		free.join(i, k, sign)
	})
	return scaled.lines(), free.lines()
}

// lines are the sets in order of their first members.
func (s *sets) lines() (out []line) {
	n := len(s.root)
	size, lines := make([]int, n), 0
	for i := range n {
		r, _ := s.find(i)
		if size[r]++; r == i {
			lines++
		}
	}
	out = make([]line, 0, lines)
	units, signs, at := make([]int, n), make([]float64, n), make([]int, n)
	for i := range n {
		r, sign := s.find(i)
		if r == i {
			at[i] = len(out)
			out = append(out, line{units[:0:size[r]], signs[:0:size[r]]})
			units, signs = units[size[r]:], signs[size[r]:]
		}
		l := &out[at[r]]
		l.units, l.sign = append(l.units, i), append(l.sign, sign)
	}
	return out
}

// sets are disjoint sets of units, each with a sign relative to the first of its set.
type sets struct {
	root []int
	sign []float64
}

func newSets(n int) *sets {
	s := &sets{make([]int, n), make([]float64, n)}
	for i := range n {
		s.root[i], s.sign[i] = i, 1
	}
	return s
}

// find is the first of a unit's set, and the unit's sign relative to it.
func (s *sets) find(i int) (root int, sign float64) {
	sign = 1
	for s.root[i] != i {
		s.sign[i] *= s.sign[s.root[i]]
		s.root[i] = s.root[s.root[i]]
		sign *= s.sign[i]
		i = s.root[i]
	}
	return i, sign
}

func (s *sets) together(i, k int) bool {
	a, _ := s.find(i)
	b, _ := s.find(k)
	return a == b
}

func (s *sets) join(i, k int, sign float64) {
	a, x := s.find(i)
	b, y := s.find(k)
	if a > b {
		a, b = b, a
	}
	if a != b {
		s.root[b], s.sign[b] = a, x*y*sign
	}
}

// gates are the rows of a block's first view.
type gates struct {
	*Block
	squares []float64 // of their lengths, −1 where not known yet
	x, y    []float64 // room
}

func newGates(b *Block) *gates {
	g := &gates{b, make([]float64, b.Units), make([]float64, b.Hidden), make([]float64, b.Hidden)}
	for i := range g.squares {
		g.squares[i] = -1
	}
	return g
}

// alike is 1 where two rows are parallel, −1 where they are opposite, and else 0, and
// the ratio of the longer to the shorter.
func (g *gates) alike(i, k int) (sign, apart float64) {
	x, y := widen(g.x, g.row(&g.First[0], i)), widen(g.y, g.row(&g.First[0], k))
	xx, yy, xy := g.square(i, x), g.square(k, y), dense.Dot64(x, y)
	apart = math.Sqrt(xx / yy)
	apart = math.Max(apart, 1/apart)
	if !(math.Abs(xy) > parallel*math.Sqrt(xx*yy)) || !(apart < math.Inf(1)) {
		return 0, apart
	}
	return math.Copysign(1, xy), apart
}

func (g *gates) square(i int, x []float64) float64 {
	if g.squares[i] < 0 {
		g.squares[i] = dense.Dot64(x, x)
	}
	return g.squares[i]
}

// candidates calls f for pairs of rows that look parallel, or opposite, in a few random
// directions. They are not kept: where all rows are one there are as many as its square.
func (b *Block) candidates(f func(i, k int)) {
	n, h, rows := b.Units, b.Hidden, b.First[0].Rows
	d := min(h, sketchDims)
	r := rng.New(nil, "directions that find parallel gates")
	directions := make([]float32, d*h)
	for i := range directions {
		directions[i] = float32(int64(r.Uint64()>>63))*2 - 1
	}
	sketch := make([]float32, n*d)
	dense.MulNT(sketch, rows, directions, n, d, h)
	for i := range n {
		row := sketch[i*d : (i+1)*d]
		if size := dense.Norm(row); size > 0 && !math.IsInf(size, 0) {
			for k, v := range row {
				row[k] = float32(float64(v) / size)
			}
		}
	}
	const strip = 128
	table := make([]float32, min(strip, n)*n)
	for first := 0; first < n; first += strip {
		m := min(strip, n-first)
		c := table[:m*n]
		dense.MulNT(c, sketch[first*d:(first+m)*d], sketch, m, n, d)
		for i := range m {
			for k := first + i + 1; k < n; k++ {
				if v := c[i*n+k]; v > seemsParallel || v < -seemsParallel {
					f(first+i, k)
				}
			}
		}
	}
}
