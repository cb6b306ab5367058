package forward

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
)

// rotation says how far each plane of a head turns from one token to the next
// (Su et al. 2021).
type rotation struct {
	theta   float64
	stretch func(frequency float64) float64 // for texts longer than the network was first trained on
	factors *roles.Vector                   // by which frequencies are divided, nil if none
}

func newRotation(m *Model, d declared) (rotation, error) {
	r := rotation{
		theta:   d.number(1e4, "rope_theta", "rotary_emb_base", "rope_parameters.rope_theta", "rope_parameters.full_attention.rope_theta", "rope.freq_base"),
		stretch: func(f float64) float64 { return f },
	}
	if m.Tower.Rotary == roles.NoRotary {
		return r, nil
	}
	if r.theta < 1 || m.Tower.RotaryDim < 2 || m.Tower.RotaryDim%2 != 0 || m.Tower.RotaryDim > m.Tower.HeadDim {
		return r, unsupported("%d of %d values of a head turn by a base of %g", m.Tower.RotaryDim, m.Tower.HeadDim, r.theta)
	}
	m.localTheta = d.number(m.localTheta, "rope_local_base_freq", "rope_parameters.sliding_attention.rope_theta")
	m.localEvery = int(d.number(float64(m.localEvery), "sliding_window_pattern", "_sliding_window_pattern"))
	for _, a := range m.net.Roles {
		if a.Tensor.Name == "rope_freqs.weight" && a.Tensor.Len() == int64(m.Tower.RotaryDim/2) {
			r.factors = &roles.Vector{Role: "rope_freqs", Tensor: a.Tensor, Len: m.Tower.RotaryDim / 2}
		}
	}
	return r, r.scaling(d)
}

// scaling takes what is declared about longer texts. Factors that a GGUF file
// stores stand for the declaration.
func (r *rotation) scaling(d declared) error {
	kind := d.text("rope_scaling.rope_type", "rope_scaling.type", "rope_parameters.rope_type", "rope_parameters.full_attention.rope_type", "rope.scaling.type")
	get := func(fallback float64, name string) float64 {
		return d.number(fallback, "rope_scaling."+name, "rope_parameters."+name, "rope_parameters.full_attention."+name, "rope.scaling."+name)
	}
	factor := get(1, "factor")
	switch {
	case kind == "" || kind == "none" || kind == "default" || kind == "dynamic" || r.factors != nil:
	case factor <= 0:
		return unsupported("its positions are stretched by %g", factor)
	case kind == "linear":
		r.stretch = func(f float64) float64 { return f / factor }
	case kind == "llama3":
		low, high, length := get(1, "low_freq_factor"), get(4, "high_freq_factor"), get(8192, "original_max_position_embeddings")
		r.stretch = func(f float64) float64 { return llama3(f, factor, low, high, length) }
	default:
		return unsupported("its positions are stretched by the method %q", kind)
	}
	return nil
}

// llama3 slows the planes that turn fewer than low times in a text of the first
// training, leaves those that turn more than high times, and goes from one to the
// other in between. Source: the model card of Llama 3.1.
func llama3(f, factor, low, high, length float64) float64 {
	const twoPi = 6.28318530717958647693
	turns := float64(f*length) / twoPi
	switch {
	case turns < low:
		return f / factor
	case turns > high || high <= low:
		return f
	}
	smooth := (turns - low) / (high - low)
	return float64((1-smooth)*f)/factor + float64(smooth*f)
}

// angles returns sine and cosine of every plane at every place of a text,
// place after place.
func (m *Model) angles(ctx context.Context, layer, places int) (sin, cos []float32, err error) {
	planes := m.Tower.RotaryDim / 2
	theta, stretch := m.rotary.theta, m.rotary.stretch
	if m.localTheta > 0 && m.localEvery > 0 && (layer+1)%m.localEvery != 0 {
		theta, stretch = m.localTheta, func(f float64) float64 { return f }
	}
	factors := slices.Repeat([]float32{1}, planes)
	if m.rotary.factors != nil {
		if factors, err = m.rotary.factors.Read(ctx); err != nil {
			return nil, nil, err
		}
	}
	sin, cos = make([]float32, places*planes), make([]float32, places*planes)
	for p := range planes {
		f := stretch(exp(-float64(float64(p)/float64(planes)*log(theta)))) / float64(factors[p])
		for i := range places {
			s, c := sincos(float64(float64(i) * f))
			sin[i*planes+p], cos[i*planes+p] = float32(s), float32(c)
		}
	}
	return sin, cos, nil
}

// turn turns the planes of one head at one place.
func (m *Model) turn(head, sin, cos []float32) {
	planes := len(sin)
	paired := m.Tower.Permuted || m.Tower.Rotary == roles.Interleaved
	for p := range planes {
		i, j := p, p+planes
		if paired {
			i, j = 2*p, 2*p+1
		}
		a, b := head[i], head[j]
		head[i] = float32(a*cos[p]) - float32(b*sin[p])
		head[j] = float32(b*cos[p]) + float32(a*sin[p])
	}
}
