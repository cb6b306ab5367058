package forward

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
)

// feed returns what the MLP of a layer writes for rows x. Variants that miss it
// whole cost nothing.
func (s *stream) feed(ctx context.Context, i int, l *roles.Layer, x []float32) ([]float32, error) {
	per, h := s.tokens()*s.m.Tower.Hidden, s.m.Tower.Hidden
	var with []int
	var input []float32
	for c, cut := range s.cuts {
		if !cut[i].MLP {
			with = append(with, c)
			input = append(input, x[c*per:(c+1)*per]...)
		}
	}
	out := make([]float32, len(s.cuts)*per)
	if len(with) == 0 {
		return out, nil
	}
	p := l.Experts[0]
	units, err := s.units(ctx, p, input, len(input)/h)
	if err != nil {
		return nil, err
	}
	width := p.Width()
	if s.each != nil {
		if err := s.each(Activity{Layer: i, Tokens: s.tokens(), Width: width, Units: units[:s.tokens()*width], Down: p.Down}); err != nil {
			return nil, err
		}
	}
	for k, c := range with {
		if left := s.cuts[c][i].Units; left != nil {
			scaleColumns(units[k*s.tokens()*width:(k+1)*s.tokens()*width], width, func(u int) float32 { return left[u] })
		}
	}
	y, err := multiply(ctx, units, len(input)/h, p.Down)
	if err != nil {
		return nil, err
	}
	for k, c := range with {
		copy(out[c*per:(c+1)*per], y[k*per:(k+1)*per])
	}
	return out, nil
}

// units gives the outputs of the hidden units for n rows: f(gate)·up (Shazeer
// 2020), or f(up) where there is no gate.
func (s *stream) units(ctx context.Context, p *roles.MLP, x []float32, n int) ([]float32, error) {
	up, err := multiply(ctx, x, n, p.Up)
	if err != nil {
		return nil, err
	}
	gate := up
	if p.Gate != nil {
		if gate, err = multiply(ctx, x, n, p.Gate); err != nil {
			return nil, err
		}
	}
	width := p.Width()
	dense.Parallel(n, func(r int) {
		for k := r * width; k < (r+1)*width; k++ {
			y := float32(s.m.activation(float64(gate[k])))
			if p.Gate != nil {
				y *= up[k]
			}
			up[k] = y
		}
	})
	return up, nil
}
