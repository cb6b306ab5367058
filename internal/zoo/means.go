package zoo

import "math/rand/v2"

// Disguises that LayerNorm lets through beside those of RMS norms: it takes the mean away
// from what it reads, so that nothing that is added to all dimensions of the residual stream
// alike is ever read.

// RotateAroundMean folds the gains and turns the residual stream by a random orthogonal
// matrix that keeps the mean where it is.
func RotateAroundMean(r *rand.Rand, m *Model) {
	FoldGains(m)
	for range 32 { // reflections at directions without a mean
		n := m.hidden()
		v, sum, size := make([]float64, n), 0.0, 0.0
		for i := range v {
			v[i] = r.NormFloat64()
			sum += v[i]
		}
		for i := range v {
			v[i] -= sum / float64(n)
			size += float64(v[i] * v[i])
		}
		t := newSquare(n)
		for i := range n {
			for k := range n {
				t.v[i*n+k] = -2 * v[i] * v[k] / size
			}
			t.v[i*n+i]++
		}
		m.turnResidual(t)
	}
}

// AddMeans folds the gains and adds to each row that reads the residual stream, and to what
// is written of each unit and token, one number in all dimensions: normal deviates times size.
func AddMeans(r *rand.Rand, m *Model, size float64) {
	FoldGains(m)
	row := func(x dense) {
		for i := range x.rows {
			c := float32(size * r.NormFloat64())
			for k := range x.cols {
				x.v[i*x.cols+k] += c
			}
		}
	}
	column := func(x dense) {
		for k := range x.cols {
			c := float32(size * r.NormFloat64())
			for i := range x.rows {
				x.v[i*x.cols+k] += c
			}
		}
	}
	row(m.dense("model.embed_tokens.weight"))
	for _, f := range m.reads() {
		for _, name := range f.readers {
			row(m.dense(name))
		}
	}
	for l := range m.layers() {
		column(m.attention(l, "o"))
		column(m.dense(layerName(l, "mlp.down_proj")))
	}
}
