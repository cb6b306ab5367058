package faithful

import (
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/quant"
)

// fault is the first rule that a block breaks: at the value that lies farthest.
type fault struct {
	col   int // in the block
	count int
	steps float64
	what  string
	soft  bool // the search of the type can come to the block all the same
	lost  bool // sums that lose all their bits bring it about, where importance lies on one column alone
	kept  bool // every value of the source is what is stored: any importance gives that
	idle  bool // the source has nothing but zeros here: any rule holds
}

// worse keeps the farther of two values and counts both.
func (f *fault) worse(col int, steps float64, what string) {
	f.count++
	if steps > f.steps {
		f.col, f.steps, f.what = col, steps, what
	}
}

// found tells whether anything deviates.
func (f *fault) found() bool { return f.what != "" }

// noNumber says that nothing can be decoded.
const noNumber = "the scale is no number"

// nearestFault holds each value of a block against the levels under the scale
// that is stored: its code must be the nearest one. v are the decoded values.
func nearestFault(subs []quant.Sub, x, v []float32) (f fault) {
	for _, s := range subs {
		if !finite(s.Scale) || !finite(s.Offset) {
			f.worse(s.Start, 1, noNumber)
			continue
		}
		if s.Scale == 0 {
			continue // all codes mean the same
		}
		for i := s.Start; i < s.Start+s.N; i++ {
			t, q := s.Place(x[i]), s.Place(v[i])
			slack := s.Doubt(t, x[i])
			at := nearestLevel(s.Levels, q)
			best := nearestLevel(s.Levels, t)
			if off := math.Abs(t-float64(s.Levels[at])) - math.Abs(t-float64(s.Levels[best])); off > 2*slack {
				f.worse(i, math.Abs(float64(at-best)), "the code is not the nearest under the stored scale")
			}
		}
	}
	return f
}

// nearestLevel is the number of the level nearest to a place.
func nearestLevel(levels []float32, t float64) int {
	at, _ := slices.BinarySearchFunc(levels, t, func(l float32, t float64) int {
		switch {
		case float64(l) < t:
			return -1
		case float64(l) > t:
			return 1
		}
		return 0
	})
	if at == len(levels) {
		return at - 1
	}
	if at > 0 && t-float64(levels[at-1]) <= float64(levels[at])-t {
		return at - 1
	}
	return at
}

// candidateFault holds the codes of a block without a minimum against all those
// that a search over scales tries: whatever the importance, it takes one of them.
func candidateFault(n int, x, v []float32, scale float32) bool {
	far := float32(0)
	for _, e := range x {
		if math.Abs(float64(e)) > math.Abs(float64(far)) {
			far = e
		}
	}
	for is := -9; is <= 9; is++ {
		if quant.SignedFits(n, is, far, scale, x, v) {
			return false
		}
	}
	return true
}

// lineFault tells whether no scale and minimum at all give the codes of a block
// by rounding: a and b with |x − a·l − b| ≤ a/2, at the ends on one side only.
// What the codes leave of b is an interval for each a, and its width is concave.
func lineFault(top float64, x []float32, l []int) bool {
	room := func(a float64) float64 {
		lo, hi := math.Inf(-1), math.Inf(1)
		for i, v := range x {
			c := float64(v) - a*float64(l[i])
			if float64(l[i]) < top {
				lo = max(lo, c-a/2)
			}
			if l[i] > 0 {
				hi = min(hi, c+a/2)
			}
		}
		return hi - lo
	}
	span := float64(slices.Max(x)) - min(0, float64(slices.Min(x)))
	lo, hi := 0.0, 4*span/top
	for range 60 {
		a, b := lo+(hi-lo)/3, hi-(hi-lo)/3
		if room(a) < room(b) {
			lo = a
		} else {
			hi = b
		}
	}
	return room((lo+hi)/2) < -1e-5*span/top
}

// errorOf is the sum of squared distances of a run.
func errorOf(x, v []float32) (sum float64) {
	for i := range x {
		d := float64(x[i]) - float64(v[i])
		sum += d * d
	}
	return sum
}

// errorFault holds the error of each run of n values against that of the type's
// own choice without importance. Importance moves error between values, but the
// usual kinds of it do not make a run many times worse as a whole.
func errorFault(n int, x, v, plain []float32, limit float64) (f fault) {
	for at := 0; at < len(x); at += n {
		own, best := errorOf(x[at:at+n], v[at:at+n]), errorOf(x[at:at+n], plain[at:at+n])
		floor := powerOf(x[at:at+n]) * errorFloor
		if ratio := math.Sqrt((own + floor) / (best + floor)); !(ratio <= limit) {
			if ratio > f.steps {
				f.col, f.steps = at, ratio
				f.what = fmt.Sprintf("the error is %.1f times that of the plain choice; importance of the usual kinds stays below %.0f", ratio, limit)
			}
		}
	}
	return f
}

// errorFloor keeps ratios of errors finite where values lie on the lattice.
const errorFloor = 1e-6

func powerOf(x []float32) (sum float64) {
	for _, v := range x {
		sum += float64(v) * float64(v)
	}
	return sum
}
