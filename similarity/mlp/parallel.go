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

// lines groups units whose gates are parallel or opposite and of one length to a
// ratio, directly or through others, in order of their first member.
func (b *Block) lines(candidates [][2]int, ratio float64) []line {
	n, h, rows := b.Units, b.Hidden, b.First[0].Rows
	s := newSets(n)
	for _, c := range candidates {
		if s.together(c) {
			continue
		}
		if sign := alike(rows[c[0]*h:(c[0]+1)*h], rows[c[1]*h:(c[1]+1)*h], ratio); sign != 0 {
			s.join(c[0], c[1], sign)
		}
	}
	at := make([]int, n)
	var out []line
	for i := range n {
		r, sign := s.find(i)
		if r == i {
			at[i] = len(out)
			out = append(out, line{})
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

func (s *sets) together(pair [2]int) bool {
	a, _ := s.find(pair[0])
	b, _ := s.find(pair[1])
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

// alike is 1 where two rows are parallel and of one length to a ratio, −1 where they
// are opposite, and else 0.
func alike(x, y []float32, ratio float64) float64 {
	wx, wy := wide(x), wide(y)
	xx, yy, xy := dot(wx, wx), dot(wy, wy), dot(wx, wy)
	apart := math.Sqrt(xx / yy)
	if !(math.Abs(xy) > parallel*math.Sqrt(xx*yy)) || !(math.Max(apart, 1/apart) < 1+ratio) {
		return 0
	}
	return math.Copysign(1, xy)
}

// candidates are pairs of rows that look parallel, or opposite, in a few random
// directions.
func (b *Block) candidates() (out [][2]int) {
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
					out = append(out, [2]int{first + i, k})
				}
			}
		}
	}
	return out
}
