package packed

import (
	"context"

	"github.com/weightprint/weightprint/formats/tensor"
)

// change is ΔW before it is scaled.
type change interface {
	// size is outputs × inputs.
	size() (rows, cols int64)
	// add writes rows [r, r+n) of ΔW.
	add(ctx context.Context, dst []float64, r, n int64) error
	// turned is ΔWᵀ.
	turned() change
	rank() int
}

// factor is a matrix of an adapter, perhaps read as its transpose.
type factor struct {
	t    *tensor.Tensor
	flip bool
}

func (f factor) size() (rows, cols int64) {
	rows, cols = matrixOf(f.t)
	if f.flip {
		return cols, rows
	}
	return rows, cols
}

// read returns rows [r, r+n).
func (f factor) read(ctx context.Context, r, n int64) ([]float32, error) {
	rows, cols := f.size()
	if !f.flip {
		out := make([]float32, n*cols)
		return out, f.t.Data.ReadValues(ctx, out, r*cols)
	}
	all := make([]float32, rows*cols)
	if err := f.t.Data.ReadValues(ctx, all, 0); err != nil {
		return nil, err
	}
	out := make([]float32, n*cols)
	for i := range n {
		for j := range cols {
			out[i*cols+j] = all[j*rows+r+i]
		}
	}
	return out, nil
}

// product is B·A.
type product struct{ b, a factor }

func (p product) size() (rows, cols int64) {
	rows, _ = p.b.size()
	_, cols = p.a.size()
	return rows, cols
}

func (p product) rank() int { r, _ := p.a.size(); return int(r) }

func (p product) turned() change {
	return product{factor{p.a.t, !p.a.flip}, factor{p.b.t, !p.b.flip}}
}

func (p product) add(ctx context.Context, dst []float64, r, n int64) error {
	k, cols := p.a.size()
	a, err := p.a.read(ctx, 0, k)
	if err != nil {
		return err
	}
	b, err := p.b.read(ctx, r, n)
	if err != nil {
		return err
	}
	clear(dst)
	for i := range n {
		line := dst[i*cols : (i+1)*cols]
		for x := range k {
			w := float64(b[i*k+x])
			for j, v := range a[x*cols : (x+1)*cols] {
				line[j] += float64(w * float64(v)) // exact product of two float32
			}
		}
	}
	return nil
}

// hadamard is (B₁·A₁) ∘ (B₂·A₂): LoHa.
type hadamard struct{ x, y change }

func (h hadamard) size() (rows, cols int64) { return h.x.size() }
func (h hadamard) rank() int                { return h.x.rank() }
func (h hadamard) turned() change           { return hadamard{h.x.turned(), h.y.turned()} }

func (h hadamard) add(ctx context.Context, dst []float64, r, n int64) error {
	if err := h.x.add(ctx, dst, r, n); err != nil {
		return err
	}
	other := make([]float64, len(dst))
	if err := h.y.add(ctx, other, r, n); err != nil {
		return err
	}
	for i, v := range other {
		dst[i] = float64(dst[i] * v)
	}
	return nil
}

// kronecker is w1 ⊗ w2: LoKr.
type kronecker struct{ x, y change }

func (k kronecker) size() (rows, cols int64) {
	r1, c1 := k.x.size()
	r2, c2 := k.y.size()
	return r1 * r2, c1 * c2
}

// rank is that of whichever factor is a product of low rank; 0 if none is.
func (k kronecker) rank() int      { return max(k.x.rank(), k.y.rank()) }
func (k kronecker) turned() change { return kronecker{k.x.turned(), k.y.turned()} }

func (k kronecker) add(ctx context.Context, dst []float64, r, n int64) error {
	r1, c1 := k.x.size()
	r2, c2 := k.y.size()
	x, y := make([]float64, r1*c1), make([]float64, r2*c2)
	if err := k.x.add(ctx, x, 0, r1); err != nil {
		return err
	}
	if err := k.y.add(ctx, y, 0, r2); err != nil {
		return err
	}
	for i := range n {
		row := r + i
		line := dst[i*c1*c2:]
		for a := range c1 {
			w := x[row/r2*c1+a]
			for b := range c2 {
				line[a*c2+b] = float64(w * y[row%r2*c2+b])
			}
		}
	}
	return nil
}

// plain is a matrix as it is stored.
type plain struct{ f factor }

func (p plain) size() (rows, cols int64) { return p.f.size() }
func (p plain) rank() int                { return 0 }
func (p plain) turned() change           { return plain{factor{p.f.t, !p.f.flip}} }

func (p plain) add(ctx context.Context, dst []float64, r, n int64) error {
	v, err := p.f.read(ctx, r, n)
	for i, x := range v {
		dst[i] = float64(x)
	}
	return err
}
