package architecture

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/stats"
)

// rescaled tells whether the norm gains of a tower were multiplied against the
// matrices behind them. It looks at one subject alone.
func rescaled(ctx context.Context, p *align.Pair, t *roles.Tower) (bool, error) {
	var readers []*roles.Matrix
	var wants []tensor.Want
	for _, i := range align.Spread(len(t.Layers), rescaledLayers) {
		l := t.Layers[i]
		behind := []*roles.Matrix{l.V}
		if m := l.MLPs(); len(m) > 0 {
			behind = append(behind, m[0].Up)
		}
		for _, m := range behind {
			if m == nil || m.Gain == nil || m.Gain.Len != m.Cols || p.Reserve(m.Cost(min(m.Rows, rescaledRows))+m.Gain.Cost(), 1) == 0 {
				continue
			}
			readers, wants = append(readers, m), append(wants, m.Want(columnRows(p, m)), m.Gain.Want())
		}
	}
	if err := tensor.FetchAll(ctx, wants); err != nil {
		return false, err
	}
	var sum, slopes float64
	n := 0
	for _, m := range readers {
		c, slope, ok, err := against(ctx, p, m)
		if err != nil {
			return false, err
		}
		if ok {
			sum, slopes, n = sum+c, slopes+slope, n+1
		}
	}
	if n < rescaledReaders {
		return false, nil
	}
	return sum/float64(n) < rescaledCorrelation && math.Abs(slopes/float64(n)+1) < rescaledSlope, nil
}

// columnRows are the rows by which the columns of a matrix are measured.
func columnRows(p *align.Pair, m *roles.Matrix) []int {
	return rng.New(p.Seed, "columns of "+m.Role).Sample(m.Rows, rescaledRows)
}

// against correlates the logarithms of a matrix's columns with those of the
// gains before it. ok is false where the gains hardly vary.
func against(ctx context.Context, p *align.Pair, m *roles.Matrix) (c, slope float64, ok bool, err error) {
	gain, err := m.Gain.Read(ctx)
	if err != nil {
		return 0, 0, false, err
	}
	rows := columnRows(p, m)
	x := make([]float32, len(rows)*m.Cols)
	if err := m.Gather(ctx, x, rows); err != nil {
		return 0, 0, false, err
	}
	size := make([]float64, m.Cols)
	for i, v := range x {
		size[i%m.Cols] += float64(v) * float64(v)
	}
	var g, s []float64
	for k, v := range gain {
		if v != 0 && size[k] > 0 {
			g, s = append(g, math.Log(math.Abs(float64(v)))), append(s, math.Log(size[k])/2)
		}
	}
	if len(g) < rescaledColumns {
		return 0, 0, false, nil
	}
	c, ok = stats.Correlation(g, s)
	dg, ds := deviation(g), deviation(s)
	if !ok || dg < rescaledSpread {
		return 0, 0, false, nil
	}
	return c, c * ds / dg, true, nil
}

func deviation(x []float64) float64 {
	mean, sum := 0.0, 0.0
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(x)))
}
