package forward

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
)

// attend returns what the attention of a layer writes for rows x (Vaswani et
// al. 2017; heads that share keys and values: Ainslie et al. 2023).
func (s *stream) attend(ctx context.Context, i int, l *roles.Layer, x []float32) ([]float32, error) {
	m, t := s.m, s.m.Tower
	q, k, v, err := s.project(ctx, l, x)
	if err != nil {
		return nil, err
	}
	if t.Rotary != roles.NoRotary {
		sin, cos, err := m.angles(ctx, i, s.long)
		if err != nil {
			return nil, err
		}
		s.rotate(q, t.Heads, sin, cos)
		s.rotate(k, t.KVHeads, sin, cos)
	}
	mixed := make([]float32, len(q))
	dense.Parallel(len(s.cuts)*s.texts*t.Heads, func(task int) {
		s.mix(mixed, q, k, v, task/t.Heads, task%t.Heads)
	})
	s.silence(i, mixed)
	out, err := multiply(ctx, mixed, s.rows(), l.O)
	if err != nil {
		return nil, err
	}
	s.clear(out, func(c Cut) bool { return c.Attention }, i)
	return out, nil
}

// project gives queries, keys and values, normalised head by head or as a whole
// where the layer has norms for them.
func (s *stream) project(ctx context.Context, l *roles.Layer, x []float32) (q, k, v []float32, err error) {
	if q, err = multiply(ctx, x, s.rows(), l.Q); err != nil {
		return nil, nil, nil, err
	}
	if k, err = multiply(ctx, x, s.rows(), l.K); err != nil {
		return nil, nil, nil, err
	}
	if v, err = multiply(ctx, x, s.rows(), l.V); err != nil {
		return nil, nil, nil, err
	}
	for _, n := range []struct {
		norm norm
		on   []float32
		rows int
	}{{s.m.norm(l, "attn.q_norm", l.QNorm), q, l.Q.Rows}, {s.m.norm(l, "attn.k_norm", l.KNorm), k, l.K.Rows}} {
		switch {
		case n.norm.empty():
		case n.norm.gain.Len != s.m.Tower.HeadDim && n.norm.gain.Len != n.rows:
			return nil, nil, nil, unsupported("its norm of queries or keys has %d gains", n.norm.gain.Len)
		default:
			if err := s.m.apply(ctx, n.on, n.on, n.norm); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return q, k, v, nil
}

// rotate turns all heads of all rows by their places.
func (s *stream) rotate(x []float32, heads int, sin, cos []float32) {
	d, planes := s.m.Tower.HeadDim, s.m.Tower.RotaryDim/2
	for r := range s.rows() {
		at := r % s.long * planes
		for h := range heads {
			s.m.turn(x[(r*heads+h)*d:][:d], sin[at:at+planes], cos[at:at+planes])
		}
	}
}

// mix runs one head on one text.
func (s *stream) mix(dst, q, k, v []float32, text, head int) {
	t := s.m.Tower
	d, kv := t.HeadDim, head/(t.Heads/t.KVHeads)
	at := func(x []float32, heads, i, h int) []float32 { return x[((text*s.long+i)*heads+h)*d:][:d] }
	weights := make([]float64, s.long)
	sums := make([]float64, d)
	for i := range s.long {
		seen := s.long
		if !s.m.encoder {
			seen = i + 1
		}
		for j := range seen {
			weights[j] = s.m.bounded(float64(float64(dense.Dot(at(q, t.Heads, i, head), at(k, t.KVHeads, j, kv)))*s.m.attention), s.m.softScores)
		}
		softmax(weights[:seen])
		clear(sums)
		for j, w := range weights[:seen] {
			for c, y := range at(v, t.KVHeads, j, kv) {
				sums[c] += float64(w * float64(y))
			}
		}
		for c, y := range sums {
			at(dst, t.Heads, i, head)[c] = float32(y)
		}
	}
}

// bounded squeezes scores into ±limit, 0 for no limit (Gemma 2).
func (m *Model) bounded(x, limit float64) float64 {
	if limit <= 0 {
		return x
	}
	return float64(limit * tanh(x/limit))
}

func softmax(x []float64) {
	most, sum := math.Inf(-1), 0.0
	for _, v := range x {
		most = max(most, v)
	}
	for i, v := range x {
		x[i] = exp(v - most)
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

// silence takes heads out of the variants that miss them.
func (s *stream) silence(layer int, mixed []float32) {
	t := s.m.Tower
	per := t.Heads / t.KVHeads * t.HeadDim // values of the heads that share keys
	for c, cut := range s.cuts {
		left := cut[layer].Heads
		if left == nil {
			continue
		}
		scaleColumns(mixed[c*s.tokens()*t.Heads*t.HeadDim:][:s.tokens()*t.Heads*t.HeadDim], t.Heads*t.HeadDim, func(k int) float32 { return left[k/per] })
	}
}

// scaleColumns multiplies the columns of rows of a width.
func scaleColumns(x []float32, width int, by func(int) float32) {
	for k := range width {
		f := by(k)
		if f == 1 {
			continue
		}
		for i := k; i < len(x); i += width {
			x[i] *= f
		}
	}
}

// clear empties the rows of variants whose cut of a layer says so.
func (s *stream) clear(x []float32, gone func(Cut) bool, layer int) {
	per := len(x) / len(s.cuts)
	for c, cut := range s.cuts {
		if gone(cut[layer]) {
			clear(x[c*per : (c+1)*per])
		}
	}
}
