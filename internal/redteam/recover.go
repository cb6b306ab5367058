package redteam

import (
	"context"
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
)

// Edit is a private change of rank one to a public matrix, of a size relative
// to the matrix.
type Edit struct {
	Rows, Cols int
	Base       []float64 // known to the attacker
	Delta      []float64 // what he wants
	left       []float64
}

// NewEdit draws a base and an edit.
func NewEdit(seed uint64, rows, cols int, relative float64) *Edit {
	r := rand.New(rand.NewPCG(seed, 77))
	e := &Edit{Rows: rows, Cols: cols, Base: normal(r, rows*cols, 0.05), left: normal(r, rows, 1)}
	e.Delta = outer(e.left, normal(r, cols, 1))
	scale := relative * norm(e.Base) / norm(e.Delta)
	for i := range e.Delta {
		e.Delta[i] *= scale
	}
	return e
}

func outer(u, v []float64) []float64 {
	out := make([]float64, 0, len(u)*len(v))
	for _, x := range u {
		for _, y := range v {
			out = append(out, x*y)
		}
	}
	return out
}

// model is a network whose gate matrix is base plus edit.
func (e *Edit) model(edited bool) *zoo.Model {
	m := zoo.Random(rand.New(rand.NewPCG(5, 5)), zoo.Shape{Layers: 1, Hidden: e.Cols, Width: e.Rows, Heads: 1, KVHeads: 1, HeadDim: e.Cols, Vocab: 8}, zoo.Quirks{})
	gate := m.Values("model.layers.0.mlp.gate_proj.weight")
	for i := range gate {
		gate[i] = float32(e.Base[i])
		if edited {
			gate[i] = float32(e.Base[i] + e.Delta[i])
		}
	}
	return m
}

// Error is how far an estimate is from the edit, relative to it, at the scale
// that suits the attacker best: √(1−cos²), 1 for knowing nothing.
func (e *Edit) Error(estimate []float64) float64 {
	n := norm(estimate) * norm(e.Delta)
	if n == 0 {
		return 1
	}
	c := dot(estimate, e.Delta) / n
	return math.Sqrt(math.Max(0, 1-c*c))
}

// RecoverSigns attacks sketches: signs of projections of centred units, bits of
// them for each unit. It is one-bit compressed sensing with the base as known
// offset: gradient steps on the squared violations of signs, each followed by
// the best approximation of rank one (iterative hard thresholding).
func (e *Edit) RecoverSigns(units []int, signs [][]bool, bits, steps int) []float64 {
	a := projections(publicSeed, e.Cols, bits)
	base := e.rowsOf(e.Base, units)
	found := make([]float64, len(base))
	size := 1 / math.Pow(math.Sqrt(float64(bits))+math.Sqrt(float64(e.Cols)), 2)
	for range steps {
		now := make([]float64, len(base))
		for i := range now {
			now[i] = base[i] + found[i]
		}
		centre(now, len(units), e.Cols)
		down := make([]float64, len(base))
		for i := range units {
			row := now[i*e.Cols : (i+1)*e.Cols]
			for b := range bits {
				seen := dot(a[b], row)
				if (seen > 0) == signs[i][b] {
					continue
				}
				for k := range row {
					down[i*e.Cols+k] -= seen * a[b][k]
				}
			}
		}
		centre(down, len(units), e.Cols)
		for i := range found {
			found[i] += size * down[i]
		}
		found = rankOne(found, len(units), e.Cols)
	}
	out := make([]float64, len(e.Delta))
	for i, u := range units {
		copy(out[u*e.Cols:], found[i*e.Cols:(i+1)*e.Cols])
	}
	return out
}

func (e *Edit) rowsOf(w []float64, units []int) []float64 {
	var out []float64
	for _, u := range units {
		out = append(out, w[u*e.Cols:(u+1)*e.Cols]...)
	}
	return out
}

// centre takes away the mean of every unit and of every feature.
func centre(x []float64, n, d int) {
	for i := range n {
		mean := 0.0
		for _, v := range x[i*d : (i+1)*d] {
			mean += v / float64(d)
		}
		for k := range d {
			x[i*d+k] -= mean
		}
	}
	for k := range d {
		mean := 0.0
		for i := range n {
			mean += x[i*d+k] / float64(n)
		}
		for i := range n {
			x[i*d+k] -= mean
		}
	}
}

// rankOne is the best approximation of rank one, by power iteration.
func rankOne(x []float64, n, d int) []float64 {
	v := make([]float64, d)
	for k := range v {
		v[k] = 1 + float64(k%7)
	}
	u := make([]float64, n)
	for range 30 {
		for i := range u {
			u[i] = dot(x[i*d:(i+1)*d], v)
		}
		clear(v)
		for i := range u {
			for k := range v {
				v[k] += u[i] * x[i*d+k]
			}
		}
		size := norm(v)
		if size == 0 {
			return make([]float64, len(x))
		}
		for k := range v {
			v[k] /= size
		}
	}
	for i := range u {
		u[i] = dot(x[i*d:(i+1)*d], v)
	}
	return outer(u, v)
}

// Published reads what a fingerprint publishes of the edited matrix: no units
// where it has no sketch.
func (e *Edit) Published(ctx context.Context) (units []int, signs [][]bool, err error) {
	f, err := fingerprint.Compute(ctx, e.model(true), &fingerprint.Options{SketchOnly: true})
	if err != nil {
		return nil, nil, err
	}
	for i := range f.Sketches {
		s := &f.Sketches[i]
		if s.Axis != "main.layers.0.mlp" {
			continue
		}
		for u := range s.Units {
			row := make([]bool, fingerprint.SketchBits)
			for b := range row {
				row[b] = s.Words[u*fingerprint.SketchBits/64+b/64]>>(b%64)&1 == 1
			}
			signs = append(signs, row)
		}
		return s.Units, signs, nil
	}
	return nil, nil, nil
}

// Signs are what sketching with more bits, and of more units, would publish.
func (e *Edit) Signs(units []int, bits int) [][]bool {
	w := e.rowsOf(e.Base, units)
	for i, v := range e.rowsOf(e.Delta, units) {
		w[i] += v
	}
	centre(w, len(units), e.Cols)
	a := projections(publicSeed, e.Cols, bits)
	out := make([][]bool, len(units))
	for i := range out {
		out[i] = make([]bool, bits)
		for b := range a {
			out[i][b] = dot(a[b], w[i*e.Cols:(i+1)*e.Cols]) > 0
		}
	}
	return out
}
