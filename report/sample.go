package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// SampleValues reads whole models of so many values, and of larger ones a share
// of the rows of each matrix, but not fewer than sampleRows.
const (
	sampleRows   = 32
	sampleValues = 1 << 22
)

// Sampled holds values of all matrices of a model.
type Sampled struct {
	Shape   string      // equal for models whose values stand at the same places
	Values  [][]float32 // by matrix
	Weights []float64   // by matrix: for how many of its values a sampled one stands
}

// SampleValues reads rows of every matrix at positions that depend on roles and
// shapes only, so that the values of two models of one shape stand side by
// side.
func SampleValues(ctx context.Context, in Input) (*Sampled, error) {
	p := align.NewPair(in.subject(), in.subject(), nil, 0)
	if _, err := layers.AlignRotary(ctx, p); err != nil {
		return nil, err
	}
	out := &Sampled{}
	var names strings.Builder
	all := p.B.Net.Matrices()
	total := 0
	for _, m := range all {
		total += m.Rows * m.Cols
	}
	share := min(1, float64(sampleValues)/float64(max(1, total)))
	for _, m := range all {
		rows := rng.New(nil, "sample of "+m.Role).Sample(m.Rows, max(sampleRows, int(share*float64(m.Rows))))
		x := make([]float32, len(rows)*m.Cols)
		if err := m.Gather(ctx, x, rows); err != nil {
			return nil, err
		}
		out.Values = append(out.Values, x)
		out.Weights = append(out.Weights, float64(m.Rows)/float64(len(rows)))
		fmt.Fprintf(&names, "%s %d×%d\n", m.Role, m.Rows, m.Cols)
	}
	out.Shape = names.String()
	return out, nil
}
