package lineage

import (
	"math"

	"github.com/weightprint/weightprint/internal/dense"
)

// Models of different shapes have matrices in common: all but those of the tokens where
// only the vocabulary grew, the layers that were kept or repeated, what stands beside
// experts or narrowed units. A frame says which of another model's matrices stand where
// those of one do. So their ways can be held against each other like those of models of
// one shape.

// frames holds the frames of all models.
type frames struct {
	all    []*sampled
	layers [][][]int         // by model and layer: its matrices; the first is what stands outside of layers
	kinds  []map[string]bool // by model: those of its matrices
	sizes  []float64         // by model: its values
	square [][]float64       // by model and matrix: the product of its framed rows with themselves
	maps   [][][]int         // by model and other: for each matrix that of the other, or -1; nil where all stand in their places
}

// inCommon is the share of the smaller model's values that both have in common, below
// which nothing is said of them.
const inCommon = 1.0 / 3

func newFrames(all []*sampled) *frames {
	f := &frames{all: all, layers: make([][][]int, len(all)), kinds: make([]map[string]bool, len(all)), sizes: make([]float64, len(all)), square: make([][]float64, len(all)), maps: make([][][]int, len(all))}
	for i, s := range all {
		f.layers[i], f.kinds[i] = byLayer(s.Slots), map[string]bool{}
		for _, p := range s.Slots {
			f.kinds[i][p.kind] = true
			f.sizes[i] += float64(p.rows * p.cols)
		}
		for m := range s.Slots {
			f.square[i] = append(f.square[i], dot(f.part(i, m), f.part(i, m)))
		}
	}
	dense.Parallel(len(all), func(c int) {
		f.maps[c] = make([][]int, len(all))
		for o := range all {
			if all[o].Shape != all[c].Shape || !f.inPlace(c, o) {
				f.maps[c][o] = f.counterparts(c, o)
			}
		}
	})
	return f
}

// byLayer lists the matrices of every layer, after those outside of layers.
func byLayer(all []slot) [][]int {
	at, out := map[string]int{"": 0}, [][]int{nil}
	for i, p := range all {
		n, known := at[p.layer]
		if !known {
			n = len(out)
			at[p.layer], out = n, append(out, nil)
		}
		out[n] = append(out[n], i)
	}
	return out
}

// counterparts maps the matrices of a model to those of another: a layer to the one whose
// values correspond most, and each matrix to that of its kind if its values do.
func (f *frames) counterparts(c, o int) []int {
	to := make([]int, len(f.all[c].Slots))
	for i := range to {
		to[i] = -1
	}
	for l := range f.layers[c] {
		for _, p := range f.nearest(c, o, l) {
			if f.cosine(c, p[0], o, p[1]) >= correspond {
				to[p[0]] = p[1]
			}
		}
	}
	return to
}

// inPlace tells whether every matrix of two models of one shape corresponds to the one
// that stands in its place.
func (f *frames) inPlace(c, o int) bool {
	for i := range f.all[c].Slots {
		if c != o && f.cosine(c, i, o, i) < correspond {
			return false
		}
	}
	return true
}

// nearest pairs the matrices of a layer with those of the layer of the other model that
// is most like it; none where no layer corresponds.
func (f *frames) nearest(c, o, layer int) (out [][2]int) {
	if layer == 0 {
		return f.both(c, o, 0, 0)
	}
	most := 0.0
	for l := 1; l < len(f.layers[o]); l++ {
		if both := f.both(c, o, layer, l); len(both) > 0 {
			if x := f.likeness(c, o, both); x > most {
				out, most = both, x
			}
		}
	}
	return out
}

// both are the matrices of one kind in two layers.
func (f *frames) both(c, o, layer, other int) (out [][2]int) {
	for _, i := range f.layers[c][layer] {
		for _, j := range f.layers[o][other] {
			if f.all[c].Slots[i].kind == f.all[o].Slots[j].kind {
				out = append(out, [2]int{i, j})
				break
			}
		}
	}
	return out
}

// likeness is the mean cosine of the first and the last of such matrices; 0 where neither
// corresponds.
func (f *frames) likeness(c, o int, both [][2]int) float64 {
	first, last := both[0], both[len(both)-1]
	x, y := f.cosine(c, first[0], o, first[1]), f.cosine(c, last[0], o, last[1])
	if max(x, y) < correspond {
		return 0
	}
	return (x + y) / 2
}

// correspond is the cosine from which on values correspond.
const correspond = 1 - corresponding*corresponding/2

// part is the framed rows of a matrix.
func (f *frames) part(model, matrix int) []float32 {
	v, p := f.all[model].Values[matrix], f.all[model].Slots[matrix]
	return v[:min(len(v), framed*p.cols)]
}

func (f *frames) cosine(c, i, o, j int) float64 {
	size := math.Sqrt(f.square[c][i] * f.square[o][j])
	if size == 0 {
		return 0
	}
	return f.dot(c, i, o, j) / size
}

// dot is the product of the framed rows of two matrices.
func (f *frames) dot(c, i, o, j int) float64 {
	if c == o && i == j {
		return f.square[c][i]
	}
	return dot(f.part(c, i), f.part(o, j))
}

// matched lists the matrices that some models have in common, each by its numbers in
// all of them; the last is the one in whose places the others stand.
func (f *frames) matched(models []int) (out [][]int) {
	c := models[len(models)-1]
	for i := range f.all[c].Slots {
		var row []int
		for _, m := range models {
			j := i
			if to := f.maps[c][m]; m != c && to != nil {
				j = to[i]
			}
			if j >= 0 {
				row = append(row, j)
			}
		}
		if len(row) == len(models) {
			out = append(out, row)
		}
	}
	return out
}

// products are those of models over what all have in common; false where that is too
// small a part of any.
func (f *frames) products(models []int) (gram, bool) {
	if f == nil {
		return nil, false
	}
	out := make(gram, len(models))
	for i := range out {
		out[i] = make([]float64, len(models))
	}
	size, least := 0.0, math.Inf(1)
	for _, m := range models {
		least = min(least, f.sizes[m])
	}
	c := models[len(models)-1]
	for _, row := range f.matched(models) {
		p := f.all[c].Slots[row[len(row)-1]]
		size += float64(p.rows * p.cols)
		w := float64(p.rows) / float64(min(p.rows, framed))
		for i := range models {
			for j := range i + 1 {
				out[i][j] += float64(w * f.dot(models[i], row[i], models[j], row[j]))
				out[j][i] = out[i][j]
			}
		}
	}
	return out, size >= inCommon*least
}

// differ counts in how many kinds of matrices two models differ, and whether in the number
// of layers.
func (f *frames) differ(x, y int) (n int) {
	if f == nil || f.all[x].Shape == f.all[y].Shape {
		return 0
	}
	for kind := range f.kinds[x] {
		if !f.kinds[y][kind] {
			n++
		}
	}
	for kind := range f.kinds[y] {
		if !f.kinds[x][kind] {
			n++
		}
	}
	if len(f.layers[x]) != len(f.layers[y]) {
		n++
	}
	return max(1, n)
}

// lacks tells whether a matrix of c corresponds to one of the origin and to none of p.
func (f *frames) lacks(p, c, origin int) bool {
	return f != nil && len(f.matched([]int{origin, c})) > len(f.matched([]int{p, origin, c}))
}

// copied tells whether matrices of c are those of another model up to a factor and the
// rounding of bfloat16; those of none are not.
func (f *frames) copied(c, o int, both [][2]int) bool {
	const rounding = 1.0 / (1 << 13) // of the cosine: a 64th of the way
	for _, p := range both {
		if f.cosine(c, p[0], o, p[1]) < 1-rounding {
			return false
		}
	}
	return len(both) > 0
}

// holds tells whether all layers of c are copies of one other model's of as many layers.
func (f *frames) holds(o, c int) bool {
	if len(f.layers[o]) != len(f.layers[c]) {
		return false
	}
	for l := 1; l < len(f.layers[c]); l++ {
		if !f.copied(c, o, f.nearest(c, o, l)) {
			return false
		}
	}
	return true
}

// back counts the layers of c that come from an earlier layer of another model than the
// layer before them.
func (f *frames) back(c, o int) (n int) {
	last := 0
	for l := 1; l < len(f.layers[c]); l++ {
		both := f.nearest(c, o, l)
		if len(both) == 0 {
			continue
		}
		if both[0][1] < last {
			n++
		}
		last = both[0][1]
	}
	return n
}
