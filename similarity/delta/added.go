package delta

import (
	"context"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Added says where the further rows of a longer vocabulary come from, if they
// show it.
type Added string

// The ways in which rows are added to a trained vocabulary. Both need to know
// what the others learned, so the others were there first. Rows that were
// trained themselves, or set aside before training began, look like neither.
const (
	NotShown   Added = ""
	AtTheMean  Added = "stand at the mean of the others"
	DrawnAlike Added = "are noise of the scale that the others have in each dimension"
)

// Limits of what AddedRows looks at and concludes.
const (
	fewestAdded = 32   // rows it takes to tell noise from what was learned
	mostAdded   = 256  // rows that are read of the further ones
	mostOthers  = 512  // and of the others
	together    = 0.02 // spread, as a share of that of the others, of rows that stand at one place
	sameScale   = 0.6  // correlation of the logarithms of the scales by dimension
	sigmas      = 6.0  // standard errors that a sign has to clear
)

// AddedRows tells whether the rows of m behind the first n were made from the
// trained values of those, as when a vocabulary is extended: all at their mean,
// or drawn anew with their mean and deviation in each dimension. Rows that
// somebody cut off the other model do not look so: trained ones have structure
// among themselves, which noise has not, and rows that were set aside unused
// before training were drawn without regard to what it left. m should be the
// output matrix, where training leaves most structure.
func AddedRows(ctx context.Context, m *roles.Matrix, n int, seed []byte) (Added, error) {
	if m.Rows-n < fewestAdded || n < mostAdded {
		return NotShown, nil
	}
	r := rng.New(seed, "added rows of "+m.Role)
	others, further := r.Sample(n, mostOthers), r.Sample(m.Rows-n, mostAdded)
	for i := range further {
		further[i] += n
	}
	o, err := profileOf(ctx, m, others)
	if err != nil {
		return NotShown, err
	}
	f, err := profileOf(ctx, m, further)
	if err != nil {
		return NotShown, err
	}
	switch {
	case f.atMeanOf(o):
		return AtTheMean, nil
	case f.drawnLike(o):
		return DrawnAlike, nil
	}
	return NotShown, nil
}

// AddedCost is how many bytes AddedRows reads of m.
func AddedCost(m *roles.Matrix) int64 { return m.Cost(mostAdded + mostOthers) }

// profile is how rows lie in each dimension.
type profile struct {
	rows, d         int
	values          []float32
	mean, deviation []float64
}

func profileOf(ctx context.Context, m *roles.Matrix, rows []int) (*profile, error) {
	p := &profile{rows: len(rows), d: m.Cols, values: make([]float32, len(rows)*m.Cols), mean: make([]float64, m.Cols), deviation: make([]float64, m.Cols)}
	if err := m.Gather(ctx, p.values, rows); err != nil {
		return nil, err
	}
	for i, v := range p.values {
		p.mean[i%p.d] += float64(v) / float64(p.rows)
	}
	for i, v := range p.values {
		x := float64(v) - p.mean[i%p.d]
		p.deviation[i%p.d] += x * x / float64(p.rows)
	}
	for k, v := range p.deviation {
		p.deviation[k] = math.Sqrt(v)
	}
	return p, nil
}

// atMeanOf tells whether all rows stand where the mean of the others is, as
// near as the sample of those can say, and that mean is not just zero.
func (p *profile) atMeanOf(o *profile) bool {
	if rms(p.deviation) >= together*rms(o.deviation) {
		return false
	}
	away, size := 0.0, 0.0
	for k := range p.mean {
		if o.deviation[k] == 0 {
			return false
		}
		se := o.deviation[k] / math.Sqrt(float64(o.rows))
		away += math.Pow((p.mean[k]-o.mean[k])/se, 2)
		size += math.Pow(o.mean[k]/se, 2)
	}
	d := float64(p.d)
	return away <= d+sigmas*math.Sqrt(2*d) && size >= d+2*sigmas*math.Sqrt(2*d)
}

// drawnLike tells whether rows are spread over the dimensions as the others are
// and otherwise independent of each other, while as many of the others are not.
func (p *profile) drawnLike(o *profile) bool {
	c, ok := stats.Correlation(logs(p.deviation), logs(o.deviation))
	if !ok || c < sameScale || c*math.Sqrt(float64(p.d-1)) < sigmas {
		return false
	}
	n := min(p.rows, o.rows)
	return p.likeness(n) < sigmas && o.likeness(n) > 4*sigmas
}

// likeness is how much the rows have in common, of the first n: the mean square
// of the cosines among them, centred and scaled in each dimension, by how many
// standard errors it exceeds that of noise.
func (p *profile) likeness(n int) float64 {
	x := make([]float32, n*p.d)
	for i := range x {
		if s := p.deviation[i%p.d]; s > 0 {
			x[i] = float32((float64(p.values[i]) - p.mean[i%p.d]) / s)
		}
	}
	normalise(x, p.d)
	g := make([]float32, n*n)
	dense.MulNT(g, x, x, n, n, p.d)
	sum := 0.0
	for i := range n {
		for j := range i {
			sum += float64(g[i*n+j]) * float64(g[i*n+j])
		}
	}
	pairs := float64(n) * float64(n-1) / 2
	return (sum/pairs*float64(p.d) - 1) / math.Sqrt(2/pairs)
}

func logs(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = math.Log(max(v, 1e-30))
	}
	return out
}

func rms(x []float64) float64 {
	s := 0.0
	for _, v := range x {
		s += v * v
	}
	return math.Sqrt(s / float64(len(x)))
}
