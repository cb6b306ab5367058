package packed

import "context"

// planeCodes lie in bytes of which each holds the codes of several rows: row r
// is plane r/rows of byte row r%rows. The first plane is the lowest bits, or
// the highest.
type planeCodes struct {
	t         part
	rows      int64 // of bytes
	cols      int64
	bits      int
	highFirst bool
}

// planes is how many rows a byte row holds.
func (x *planeCodes) planes() int64 { return int64(8 / x.bits) }

// load reads byte rows: those that lie together at once.
func (x *planeCodes) load(ctx context.Context, s *scratch, b box) error {
	w := b.c1 - b.c0
	s.raw = grown(s.raw, b.n*w)
	for i := int64(0); i < b.n; {
		if err := ctx.Err(); err != nil {
			return err
		}
		r := (b.r + i) % x.rows
		run := int64(1)
		if w == x.cols {
			run = min(b.n-i, x.rows-r)
		}
		if err := x.t.s.ReadRaw(s.raw[i*w:(i+run)*w], r*x.cols+b.c0); err != nil {
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
	for k, c := range s.raw[i*int64(len(dst)):][:len(dst)] {
		dst[k] = c >> shift & mask
	}
}
