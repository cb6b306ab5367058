package delta

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity/align"
)

// BatchNorms says how far factors of rows are those of batch norms: at inference
// y = γ·(Wx − μ)/√(σ²+ε) + β is one linear layer with rows W·γ/√(σ²+ε) and biases
// β + (b − μ)·γ/√(σ²+ε) (Ioffe and Szegedy 2015), and exporters write it so.
type BatchNorms struct {
	Scaled int       // matrices whose rows have factors of their own
	Side   string    // "A" or "B", which keeps the norms; "" where none explains a factor
	Folded int       // matrices whose factors are those of one of its norms
	Biases int       // of these, layers whose bias follows from the norm too
	Eps    []float64 // those that were found, in increasing order
}

// epsilons are the constants under the root that frameworks use.
var epsilons = []float64{1e-5, 1e-3, 1e-6, 1e-4, 1e-12, 2e-5, 1e-8}

// foldedApart is how far a factor may lie from the norm's, and a bias: both are made in
// single precision, of a few operations.
const foldedApart = 1e-5

// batchNorm is one norm of a subject.
type batchNorm struct{ gain, shift, mean, variance *roles.Vector }

// statistics are the ends of the names that frameworks give the parts of a norm.
var statistics = [][4]string{
	{".weight", ".bias", ".running_mean", ".running_var"},
	{"/gamma", "/beta", "/moving_mean", "/moving_variance"},
	{".gamma", ".beta", ".moving_mean", ".moving_variance"},
	{"/gamma:0", "/beta:0", "/moving_mean:0", "/moving_variance:0"},
}

// batchNorms lists the norms of a network that have all four parts.
func batchNorms(n *roles.Network) (out []batchNorm) {
	byName := map[string]*roles.Vector{}
	for _, v := range n.Vectors {
		byName[v.Tensor.Name] = v
	}
	for _, v := range n.Vectors {
		for _, ends := range statistics {
			if stem, ok := strings.CutSuffix(v.Tensor.Name, ends[0]); ok {
				bn := batchNorm{v, byName[stem+ends[1]], byName[stem+ends[2]], byName[stem+ends[3]]}
				if bn.shift != nil && bn.mean != nil && bn.variance != nil && bn.mean.Len == v.Len && bn.variance.Len == v.Len && bn.shift.Len == v.Len {
					out = append(out, bn)
				}
			}
		}
	}
	return out
}

// FindBatchNorms looks for the norms that explain the factors of rows which Compare
// found. Each norm explains one matrix.
func FindBatchNorms(ctx context.Context, p *align.Pair, m *align.Matching, changes []Change) (out BatchNorms, err error) {
	pairs := map[string]align.MatrixPair{}
	for _, x := range m.Matrices {
		pairs[x.B.Role] = x
	}
	norms := [2][]batchNorm{batchNorms(p.A.Net), batchNorms(p.B.Net)}
	used := map[*roles.Vector]bool{}
	vectors := &once{p, map[*roles.Vector][]float32{}}
	for i := range changes {
		c := &changes[i]
		if c.Scales.By == nil {
			continue
		}
		out.Scaled++
		pair, ok := pairs[c.Role]
		for side, name := range []string{"A", "B"} {
			if !ok || out.Side != "" && out.Side != name {
				continue
			}
			f := fold{scales: c.Scales, side: side, pair: pair, nets: [2]*roles.Network{p.A.Net, p.B.Net}, once: vectors}
			eps, bias, found, err := f.find(ctx, norms[side], used)
			if err != nil {
				return out, err
			}
			if found {
				out.Side = name
				out.Folded++
				if bias {
					out.Biases++
				}
				if !slices.Contains(out.Eps, eps) {
					out.Eps = append(out.Eps, eps)
				}
				break
			}
		}
	}
	slices.Sort(out.Eps)
	return out, nil
}

// once reads vectors, each once; nil where the budget does not allow it.
type once struct {
	p    *align.Pair
	held map[*roles.Vector][]float32
}

func (o *once) read(ctx context.Context, v *roles.Vector) (values []float32, err error) {
	if values, ok := o.held[v]; ok || !o.p.ReserveVectors(v, nil) {
		return values, nil
	}
	values, err = v.Read(ctx)
	o.held[v] = values
	return values, err
}

// fold is the search for the norm of one matrix.
type fold struct {
	scales RowScales
	side   int // that keeps the norm
	pair   align.MatrixPair
	nets   [2]*roles.Network
	*once
}

// find tries the norms of the layer's width that explain no other layer.
func (f *fold) find(ctx context.Context, norms []batchNorm, used map[*roles.Vector]bool) (eps float64, bias, found bool, err error) {
	for _, bn := range norms {
		if used[bn.gain] || bn.gain.Len != f.pair.B.Rows {
			continue
		}
		var values [4][]float32
		for i, v := range []*roles.Vector{bn.gain, bn.shift, bn.mean, bn.variance} {
			if values[i], err = f.read(ctx, v); err != nil || values[i] == nil {
				return 0, false, false, err
			}
		}
		for _, eps := range epsilons {
			if f.fits(values[0], values[3], eps) {
				used[bn.gain] = true
				bias, err := f.bias(ctx, values, eps)
				return eps, bias, true, err
			}
		}
	}
	return 0, false, false, nil
}

// fits tells whether every factor is γ/√(σ²+ε).
func (f *fold) fits(gain, variance []float32, eps float64) bool {
	for i, row := range f.scales.Rows {
		by := f.scales.By[i]
		if f.side == 1 {
			by = 1 / by
		}
		want := float64(gain[row]) / math.Sqrt(float64(variance[row])+eps)
		if !(math.Abs(by-want) <= foldedApart*math.Abs(want)) {
			return false
		}
	}
	return true
}

// bias tells whether a vector of the side that has no norm is the bias that folding
// gives; b is that of the layer before folding, if it has one.
func (f *fold) bias(ctx context.Context, norm [4][]float32, eps float64) (bool, error) {
	own, n := []*roles.Matrix{f.pair.A, f.pair.B}[f.side], len(norm[0])
	var before []float32
	if own.Bias != nil && own.Bias.Len == n {
		var err error
		if before, err = f.read(ctx, own.Bias); err != nil || before == nil {
			return false, err
		}
	}
	for _, v := range f.candidates(n) {
		got, err := f.read(ctx, v)
		if err != nil || got == nil {
			return false, err
		}
		if folds(got, before, norm, eps) {
			return true, nil
		}
	}
	return false, nil
}

// candidates are the biases of some length on the side without norms, the layer's own
// first.
func (f *fold) candidates(n int) (out []*roles.Vector) {
	if b := []*roles.Matrix{f.pair.B, f.pair.A}[f.side].Bias; b != nil && b.Len == n {
		return []*roles.Vector{b}
	}
	for _, v := range f.nets[1-f.side].Vectors {
		if v.Len == n {
			out = append(out, v)
		}
	}
	return out
}

// folds tells whether a bias is β + (b − μ)·γ/√(σ²+ε).
func folds(got, before []float32, norm [4][]float32, eps float64) bool {
	for i, v := range got {
		by := float64(norm[0][i]) / math.Sqrt(float64(norm[3][i])+eps)
		b := 0.0
		if before != nil {
			b = float64(before[i])
		}
		want := float64(norm[1][i]) + (b-float64(norm[2][i]))*by
		size := math.Abs(float64(norm[1][i])) + math.Abs(b*by) + math.Abs(float64(norm[2][i])*by)
		if !(math.Abs(float64(v)-want) <= foldedApart*size) {
			return false
		}
	}
	return true
}
