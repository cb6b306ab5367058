package recipe

import "math"

// Where the search for scales and weights of a sparse rule begins: at what is most
// frequent among entries that tell, of a part of all values.

// between gives the weight of each task vector over that of a pair: the most
// frequent place of the child's value between the two, over entries where these
// are far apart and the others are next to nothing.
func (s *sparse) between(all []*tensorFit) [][2]float64 {
	const bins, far, nothing = 200, 24, 3
	m := len(s.donors)
	out := make([][2]float64, m*m)
	for k := range m {
		for l := k + 1; l < m; l++ {
			var count [bins]int
			s.places(all, k, l, far, nothing, func(r float64) {
				if b := int(r * bins); r > 0 && b < bins {
					count[b]++
				}
			})
			best := bins / 2
			for b := 10; b < bins-10; b++ { // at the ends one of them is in alone
				if around(count[:], b) > around(count[:], best) {
					best = b
				}
			}
			out[k*m+l] = [2]float64{(float64(best) + 0.5) / bins, 1}
		}
	}
	return out
}

// places calls use with the place of the child's value between two task vectors.
func (s *sparse) places(all []*tensorFit, k, l int, far, nothing float64, use func(float64)) {
	for i, t := range all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		st := storageOf(t.dtype)
		for j := range t.y {
			x := s.entry(t, &st, j)
			a, b := s.scale[i][k]*x.d[k], s.scale[i][l]*x.d[l]
			small := math.Abs(a-b) >= far*x.step
			for o := range s.donors {
				small = small && (o == k || o == l || math.Abs(s.scale[i][o]*x.d[o]) < nothing*x.step)
			}
			if small {
				use((x.e - b) / (a - b))
			}
		}
	}
}

// mode is the most frequent ratio of the child's difference from the base to a
// task vector's, over entries large enough to tell.
func (s *sparse) mode(all []*tensorFit, donor int) float64 {
	const bins, width = 1200, 0.01 // of −6 to 6
	var count [bins]int
	for _, t := range all {
		if t.vector || !t.has(s.all()) {
			continue
		}
		st := storageOf(t.dtype)
		for j := range t.y {
			x := s.entry(t, &st, j)
			if math.Abs(x.e) < 2*x.step || math.Abs(x.d[donor]) < 8*x.step {
				continue
			}
			if b := int(math.Floor(x.e/x.d[donor]/width)) + bins/2; b >= 0 && b < bins {
				count[b]++
			}
		}
	}
	best := bins/2 + 100
	for b := 2; b < bins-2; b++ {
		if around(count[:], b) > around(count[:], best) {
			best = b
		}
	}
	return (float64(best-bins/2) + 0.5) * width
}

func around(count []int, b int) int {
	return count[b-2] + 2*count[b-1] + 3*count[b] + 2*count[b+1] + count[b+2]
}

// thin is the share, one entry in so many, that is enough to search on in large
// tensors.
const (
	thin     = 16
	thinFrom = 4096
)

// thinned leaves of every large matrix one entry in sixteen.
func (f *fitting) thinned() []*tensorFit {
	out := make([]*tensorFit, len(f.all))
	for i, t := range f.all {
		out[i] = t
		if len(t.y) < thinFrom {
			continue
		}
		few := *t
		few.y, few.x, few.cut, few.largest, few.differ = every(t.y), make([][]float32, len(t.x)), nil, nil, nil
		for k, x := range t.x {
			if x != nil {
				few.x[k] = every(x)
			}
		}
		out[i] = &few
	}
	return out
}

func every(x []float32) []float32 {
	out := make([]float32, 0, len(x)/thin+1)
	for i := 0; i < len(x); i += thin {
		out = append(out, x[i])
	}
	return out
}
