package lineage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/rng"
)

// So many values are kept of all models together, and of each at most as many as a
// small model has in all; but not fewer than leastRows rows of each matrix.
const (
	leastRows   = 24
	wholeValues = 1 << 22
	keptValues  = 1 << 26
)

// framed is how many rows of each matrix stand at places that follow from its kind and
// shape alone: by these, layers of one model are held against any of another's.
const framed = 8

// sampled holds values of all matrices of a model.
type sampled struct {
	Shape   string      // equal for models whose values stand at the same places
	Slots   []slot      // by matrix
	Values  [][]float32 // by matrix, the framed rows first
	Weights []float64   // by matrix: for how many of its values a sampled one stands
}

// slot is where a matrix stands in its network.
type slot struct {
	layer      string // "" of those outside of layers
	kind       string // what it does in its layer, and its shape
	rows, cols int
}

// slotOf takes the layer out of a role such as "layers.3.mlp.gate".
func slotOf(m *roles.Matrix) slot {
	p := slot{kind: m.Role, rows: m.Rows, cols: m.Cols}
	if tower, rest, ok := strings.Cut(m.Role, "layers."); ok {
		number, what, _ := strings.Cut(rest, ".")
		p.layer, p.kind = tower+"layers."+number, tower+"layers."+what
	}
	p.kind = fmt.Sprintf("%s %d×%d", p.kind, m.Rows, m.Cols)
	return p
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
		at := slotOf(m)
		rows := sampledRows(at.kind, m.Role, m.Rows, max(leastRows, int(share*float64(m.Rows))))
		x := make([]float32, len(rows)*m.Cols)
		if err := m.Gather(ctx, x, rows); err != nil {
			return nil, err
		}
		out.Slots = append(out.Slots, at)
		out.Values = append(out.Values, x)
		out.Weights = append(out.Weights, float64(m.Rows)/float64(len(rows)))
		fmt.Fprintf(&names, "%s %d×%d\n", m.Role, m.Rows, m.Cols)
	}
	out.Shape = names.String()
	return out, nil
}

// sampledRows are those of a matrix that are read, those of its kind first.
func sampledRows(kind, role string, rows, most int) []int {
	out := rng.New(nil, "frame of "+kind).Sample(rows, framed)
	first := len(out)
	for _, r := range rng.New(nil, "sample of "+role).Sample(rows, most) {
		if !slices.Contains(out[:first], r) {
			out = append(out, r)
		}
	}
	return out
}
