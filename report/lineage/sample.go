package lineage

import (
	"context"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Whole models of so many values are read, and of larger ones a share of the
// rows of each matrix, but not fewer than leastRows.
const (
	leastRows   = 32
	wholeValues = 1 << 22
)

// sampled holds values of all matrices of a model.
type sampled struct {
	Shape   string      // equal for models whose values stand at the same places
	Values  [][]float32 // by matrix
	Weights []float64   // by matrix: for how many of its values a sampled one stands
}

// sampleValues reads rows of every matrix at positions that depend on roles and
// shapes only, so that the values of two models of one shape stand side by
// side.
func sampleValues(ctx context.Context, in report.Input) (*sampled, error) {
	p := align.NewPair(in.Subject(), in.Subject(), nil, align.NoLimit)
	if _, err := layers.AlignRotary(ctx, p); err != nil {
		return nil, err
	}
	out := &sampled{}
	var names strings.Builder
	all := p.B.Net.Matrices()
	total := 0
	for _, m := range all {
		total += m.Rows * m.Cols
	}
	share := min(1, float64(wholeValues)/float64(max(1, total)))
	for _, m := range all {
		rows := rng.New(nil, "sample of "+m.Role).Sample(m.Rows, max(leastRows, int(share*float64(m.Rows))))
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
