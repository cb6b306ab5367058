package faithful

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/faithful"
)

// leftOver holds the tensors that have no role, such as buffers, against those of the
// same name: a file is not faithful for what nobody looked at.
func (r *Report) leftOver(ctx context.Context, quantised, source tensor.Model, o *Options) error {
	seen := map[string]bool{}
	for _, t := range r.Tensors {
		seen[t.Name] = true
	}
	for _, n := range append(slices.Clone(r.Unpaired), r.Computed...) {
		seen[n] = true
	}
	for _, t := range quantised.Tensors() {
		if seen[t.Name] || t.Len() == 0 {
			continue
		}
		switch follows, err := computedTable(ctx, t, source.Metadata()); {
		case err != nil:
			return err
		case follows:
			r.Computed = append(r.Computed, t.Name)
			continue
		}
		s, ok := source.Tensor(t.Name)
		if !ok || s.Len() != t.Len() || t.Len() > mostLeftOver {
			r.Unpaired = append(r.Unpaired, t.Name)
			continue
		}
		a, b := make([]float32, s.Len()), make([]float32, t.Len())
		if err := s.Data.ReadValues(ctx, a, 0); err != nil {
			return err
		}
		if err := t.Data.ReadValues(ctx, b, 0); err != nil {
			return err
		}
		r.add(faithful.Vector(t.DType.String(), b, a, t.DType.Rounding(), s.DType.Rounding(), faithful.Options{Named: o.Named}), "", t, s)
	}
	return nil
}

// mostLeftOver bounds what is held of a tensor without a role: buffers are small.
const mostLeftOver = 1 << 24
