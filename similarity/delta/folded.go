package delta

import (
	"context"

	"github.com/weightprint/weightprint/similarity/align"
)

// Folded sums up values with norm gains folded in: moving a gain into the
// matrix behind it changes nothing else.
type Folded struct {
	N          int64
	AA, BB, AB float64
}

// Apart is |b−a|/√(|a|·|b|), 0 where nothing was summed.
func (f *Folded) Apart() float64 {
	s := Stats{AA: f.AA, BB: f.BB, DD: max(0, f.AA+f.BB-2*f.AB)}
	return s.Apart()
}

// Merge adds the sums of other values.
func (f *Folded) Merge(o *Folded) {
	f.N += o.N
	f.AA += o.AA
	f.BB += o.BB
	f.AB += o.AB
}

// foldable reads the gains of both sides where they have them and differ.
func foldable(ctx context.Context, p align.MatrixPair) (gains [2][]float32, err error) {
	if p.A.Gain == nil || p.B.Gain == nil || p.A.Gain.Len != p.A.Cols || p.B.Gain.Len != p.B.Cols {
		return gains, nil
	}
	var a, b []float32
	if a, err = p.A.Gain.Read(ctx); err != nil {
		return gains, err
	}
	if b, err = p.B.Gain.Read(ctx); err != nil {
		return gains, err
	}
	return [2][]float32{a, b}, nil
}

func (f *Folded) add(a, b []float32, gains [2][]float32, cols int) {
	if gains[0] == nil {
		return
	}
	for first := 0; first < len(a); first += cols {
		ra, rb := a[first:first+cols], b[first:first+cols]
		ga, gb := gains[0][:len(ra)], gains[1][:len(ra)]
		for c, v := range ra {
			x := float64(v) * float64(ga[c])
			y := float64(rb[c]) * float64(gb[c])
			f.AA += float64(x * x)
			f.BB += float64(y * y)
			f.AB += float64(x * y)
		}
	}
	f.N += int64(len(a))
}
