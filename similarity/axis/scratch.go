package axis

import (
	"slices"
	"sync"
)

// scratch lends room for rows while the axes of a stage are read: one axis after the
// other needs as much, and new memory has to be cleared and mapped before it is written.
type scratch struct {
	mu         sync.Mutex
	free, lent [][]float32
}

// floats lends room for n values, which hold anything. Without scratch it is new.
func (s *scratch) floats(n int) []float32 {
	if s == nil {
		return make([]float32, n)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	best := s.nearest(n)
	var x []float32
	if best >= 0 {
		x = s.free[best]
		s.free = slices.Delete(s.free, best, best+1)
	}
	if cap(x) < n { // what is too small makes place
		x = make([]float32, n)
	}
	x = x[:n]
	s.lent = append(s.lent, x)
	return x
}

// mark is where lending stands.
func (s *scratch) mark() int {
	if s == nil {
		return 0
	}
	return len(s.lent)
}

// release takes back what was lent since a mark.
func (s *scratch) release(mark int) {
	if s != nil {
		s.free = append(s.free, s.lent[mark:]...)
		s.lent = s.lent[:mark]
	}
}

// nearest is the smallest free room for n values, or else the largest, or −1.
func (s *scratch) nearest(n int) int {
	best := -1
	for i, x := range s.free {
		if best < 0 || closer(cap(x), cap(s.free[best]), n) {
			best = i
		}
	}
	return best
}

// closer tells whether room for x values suits n better than room for y.
func closer(x, y, n int) bool {
	if x < n || y < n {
		return x > y
	}
	return x < y
}
