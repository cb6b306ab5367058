package faithful

import (
	"bytes"
	"context"

	"github.com/weightprint/weightprint/formats/tensor"
)

// passage is a type that the source's values may have been rounded to before they
// were quantised: converters write F16 or BF16 files first.
type passage struct {
	name  string
	round func(float32) float32
}

// of is the value after the passage.
func (p passage) of(v float32) float32 {
	if p.round == nil {
		return v
	}
	return p.round(v)
}

// all rounds values in place.
func (p passage) all(x []float32) []float32 {
	if p.round != nil {
		for i, v := range x {
			x[i] = p.round(v)
		}
	}
	return x
}

// of64 is of for a number of arithmetic in float32 or narrower types.
func (p passage) of64(v float64) float64 {
	if p.round == nil {
		return v
	}
	return float64(p.round(float32(v)))
}

// passages are those that can change values of a type.
func passages(t tensor.DType) []passage {
	all := []passage{{}}
	for _, through := range []tensor.DType{tensor.F16, tensor.BF16} {
		if t != through {
			all = append(all, passage{through.String(), through.Rounding()})
		}
	}
	return all
}

// sample is the rows by which a rule is chosen.
type sample struct {
	raw []byte
	x   []float32
	at  []int
}

// take reads evenly spaced rows, few of long ones.
func (p Pair) take(ctx context.Context, codec *tensor.Codec, size int) (*sample, error) {
	return p.takeRows(ctx, codec, size, min(sampledRows, valuesAtOnce/max(1, p.Source.Cols)))
}

// takeRows reads at most so many evenly spaced rows, and one at least.
func (p Pair) takeRows(ctx context.Context, codec *tensor.Codec, size, most int) (*sample, error) {
	rows, cols := p.Source.Rows, p.Source.Cols
	n := max(1, min(most, rows))
	s := &sample{raw: make([]byte, n*size), x: make([]float32, n*cols)}
	for i := range n {
		s.at = append(s.at, i*rows/n)
		if err := p.raw(s.raw[i*size:][:size], s.at[i], codec); err != nil {
			return nil, err
		}
	}
	return s, p.Source.Gather(ctx, s.x, s.at)
}

// choose sets the mode and the passage by a sample: those that give most blocks
// byte for byte, or, where none gives most of them, those that leave the fewest
// deviating.
func (j *judge) choose(ctx context.Context, p Pair, t *Tensor) error {
	s, err := p.take(ctx, j.codec, j.bytesOf(p.Source.Cols))
	if err != nil {
		return err
	}
	modes := []Mode{Alone}
	if p.Importance != nil {
		modes = append(modes, Given)
	}
	all := passages(p.Source.Tensor.DType)
	best, mode, passed := -1, Alone, 0
	for k, through := range all {
		for _, m := range modes {
			j.mode, j.through = m, through.round
			equal, asked := s.equal(j)
			if equal > best {
				best, mode, passed = equal, m, k
			}
			if asked > 0 && equal == asked {
				for _, other := range all[k+1:] {
					j.through = other.round
					if n, _ := s.equal(j); n == asked {
						j.also = append(j.also, other.round)
					}
				}
				j.through, t.Through = through.round, through.name
				return nil
			}
			if asked == 0 {
				best = max(best, 1) // nothing but zeros: whatever rule there is holds
			}
		}
	}
	if _, asked := s.equal(j); float64(best) < majority*float64(asked) {
		mode = Searched
		passed = s.fewest(j, all)
	}
	j.mode, j.through, t.Through = mode, all[passed].round, all[passed].name
	return nil
}

// values returns a copy of sampled row i as it passed through a type.
func (s *sample) values(j *judge, i int) []float32 {
	cols := len(s.x) / len(s.at)
	x := make([]float32, cols)
	copy(x, s.x[i*cols:])
	if j.through != nil {
		for k, v := range x {
			x[k] = j.through(v)
		}
	}
	return x
}

// equal counts the blocks that are not zero, and those of them that the judge's
// rule gives byte for byte.
func (s *sample) equal(j *judge) (equal, asked int) {
	size := len(s.raw) / len(s.at)
	want := make([]byte, size)
	bv, bb := j.codec.BlockValues, j.codec.BlockBytes
	for i := range s.at {
		x := s.values(j, i)
		var w []float32
		if j.mode == Given {
			w = j.importance(s.at[i])
		}
		j.write(want, x, w)
		for k := 0; k*bb < size; k++ {
			if zero(x[k*bv:][:bv]) {
				continue
			}
			asked++
			if bytes.Equal(want[k*bb:][:bb], s.raw[i*size+k*bb:][:bb]) {
				equal++
			}
		}
	}
	return equal, asked
}

func zero(x []float32) bool {
	for _, v := range x {
		if v != 0 {
			return false
		}
	}
	return true
}

// fewest is the passage that leaves the fewest sampled blocks deviating.
func (s *sample) fewest(j *judge, all []passage) (at int) {
	j.mode = Searched
	least, ties := -1, []func(float32) float32(nil)
	for k, through := range all {
		j.through = through.round
		n := 0
		for i, row := range s.at {
			size := len(s.raw) / len(s.at)
			cols := len(s.x) / len(s.at)
			x := make([]float32, cols)
			copy(x, s.x[i*cols:])
			j.row(row, s.raw[i*size:][:size], x, func(_ int, g Grade, _ fault) {
				if g == Deviates {
					n++
				}
			})
		}
		switch {
		case least < 0 || n < least:
			least, at, ties = n, k, nil
		case n == least:
			ties = append(ties, through.round)
		}
	}
	j.also = ties
	return at
}
