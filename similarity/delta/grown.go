package delta

import (
	"context"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Limits of what Repeats looks at and concludes.
const (
	repeatRows  = 1024 // rows that are read at most
	twinCosine  = 0.9  // of rows that were copied; trained ones are never so alike
	fewestTwins = 3    // of single rows: one pair may be two dead units
)

// Repeats tells whether units of m, each of so many consecutive rows, stand in
// it more than once, as when a network was widened by copying units or when
// heads that shared keys were given each their own. Of n units, a share s of
// them copies, a sample of k holds about s·k²/n pairs.
func Repeats(ctx context.Context, m *roles.Matrix, rows int, seed []byte) (bool, error) {
	n, d := m.Rows/rows, rows*m.Cols
	if n < 2 {
		return false, nil
	}
	units := rng.New(seed, "repeated units of "+m.Role).Sample(n, max(2, repeatRows/rows))
	var at []int
	for _, u := range units {
		for r := range rows {
			at = append(at, u*rows+r)
		}
	}
	x := make([]float32, len(at)*m.Cols)
	if err := m.Gather(ctx, x, at); err != nil {
		return false, err
	}
	normalise(x, d)
	g := make([]float32, len(units)*len(units))
	dense.MulNT(g, x, x, len(units), len(units), d)
	twins, fewest := 0, fewestTwins
	if rows > 1 {
		fewest = 1
	}
	for i := range units {
		for j := range i {
			if g[i*len(units)+j] > twinCosine {
				twins++
			}
		}
	}
	return twins >= fewest, nil
}

// RepeatsCost is how many bytes Repeats reads of m.
func RepeatsCost(m *roles.Matrix) int64 { return m.Cost(min(m.Rows, repeatRows)) }

// untrainedRows is how many rows of a matrix Untrained reads.
const untrainedRows = 128

// UntrainedCost is how many bytes Untrained reads of a matrix.
func UntrainedCost(m *roles.Matrix) int64 { return m.Cost(min(m.Rows, untrainedRows)) }

// Untrained tells whether a matrix holds nothing that training left where
// another one in the same role does: it is zero, or its rows are as independent
// as noise while those of the other are not.
func Untrained(ctx context.Context, m, other *roles.Matrix, seed []byte) (bool, error) {
	x, err := untrained(ctx, m, seed)
	if err != nil {
		return false, err
	}
	o, err := untrained(ctx, other, seed)
	if err != nil || rms(o.deviation) == 0 {
		return false, err
	}
	n := min(x.rows, o.rows)
	return rms(x.deviation) == 0 || x.likeness(n) < sigmas && o.likeness(n) > 4*sigmas, nil
}

// Structured tells whether the rows of a matrix have more in common than noise
// has, as training leaves them.
func Structured(ctx context.Context, m *roles.Matrix, seed []byte) (bool, error) {
	x, err := untrained(ctx, m, seed)
	if err != nil {
		return false, err
	}
	return rms(x.deviation) > 0 && x.likeness(x.rows) >= sigmas, nil
}

func untrained(ctx context.Context, m *roles.Matrix, seed []byte) (*profile, error) {
	return profileOf(ctx, m, rng.New(seed, "untrained "+m.Role).Sample(m.Rows, untrainedRows))
}
