package lineage

import (
	"context"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/rng"
)

// So many values are kept of all models together, and of each at most as many as a
// small model has in all; but not fewer than leastRows rows of each matrix.
const (
	leastRows   = 32
	wholeValues = 1 << 22
	keptValues  = 1 << 26
)

// sampled holds values of all matrices of a model.
type sampled struct {
	Shape   string      // equal for models whose values stand at the same places
	Values  [][]float32 // by matrix
	Weights []float64   // by matrix: for how many of its values a sampled one stands
}

// sampleValues reads rows of every matrix, about so many values, at positions that
// depend on roles and shapes only, so that the values of two models of one shape stand
// side by side.
func sampleValues(ctx context.Context, net *roles.Network, most int) (*sampled, error) {
	out := &sampled{}
	var names strings.Builder
	all := net.Matrices()
	total := 0
	for _, m := range all {
		total += m.Rows * m.Cols
	}
	share := min(1, float64(most)/float64(max(1, total)))
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
