package calibrated

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/basis"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
)

// OVSpectra compares what each head moves from its inputs to its outputs: the
// singular values of O·V. Mixing the channels of a head, rotating the
// residual stream or permuting it leaves them as they are. A spectrum is a
// smooth curve and says little; heads are matched in the way most favourable
// to likeness, and so are those of the controls.
func OVSpectra() *similarity.Test {
	return &similarity.Test{Name: "ov-spectra", Doc: "singular values of what each head moves", Tier: similarity.Calibrated, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		var out []similarity.Evidence
		for _, t := range p.Towers {
			e, err := ovSpectra(ctx, p, t)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
		return out, nil
	}}
}

func ovSpectra(ctx context.Context, p *align.Pair, t align.TowerPair) (similarity.Evidence, error) {
	const name, place = "ov-spectra", "attention.ov"
	if len(t.Layers) == 0 || t.A.Layers[0].V == nil || t.B.Layers[0].V == nil || t.A.Layers[0].O == nil || t.B.Layers[0].O == nil {
		return skip(name, place, t, "no value and output matrices on both sides"), nil
	}
	if t.A.HeadDim == 0 || t.B.HeadDim == 0 {
		return skip(name, place, t, "the sizes of heads are not known"), nil
	}
	if min(t.A.HeadDim, t.B.HeadDim) < 2*minPlanes {
		return skip(name, place, t, "heads have too few dimensions to be told apart"), nil
	}
	pairs := layersWithin(p, t, func(l *roles.Layer) int64 { return costOf(l.V) + costOf(l.O) })
	e := evidence(name, place, t)
	for _, l := range pairs {
		a, err := spectra(ctx, t.A.HeadDim, t.A.Layers[l.A])
		if err != nil {
			return e, err
		}
		b, err := spectra(ctx, t.B.HeadDim, t.B.Layers[l.B])
		if err != nil {
			return e, err
		}
		s, _, n := Resemblance(largest(a, t.B.HeadDim), largest(b, t.A.HeadDim))
		e.Statistic += s * float64(n)
		e.N += n
	}
	if e.N == 0 {
		return skip(name, place, t, "no layer fits the budget"), nil
	}
	e.Effect = e.Statistic / float64(e.N)
	return e, nil
}

// largest keeps the n largest values of each spectrum: what a head has beyond the size
// of the other side's does next to nothing, if the one was made from the other.
func largest(heads []Head, n int) []Head {
	out := make([]Head, len(heads))
	for i, h := range heads {
		out[i].Sizes = h.Sizes[max(0, len(h.Sizes)-n):]
	}
	return out
}

// valueRows are the value rows of a layer in the coordinates of the residual stream:
// where values are made from a latent vector, through it.
func valueRows(ctx context.Context, l *roles.Layer) (v []float32, cols int, err error) {
	rows, err := axis.ReadRows(ctx, l.V, l.V.All(), true)
	latent := l.Other("attn.kv_a")
	if err != nil || latent == nil || latent.Rows != l.V.Cols {
		return rows.Raw, l.V.Cols, err
	}
	in, err := axis.ReadRows(ctx, latent, latent.All(), true)
	if err != nil {
		return nil, 0, err
	}
	return basis.Mul(rows.Raw, in.Raw, l.V.Rows, l.V.Cols, latent.Cols), latent.Cols, nil
}

// spectra returns the logarithms of the singular values of each head's O·V, ascending.
func spectra(ctx context.Context, d int, l *roles.Layer) ([]Head, error) {
	v, cols, err := valueRows(ctx, l)
	if err != nil {
		return nil, err
	}
	o := make([]float32, l.O.Rows*l.O.Cols)
	if err := l.O.Gather(ctx, o, l.O.All()); err != nil {
		return nil, err
	}
	heads := make([]Head, l.O.Cols/d)
	errs := make([]error, len(heads))
	shared := max(1, len(heads)/max(1, l.V.Rows/d))
	dense.Parallel(len(heads), func(h int) {
		g := min(h/shared, l.V.Rows/d-1)
		out := make([]float32, d*l.O.Rows) // channels × residual
		for r := range l.O.Rows {
			for c := range d {
				out[c*l.O.Rows+r] = o[r*l.O.Cols+h*d+c]
			}
		}
		if l.O.WritesCentred {
			axis.WithoutMeans(out, d, l.O.Rows)
		}
		heads[h].Sizes, errs[h] = productSpectrum(v[g*d*cols:(g+1)*d*cols], out, d, cols, l.O.Rows)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return heads, nil
}

// productSpectrum returns the logarithms of the singular values of Oᵀ·V for O
// (d×m) and V (d×n): the roots of the eigenvalues of G_O·G_V, computed as
// those of the symmetric L·G_O·L with L the root of G_V.
func productSpectrum(v, o []float32, d, n, m int) ([]float64, error) {
	gv, go64 := gram(v, d, n), gram(o, d, m)
	values, vectors, err := linalg.SymEigen(gv, d)
	if err != nil {
		return nil, err
	}
	root := make([]float64, d*d)
	for i := range d {
		for j := range d {
			for k := range d {
				root[i*d+j] += vectors[i*d+k] * math.Sqrt(math.Max(values[k], 0)) * vectors[j*d+k]
			}
		}
	}
	eig, err := linalg.SymEigenvalues(multiply(multiply(root, go64, d), root, d), d)
	if err != nil {
		return nil, err
	}
	out := make([]float64, d)
	for i, x := range eig {
		out[i] = 0.5 * math.Log(math.Max(x, 1e-30))
	}
	return out, nil
}

// gram is X·Xᵀ for X of n rows.
func gram(x []float32, n, d int) []float64 {
	g := make([]float32, n*n)
	dense.Gram(g, x, n, d)
	out := make([]float64, n*n)
	for i := range n {
		for j := range n {
			out[i*n+j] = (float64(g[i*n+j]) + float64(g[j*n+i])) / 2
		}
	}
	return out
}

func multiply(a, b []float64, n int) []float64 {
	out := make([]float64, n*n)
	for i := range n {
		for k := range n {
			for j := range n {
				out[i*n+j] += a[i*n+k] * b[k*n+j]
			}
		}
	}
	return out
}
