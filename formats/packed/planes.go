package packed

import "context"

// planeCodes lie in bytes, or little-endian words, of which each holds the codes of several
// rows: row r is plane r/rows of row r%rows of words. The first plane is the lowest bits, or
// the highest that whole codes fit in.
type planeCodes struct {
	t         part
	rows      int64 // of words
	cols      int64
	width     int64 // bytes of a word
	bits      int
	highFirst bool
}

// planes is how many rows a row of words holds.
func (x *planeCodes) planes() int64 { return 8 * x.width / int64(x.bits) }

// load reads rows of words: those that lie together at once.
func (x *planeCodes) load(ctx context.Context, s *scratch, b box) error {
	w := b.c1 - b.c0
	s.raw = grown(s.raw, b.n*w*x.width)
	for i := int64(0); i < b.n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := (b.r + i) % x.rows
		run := int64(1)
		if w == x.cols {
			run = min(b.n-i, x.rows-r)
		}
		if err := x.t.s.ReadRaw(s.raw[i*w*x.width:(i+run)*w*x.width], (r*x.cols+b.c0)*x.width); err != nil {
			return err
		}
		i += run
	}
	return nil
}

func (x *planeCodes) row(dst []uint8, s *scratch, b box, i int64) {
	plane := (b.r + i) / x.rows
	if x.highFirst {
		plane = x.planes() - 1 - plane
	}
	shift, mask := int(plane)*x.bits, uint8(1<<x.bits-1)
	line := s.raw[i*int64(len(dst))*x.width:]
	for k := range dst {
		if x.width == 4 {
			dst[k] = uint8(word(line, k)>>shift) & mask
		} else {
			dst[k] = line[k] >> shift & mask
		}
	}
}
