package faithful

import (
	"context"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/linalg"
	"github.com/weightprint/weightprint/internal/quant"
)

// One importance serves all rows of a tensor. A scale that was fitted with weights to
// values and their codes says something about the weights: what is left over, weighed,
// sums to nothing, Σ wⱼmⱼlⱼ(xⱼ − d·lⱼ) = 0, up to the rounding of the scale. A run of 32
// columns has 32 importances and one such equation, or two, in each row. So hundreds of
// rows determine the importances from the file alone, and a row whose scale does not
// follow from them was not quantised together with the others.

// equation is one that the importances w of a run satisfy: |Σ aⱼwⱼ| ≤ Σ sⱼwⱼ.
type equation struct{ a, s []float64 }

// left is what importances leave of an equation, in roundings of the scale.
func (e *equation) left(w []float64) float64 {
	r := e.rounding(w)
	if r == 0 {
		return 0
	}
	return dot64(e.a, w) / r
}

func (e *equation) rounding(w []float64) float64 { return dot64(e.s, w) }

func dot64(x, y []float64) (sum float64) {
	for i, v := range x {
		sum += float64(v * y[i])
	}
	return sum
}

// sumLoss is what sums of 32 numbers in float32 lose at most, relatively.
const sumLoss = 32 * 0x1p-24

// equations gives those of a block of values x that decodes to v, none where its scale is
// none that weights were fitted with; square is the mean square of the row.
type equations func(x, v []float32, block []byte, square float32) []equation

// fitted holds the types whose scales are stored as they were fitted, but for half precision.
var fitted = map[string]equations{
	"Q4_0": signedEquations("Q4_0"), "Q5_0": signedEquations("Q5_0"),
	"Q4_1": lineEquations("Q4_1"), "Q5_1": lineEquations("Q5_1"),
}

// signedEquations serves codes without a minimum: d·Σ wl² = Σ wlx.
func signedEquations(name string) equations {
	return func(x, v []float32, block []byte, square float32) []equation {
		s := quant.Subs[name](block)[0]
		if s.Scale == 0 || !finite(s.Scale) {
			return nil
		}
		d, l, m := float64(s.Scale), places(s, v), weightsOf(x, square)
		half := halfUlp(s.Scale)
		e := equation{make([]float64, len(x)), make([]float64, len(x))}
		for j, y := range x {
			e.a[j] = m[j] * l[j] * (float64(y) - d*l[j])
			e.s[j] = m[j] * (half*l[j]*l[j] + sumLoss*math.Abs(l[j])*(math.Abs(float64(y))+math.Abs(d*l[j])))
		}
		return []equation{e}
	}
}

// lineEquations serves codes with a minimum: the two normal equations of a line, one
// where the minimum is held at zero. The plain choice is taken without any weights.
func lineEquations(name string) equations {
	top := map[string]float32{"Q4_1": 15, "Q5_1": 31}[name]
	return func(x, v []float32, block []byte, square float32) []equation {
		s := quant.Subs[name](block)[0]
		if s.Scale == 0 || !finite(s.Scale) || !finite(s.Offset) {
			return nil
		}
		lo, hi := min(0, slices.Min(x)), slices.Max(x)
		d, b := float64(s.Scale), float64(s.Offset)
		if math.Abs(d-float64((hi-lo)/top)) <= 2*halfUlp(s.Scale) && math.Abs(b-float64(lo)) <= 2*halfUlp(s.Offset) {
			return nil
		}
		l, m := places(s, v), weightsOf(x, square)
		scaleHalf, lowHalf := halfUlp(s.Scale), halfUlp(s.Offset)
		slope, level := equation{make([]float64, len(x)), make([]float64, len(x))}, equation{make([]float64, len(x)), make([]float64, len(x))}
		for j, y := range x {
			off := float64(y) - d*l[j] - b
			room := scaleHalf*l[j] + lowHalf + sumLoss*(math.Abs(float64(y))+math.Abs(d*l[j])+math.Abs(b))
			slope.a[j], slope.s[j] = m[j]*l[j]*off, m[j]*l[j]*room
			level.a[j], level.s[j] = m[j]*off, m[j]*room
		}
		if b == 0 {
			return []equation{slope}
		}
		return []equation{slope, level}
	}
}

// weightsOf are the weights of values beside their importance.
func weightsOf(x []float32, square float32) []float64 {
	m := make([]float64, len(x))
	for j, v := range x {
		m[j] = math.Sqrt(float64(square) + float64(v)*float64(v))
	}
	return m
}

// halfUlp is half of the last place of a number in half precision.
func halfUlp(v float32) float64 {
	_, e := math.Frexp(math.Abs(float64(v)))
	return math.Ldexp(1, max(e-12, -25))
}

// squareOf is the mean square of a row, as the quantiser takes it.
func squareOf(x []float32) float32 {
	var sum float32
	for _, v := range x {
		sum += float32(v * v)
	}
	return sum / float32(len(x))
}

// shared is the importance of a run of columns that the rows have in common.
type shared struct {
	w      []float64
	agreed int         // equations that hold with it
	most   float64     // the largest number of roundings that chance takes an honest row from nothing, per unit of reach
	sure   float64     // that any errors of the rows do, per unit of reach
	axes   [][]float64 // directions that the rows determine, each divided by the size of what they say of it
}

// Bounds in roundings of the scale. Honest rows are within one with the importance that
// made them. Those that agree are within two with the one that was found. So the two
// importances differ by what moves each of these by three at most: by Cauchy and Schwarz
// that moves another row by three times its reach times the root of their number. If
// roundings are independent and spread evenly it moves it by a standard deviation of
// its reach, over √3. Both are doubled for the roundings themselves, which importance scales.
const (
	agree     = 2.0
	deviation = 6.0
	nearlyAll = 0.8 // share of equations that must agree: with fewer the search may have missed the importance
)

// reach is how far the importance of a row's run is uncertain in the direction that
// the row asks for.
func (s *shared) reach(e *equation) float64 {
	r, sum := e.rounding(s.w), 0.0
	for _, axis := range s.axes {
		x := dot64(e.a, axis) / r
		sum += x * x
	}
	return math.Sqrt(sum)
}

// judge holds a block against the importance of the others.
func (s *shared) judge(all []equation) (Grade, fault) {
	g, f := Reachable, fault{}
	for i := range all {
		off, reach := math.Abs(all[i].left(s.w)), s.reach(&all[i])
		switch {
		case off <= agree+s.most*reach:
		case off <= agree+s.sure*reach:
			if g == Reachable {
				g = Open
			}
			f = fault{steps: off, lost: true, what: notTheirs}
		default:
			g, f = Deviates, fault{steps: off, what: notTheirs}
		}
	}
	return g, f
}

// notTheirs says what a block is whose importance is another one.
const notTheirs = "the scale does not follow from the importance that the scales of the other rows follow from; steps are roundings of it"

// Rows that are asked, at least in multiples of the unknowns, and how long is searched.
const (
	leastEquations = 3
	rounds         = 60
)

// share finds the importance of a run that most equations agree on; nil where none does.
// It is looked for from two sides: from columns that weigh alike, and from columns that
// weigh the more the less is left over in them.
func share(all []equation) (best *shared) {
	if len(all) == 0 || len(all) < leastEquations*len(all[0].a) {
		return nil
	}
	for _, w := range [][]float64{ones(len(all[0].a)), byLeftOver(all)} {
		for _, powers := range [][]float64{{2}, {1, 2}} {
			s := &shared{w: slices.Clone(w)}
			if s.search(all, powers) && (best == nil || s.agreed > best.agreed) {
				best = s
			}
			if best != nil && best.agreed == len(all) {
				break
			}
		}
	}
	if best == nil || float64(best.agreed) < nearlyAll*float64(len(all)) || !best.settle(all) {
		return nil
	}
	return best
}

// byLeftOver weighs columns by what is left over in them: the median of aⱼ² over sⱼ².
func byLeftOver(all []equation) []float64 {
	w, off, top := make([]float64, len(all[0].a)), make([]float64, 0, len(all)), 0.0
	for j := range w {
		off = off[:0]
		for i := range all {
			if s := all[i].s[j]; s > 0 {
				off = append(off, math.Abs(all[i].a[j])/s)
			}
		}
		if len(off) > 0 {
			x := max(1, median(off))
			w[j] = 1 / (x * x)
		}
		top = max(top, w[j])
	}
	for j := range w {
		w[j] = max(w[j]/max(top, faint), faint)
	}
	return w
}

// search improves the importance in rounds. Each weighs equations by how well they hold:
// with the first power the sum of what is left becomes least, which has one answer; with the
// second what does not hold at all counts for nothing (Cauchy's weights).
func (s *shared) search(all []equation, powers []float64) bool {
	off := make([]float64, len(all))
	for _, power := range powers {
		for range rounds {
			for i := range all {
				off[i] = math.Abs(all[i].left(s.w))
			}
			width := max(1, 2*median(off))
			moved, ok := s.step(all, func(i int) float64 { return 1 / (1 + math.Pow(off[i]/width, power)) })
			if !ok {
				return false
			}
			if moved < still {
				break
			}
		}
	}
	s.agreed = 0
	for i := range all {
		if math.Abs(all[i].left(s.w)) <= agree {
			s.agreed++
		}
	}
	return true
}

func median(x []float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[len(y)/2]
}

// faint is the least importance that is told from none, over the largest of the run.
const faint = 1e-7

// still is by how much, in roundings, a step moves equations when it is the last.
const still = 1e-3

// step moves each importance, by a factor of eight at most, to where the equations leave
// least in all. They say nothing of the size of the whole: what is held is the sum of the
// roundings. It tells how far it moved equations, in roundings.
func (s *shared) step(all []equation, weight func(i int) float64) (moved float64, ok bool) {
	n := len(s.w)
	g, held := s.gram(all, weight)
	for j := range n {
		g[j*n+j] *= 1 + 1e-10
		if g[j*n+j] == 0 {
			g[j*n+j] = 1
		}
	}
	v, err := linalg.Solve(g, n, n, held)
	if err != nil {
		return 0, false
	}
	size := dot64(v, held) / dot64(held, ones(n))
	if !(size > 0) {
		return 0, false
	}
	was, top := slices.Clone(s.w), 0.0
	for j := range s.w {
		s.w[j] *= max(1.0/8, min(8, v[j]/size))
		top = max(top, s.w[j])
	}
	for j := range s.w {
		s.w[j] = max(s.w[j]/top, faint)
	}
	for i := range all {
		moved = max(moved, weight(i)*math.Abs(all[i].left(s.w)-all[i].left(was)))
	}
	return moved, true
}

func ones(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = 1
	}
	return v
}

// gram is Σ qᵢaᵢaᵢᵀ of equations in roundings, in units of the importance, and Σ qᵢsᵢ.
func (s *shared) gram(all []equation, weight func(i int) float64) (g, held []float64) {
	n := len(s.w)
	g, held = make([]float64, n*n), make([]float64, n)
	row := make([]float64, n)
	for i := range all {
		r, q := all[i].rounding(s.w), weight(i)
		if r == 0 || q == 0 {
			continue
		}
		for j := range row {
			row[j] = all[i].a[j] * s.w[j] / r
			held[j] += float64(q * all[i].s[j] * s.w[j] / r)
		}
		for j, x := range row {
			for k := range j + 1 {
				g[j*n+k] += float64(q * x * row[k])
			}
		}
	}
	for j := range n {
		for k := range j {
			g[k*n+j] = g[j*n+k]
		}
	}
	return g, held
}

// settle tells what the equations that agree leave open.
func (s *shared) settle(all []equation) bool {
	n := len(s.w)
	g, _ := s.gram(all, func(i int) float64 {
		if math.Abs(all[i].left(s.w)) > agree {
			return 0
		}
		return 1
	})
	size := make([]float64, n) // of what all of them say of each column
	for j := range size {
		size[j] = math.Sqrt(g[j*n+j])
	}
	for j := range n {
		for k := range n {
			if s := size[j] * size[k]; s > 0 {
				g[j*n+k] /= s
			}
		}
	}
	values, v, err := linalg.SymEigen(g, n)
	if err != nil {
		return false
	}
	for k := 1; k < n; k++ { // the first direction is the importance itself, whose size means nothing
		axis := make([]float64, n)
		for j := range axis {
			axis[j] = v[j*n+k] * s.w[j] / max(size[j], unsaid) / math.Sqrt(max(values[k], unsaid))
		}
		s.axes = append(s.axes, axis)
	}
	s.most, s.sure = deviation, 2*3*math.Sqrt(float64(s.agreed))
	return true
}

// unsaid is as good as nothing that equations say of a direction.
const unsaid = 1e-12

// askedRows are the rows that tell the importance of columns.
const askedRows = 768

// shareImportance finds the importance that the rows of a tensor have in common, where
// none was given and scales do not follow from the values alone.
func (j *judge) shareImportance(ctx context.Context, p Pair, t *Tensor) error {
	find := fitted[j.name]
	if j.mode != Searched || find == nil || len(p.Quantised.Tensor.Shape) > 2 {
		return nil // stacked matrices have an importance each
	}
	s, err := p.takeRows(ctx, j.codec, j.bytesOf(p.Source.Cols), askedRows)
	if err != nil {
		return err
	}
	bv, bb := j.codec.BlockValues, j.codec.BlockBytes
	all := make([][]equation, p.Source.Cols/bv)
	v := make([]float32, bv)
	for i := range s.at {
		x, raw := s.values(j, i), s.raw[i*len(s.raw)/len(s.at):]
		square := squareOf(x)
		for k := range all {
			j.codec.Decode(v, raw[k*bb:][:bb])
			all[k] = append(all[k], find(x[k*bv:][:bv], v, raw[k*bb:][:bb], square)...)
		}
	}
	j.shared, j.apart = make([]*shared, len(all)), make([]bool, len(all))
	dense.Parallel(len(all), func(k int) {
		j.shared[k] = share(all[k])
		j.apart[k] = j.shared[k] == nil && len(all[k]) >= leastEquations*bv
	})
	if slices.Contains(j.apart, true) {
		t.Why = "no importance was found that the scales of most rows follow from: unusual kinds of it, or one for each row, which no quantiser takes"
	}
	return nil
}
