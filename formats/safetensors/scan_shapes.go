package safetensors

import "slices"

// kept copies a shape to where it lasts, unless one like it is there.
func (s *scanner) kept(shape []int64) []int64 {
	if len(shape) == 0 {
		return []int64{}
	}
	s.dims += len(shape)
	same := &s.recent[place(shape, len(s.recent))]
	if slices.Equal(*same, shape) {
		return *same
	}
	if len(s.shapes)+len(shape) > cap(s.shapes) {
		s.shapes = make([]int64, 0, max(1024, len(shape)))
	}
	at := len(s.shapes)
	s.shapes = append(s.shapes, shape...)
	*same = s.shapes[at:len(s.shapes):len(s.shapes)]
	return *same
}

// place is where a shape is looked for among so many.
func place(shape []int64, among int) uint64 {
	h := uint64(14695981039346656037) // FNV-1a by numbers
	for _, d := range shape {
		h = (h ^ uint64(d)) * 1099511628211
	}
	return (h ^ h>>32) % uint64(among)
}

// windowBytes is how much of the header is held at a time.
const windowBytes = 64 << 10
