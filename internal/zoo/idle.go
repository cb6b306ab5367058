package zoo

import (
	"math"
	"math/rand/v2"
)

// Idle gives the residual stream more directions that nothing writes and all read, with
// values that are size times as large as what was read before, and turns the stream: the
// network computes what it did, and rows look unlike.
func Idle(r *rand.Rand, m *Model, more int, size float64) {
	FoldGains(m)
	h := m.hidden()
	n := h + more
	shrunk := float32(math.Sqrt(float64(h) / float64(n))) // an RMS norm takes the mean over more of them
	m.columns("model.embed_tokens.weight", more, func() float32 { return 0 })
	for _, f := range m.reads() {
		gain := m.byName[f.norm]
		if gain == nil {
			continue
		}
		ones := make([]float32, n)
		for k := range ones {
			ones[k] = shrunk
		}
		gain.Data, gain.Shape = Values(ones), []int64{int64(n)}
		for _, name := range f.readers {
			rms := size * float64(rootMeanSquare(m.Values(name))) * math.Sqrt(float64(h)/float64(more))
			m.columns(name, more, func() float32 { return float32(rms * r.NormFloat64()) })
		}
	}
	for l := range m.layers() {
		for _, name := range []string{layerName(l, "self_attn.o_proj"), layerName(l, "mlp.down_proj")} {
			if t := m.byName[name]; t != nil {
				t.Data = Values(append(m.Values(name), make([]float32, more*int(t.Shape[1]))...))
				t.Shape = []int64{int64(n), t.Shape[1]}
			}
		}
	}
	FoldGains(m)
	m.turnResidual(orthogonal(r, n))
}

// columns adds columns to a matrix.
func (m *Model) columns(name string, more int, draw func() float32) {
	t := m.byName[name]
	if t == nil {
		return
	}
	rows, cols := int(t.Shape[0]), int(t.Shape[1])
	old := m.Values(name)
	wide := make([]float32, 0, rows*(cols+more))
	for i := range rows {
		wide = append(wide, old[i*cols:(i+1)*cols]...)
		for range more {
			wide = append(wide, draw())
		}
	}
	t.Data, t.Shape = Values(wide), []int64{int64(rows), int64(cols + more)}
}
