package fingerprint

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Sketched says what a fingerprint with SketchOnly reads, in stored bytes by
// tensor, without reading any of it.
func Sketched(m tensor.Model) map[*tensor.Tensor]int64 {
	s := newShadow(m)
	n := roles.Map(s)
	reads := map[*tensor.Tensor]int64{}
	all, err := s.wanted(func() error { return wish(context.Background(), n) })
	if err != nil { // a shadow that notes wishes has no errors of its own
		return reads
	}
	for _, k := range all {
		reads[k.real] = k.wished()
	}
	return reads
}

// wish asks for all that sketches may need.
func wish(ctx context.Context, n *roles.Network) error {
	for _, a := range axes(n, currentVersion) {
		if err := a.read(ctx, make([]float32, len(a.units)*a.dim), a.units); err != nil {
			return err
		}
	}
	for _, p := range probes(n, currentVersion) {
		if !p.cheap() {
			continue
		}
		if err := p.alone(ctx); err != nil {
			return err
		}
		// Which rows of the up matrix are read the gate's values say: count as many.
		units := make([]int, p.n)
		for i := range units {
			units[i] = i
		}
		if err := p.up.Gather(ctx, make([]float32, p.n*p.up.Cols), units); err != nil {
			return err
		}
	}
	return nil
}

// wished is how many stored bytes hold the values that were asked for.
func (k *kept) wished() int64 {
	n := int64(0)
	for _, s := range joined(k.spans) {
		n += int64(s.length)
	}
	return int64(float64(k.StoredBytes()) / float64(max(1, k.real.Len())) * float64(n))
}
