package axis

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// judged runs the guards over views of one side, as reading an axis does, and
// returns why the axis has no p-value, or "".
func judged(n, d int, views ...[]float32) string {
	x, side := Axis{}, Side{Units: make([]int, n), Eligible: allTrue(n)}
	for _, raw := range views {
		eligible(raw, n, d, side.Eligible)
	}
	var all []Rows
	for _, raw := range views {
		s := Rows{Raw: raw, N: n, Dim: d}
		s.Centre(side.Eligible)
		all = append(all, s)
	}
	for _, s := range all {
		x.check(s, side, gramOf(s.Unit, s.N, s.Dim, side.Eligible), "A")
	}
	return x.Skipped
}

// gaussian draws n rows of d.
func gaussian(r *rand.Rand, n, d int) []float32 {
	x := make([]float32, n*d)
	for i := range x {
		x[i] = float32(r.NormFloat64())
	}
	return x
}

// defects are sets of 64 rows of 80 that must give no p-value, each for a
// reason of its own.
var defects = []struct {
	name, why string
	spoil     func(r *rand.Rand, row []float32, i int)
}{
	{"constant rows", "fewer than 16 units", func(_ *rand.Rand, row []float32, i int) {
		for k := range row {
			row[k] = float32(i)
		}
	}},
	{"rows of an identity", "fewer than 16 units", func(_ *rand.Rand, row []float32, i int) { clear(row); row[i] = 1 }},
	{"all but 15 not a number", "fewer than 16 units", func(_ *rand.Rand, row []float32, i int) {
		if i >= 15 {
			row[7] = float32(math.NaN())
		}
	}},
	{"all but 15 infinite", "fewer than 16 units", func(_ *rand.Rand, row []float32, i int) {
		if i >= 15 {
			row[7] = float32(math.Inf(-1))
		}
	}},
	{"every row twice", "fewer than 16 units", func(_ *rand.Rand, row []float32, i int) {
		copy(row, gaussian(rand.New(rand.NewPCG(uint64(i/2), 3)), 1, len(row)))
	}},
	{"five directions", "effective rank", func(r *rand.Rand, row []float32, _ int) {
		few := gaussian(rand.New(rand.NewPCG(1, 2)), 5, len(row))
		clear(row)
		for j := range 5 {
			c := float32(r.NormFloat64())
			for k := range row {
				row[k] += c * few[j*len(row)+k]
			}
		}
	}},
	{"a cosine transform in random order", "orthogonal basis", func(_ *rand.Rand, row []float32, i int) {
		order := rand.New(rand.NewPCG(5, 5)).Perm(len(row) - 1)
		for k := range row {
			row[k] = float32(math.Cos(math.Pi / float64(len(row)) * (float64(k) + 0.5) * float64(1+order[i])))
		}
	}},
	{"sorted by length", "length of the units follows", func(_ *rand.Rand, row []float32, i int) {
		for k := range row {
			row[k] *= 1 + float32(i)/40
		}
	}},
	{"lengths in blocks", "alike in length", func(_ *rand.Rand, row []float32, i int) {
		for k := range row {
			row[k] *= 1 + float32(i/8%2)
		}
	}},
	{"means that rise", "mean of the units follows", func(_ *rand.Rand, row []float32, i int) {
		shift(row, float32(i-32)/64)
	}},
	{"means in blocks", "alike in mean", func(_ *rand.Rand, row []float32, i int) {
		shift(row, float32(i/8%2)-0.5)
	}},
	{"filters of rising frequency", "sign changes", func(r *rand.Rand, row []float32, i int) {
		phase := r.Float64() * 9
		for k := range row {
			row[k] = 0.3*row[k] + float32(math.Sin(float64(k)*(0.2+float64(i)/30)+phase))
		}
		scaleTo(row, 1)
		shift(row, float32(0.001*r.NormFloat64())-meanOf(row))
	}},
	{"a diagonal", "largest feature", func(_ *rand.Rand, row []float32, i int) {
		row[i+4] += 12
		shift(row, -meanOf(row))
	}},
	{"a walk", "resemble one another", func(r *rand.Rand, row []float32, i int) {
		next := gaussian(rand.New(rand.NewPCG(uint64(i+1), 8)), 1, len(row))
		copy(row, gaussian(rand.New(rand.NewPCG(uint64(i), 8)), 1, len(row)))
		for k := range row {
			row[k] += next[k]
		}
		shift(row, float32(0.001*r.NormFloat64())-meanOf(row))
		scaleTo(row, 1+0.001*r.NormFloat64())
	}},
}

func shift(row []float32, by float32) {
	for k := range row {
		row[k] += by
	}
}

func meanOf(row []float32) (m float32) {
	for _, v := range row {
		m += v / float32(len(row))
	}
	return m
}

func scaleTo(row []float32, length float64) {
	ss := 0.0
	for _, v := range row {
		ss += float64(v) * float64(v)
	}
	for k := range row {
		row[k] *= float32(length / math.Sqrt(ss))
	}
}

func TestEveryGuardFires(t *testing.T) {
	const n, d = 64, 80
	for _, c := range defects {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(11, 1))
			x := gaussian(r, n, d)
			require.Empty(t, judged(n, d, x), "before it is spoilt")
			for i := range n {
				c.spoil(r, x[i*d:(i+1)*d], i)
			}
			require.Contains(t, judged(n, d, x), c.why)
		})
	}
	require.Contains(t, judged(15, d, gaussian(rand.New(rand.NewPCG(1, 1)), 15, d)), "fewer than 16 units")
	require.Empty(t, judged(16, d, gaussian(rand.New(rand.NewPCG(1, 1)), 16, d)))
}

// Rows that are left out are left out alone.
func TestEligible(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 1))
	const n, d = 20, 24
	x, ok := gaussian(r, n, d), allTrue(n)
	copy(x[3*d:4*d], x[9*d:10*d])                    // a copy: neither can be told from the other
	clear(x[5*d : 6*d])                              // zero
	clear(x[6*d : 7*d])                              // seven values other than a constant
	copy(x[6*d:6*d+7], x[:7])                        //
	x[7*d+2] = float32(math.NaN())                   //
	copy(x[11*d:12*d], x[12*d:13*d])                 // nearly a copy is none
	x[11*d] = math.Nextafter32(x[11*d], float32(99)) //
	eligible(x, n, d, ok)
	for i, got := range ok {
		require.Equal(t, i != 3 && i != 9 && i != 5 && i != 6 && i != 7, got, "row %d", i)
	}
}

// Clean axes of three views are stopped no more often than is paid for, with
// whatever spread their rows and columns have.
func TestGuardsPassCleanAxes(t *testing.T) {
	const n, d = 48, 24
	for _, c := range []struct {
		name string
		axes int
		draw func(r *rand.Rand) float64
	}{
		{"gaussian", 2000, (*rand.Rand).NormFloat64},
		{"heavy tails and few levels", 500, func(r *rand.Rand) float64 { return math.Round(math.Exp(r.NormFloat64()) * r.NormFloat64() * 4) }},
	} {
		stopped, axes := 0, c.axes
		if testing.Short() {
			axes /= 5
		}
		for i := range axes {
			r := rand.New(rand.NewPCG(uint64(i), 21))
			var views [][]float32
			for range 3 {
				x := gaussian(r, n, d)
				for k := range x {
					x[k] = float32(c.draw(r))
				}
				views = append(views, x)
			}
			if judged(n, d, views...) != "" {
				stopped++
			}
		}
		m := float64(axes)
		t.Logf("%s: %d of %d stopped", c.name, stopped, axes)
		require.LessOrEqual(t, float64(stopped), m*OrderCheckLoss+2.58*math.Sqrt(m*OrderCheckLoss*(1-OrderCheckLoss)), c.name)
	}
}

// Twins are rows of the same bits, also among many that differ in one value only.
func TestTwinsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for range 50 {
		n, d := 40, 17+r.IntN(60)
		x := make([]float32, n*d)
		for i := range n {
			for k := range d {
				x[i*d+k] = float32(k % 13)
			}
			x[i*d+r.IntN(d)] = float32(r.IntN(3)) // many rows are alike, some are the same
		}
		want := allTrue(n)
		for i := range n {
			for j := range i {
				if slices.Equal(x[i*d:(i+1)*d], x[j*d:(j+1)*d]) {
					want[i], want[j] = false, false
				}
			}
		}
		ok := allTrue(n)
		eligible(x, n, d, ok)
		require.Equal(t, want, ok)
	}
}
