package report

import (
	"context"
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity"
)

// sampleRows is how many rows of each matrix SampleValues reads.
const sampleRows = 32

// Sampled holds values of all matrices of a model.
type Sampled struct {
	Shape  string      // equal for models whose values stand at the same places
	Values [][]float32 // by matrix
}

// SampleValues reads rows of every matrix at positions that depend on roles and
// shapes only, so that the values of two models of one shape stand side by
// side.
func SampleValues(ctx context.Context, in Input) (*Sampled, error) {
	p := similarity.NewPair(in.subject(), in.subject(), nil, 0)
	if _, err := p.AlignRotary(ctx); err != nil {
		return nil, err
	}
	out := &Sampled{}
	var names strings.Builder
	for _, m := range p.B.Net.Matrices() {
		rows := rng.New(nil, "sample of "+m.Role).Sample(m.Rows, sampleRows)
		x := make([]float32, len(rows)*m.Cols)
		if err := m.Gather(ctx, x, rows); err != nil {
			return nil, err
		}
		out.Values = append(out.Values, x)
		fmt.Fprintf(&names, "%s %d×%d\n", m.Role, m.Rows, m.Cols)
	}
	out.Shape = names.String()
	return out, nil
}
