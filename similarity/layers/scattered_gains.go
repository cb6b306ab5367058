package layers

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/linalg"
)

func gainsOf(ctx context.Context, all []*roles.Vector) (out [][]float64, err error) {
	for _, v := range all {
		values, err := v.Read(ctx)
		if err != nil {
			return nil, err
		}
		logs := make([]float64, len(values))
		for k, x := range values {
			logs[k] = math.Log(math.Abs(float64(x)) + math.SmallestNonzeroFloat32)
		}
		out = append(out, logs)
	}
	return out, nil
}

// evener is how many times more even gains must leave the columns behind them to be taken
// for theirs.
const evener = 4

// norms gives each layer the gains under which the columns behind them are most nearly
// of one length, if these are far more even so: gains that somebody drew and divided out
// are told by it. Others make little difference, and are not told.
func norms(found []roles.Gathered, reads []scatteredRows, gains [][]float64) {
	if len(gains) < len(found) {
		return
	}
	score := make([]float64, len(found)*len(gains))
	for l, g := range found {
		x, y := reads[g.Gate].columns, reads[g.Up].columns
		for v, gain := range gains {
			score[l*len(gains)+v] = finite(-uneven(x, gain) - uneven(y, gain))
		}
	}
	for l, v := range linalg.Assign(score, len(found), len(gains)) {
		before := finite(spread(reads[found[l].Gate].columns) + spread(reads[found[l].Up].columns))
		if -score[l*len(gains)+v]*evener < before {
			found[l].Norm = v
		}
	}
}

// uneven is the variance of the logarithms of columns' lengths under gains.
func uneven(columns, gain []float64) float64 {
	under := slices.Clone(columns)
	for k, g := range gain {
		under[k] += g
	}
	return spread(under)
}

// spread is the variance of some numbers.
func spread(x []float64) float64 {
	sum, square, n := 0.0, 0.0, float64(len(x))
	for _, y := range x {
		sum, square = sum+y, square+float64(y*y)
	}
	return square/n - float64(sum/n*(sum/n))
}
