package report_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

// places is how many places the data of the graph networks come from.
const places = 207

// road is how near places are to each other, the rows' sums made the same or not; it is
// published, and every network that reads data of these places holds it.
func road(stochastic bool) []float32 {
	r := rand.New(rand.NewPCG(1, 0x60ad))
	var x, y [places]float64
	for i := range x {
		x[i], y[i] = r.NormFloat64(), r.NormFloat64()
	}
	out := make([]float32, 0, places*places)
	for i := range x {
		row, sum := [places]float64{}, 0.0
		for j := range x {
			row[j] = math.Exp(-4 * ((x[i]-x[j])*(x[i]-x[j]) + (y[i]-y[j])*(y[i]-y[j])))
			sum += row[j]
		}
		for _, v := range row {
			if stochastic {
				v *= 14 / sum
			}
			out = append(out, float32(v))
		}
	}
	return out
}

// onGraph is a network of so many blocks, each with what tells the places' nearness, and
// weights of its own.
func onGraph(r *rand.Rand, blocks int, graph func(block int) []float32) (out []tensorOf) {
	for b := range blocks {
		in := int64(64)
		if b == 0 {
			in = 2
		}
		out = append(out,
			tensorOf{fmt.Sprintf("blocks.%d.graph.weight", b), []int64{places, places}, graph(b)},
			tensorOf{fmt.Sprintf("blocks.%d.theta.weight", b), []int64{64, in}, normals(r, 64, in)},
			tensorOf{fmt.Sprintf("blocks.%d.theta.bias", b), []int64{64}, normals(r, 64)})
	}
	return append(out, tensorOf{"out.weight", []int64{12, 64}, normals(r, 12, 64)})
}

// What strangers share because their data come from the same places, or because they hold
// one published basis, makes no relation: a matrix of one sign, a symmetric one, or one
// matrix in every block, as it is published or nearly so.
func TestPublicTablesMakeNoRelation(t *testing.T) {
	signed := make([]float32, 0, places*places) // a symmetric matrix of both signs
	for i, v := range road(false) {
		signed = append(signed, v-0.2*float32(math.Cos(float64(i/places-i%places))))
	}
	basis := normals(rand.New(rand.NewPCG(2, 0x60ad)), places, places)
	for name, table := range map[string][]float32{"similarities": road(false), "walks": road(true), "symmetric": signed, "one basis": basis} {
		for _, c := range []float64{1, 0.999} {
			for _, blocks := range []int{1, 2, 3, 6} {
				of := func(seed uint64) []tensorOf {
					r := rand.New(rand.NewPCG(seed, 0x60ae))
					return onGraph(r, blocks, func(int) []float32 {
						if c == 1 {
							return table
						}
						return trainedOn(r, []tensorOf{{"", []int64{places, places}, scaled(table)}}, c)[0].values
					})
				}
				v := verdictOf(t, stored(of(3)), stored(of(4)))
				require.NotEqual(t, verdict.Related, v.Relation, "%s, %v, %d blocks: %v", name, c, blocks, v.Because)
			}
		}
	}
}

// scaled gives values a mean square of one, as normals have.
func scaled(x []float32) []float32 {
	sum := 0.0
	for _, v := range x {
		sum += float64(v * v)
	}
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = v * float32(math.Sqrt(float64(len(x))/sum))
	}
	return out
}

// Two matrices that both hold, of which neither repeats the other, are a part that was taken
// over, and the report says how much of each network it is.
func TestPartTakenOverIsMeasured(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0x60ad))
	part := [][]float32{normals(r, places, places), normals(r, places, places)}
	of := func(seed uint64) []tensorOf {
		r := rand.New(rand.NewPCG(seed, 0x60ae))
		return onGraph(r, 3, func(b int) []float32 {
			if b < len(part) {
				return part[b]
			}
			return normals(r, places, places)
		})
	}
	v := verdictOf(t, stored(of(3)), stored(of(4)))
	require.Equal(t, verdict.Related, v.Relation, v.Because)
	require.Contains(t, v.Because, "2 matrices that look trained hold the same values on both sides, 62 % of A's values and 62 % of B's")
}
