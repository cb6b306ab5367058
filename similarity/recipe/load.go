package recipe

import (
	"context"
	"math"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// maxValues bounds what is held in memory of each subject.
const maxValues = 1 << 23

// tensorFit holds one tensor of the child and of each parent: all of it, or
// whole rows of a sample.
type tensorFit struct {
	role, component, group string
	vector                 bool
	sources                []int // the layer of each parent
	dtype                  tensor.DType
	cols                   int
	y                      []float32
	x                      [][]float32    // by parent; nil where the parent has no such tensor
	stored                 []tensor.DType // of each parent
	wider                  bool           // some parent is stored in a wider type than the child

	cut     map[[2]int][]float32 // sizes of task vectors, ascending, by base and parent
	largest []float32            // of every value, among the parents that take part
	differ  []bool               // whether these differ
}

// has tells whether a tensor is known of all the given parents.
func (t *tensorFit) has(use []int) bool {
	return !slices.ContainsFunc(use, func(k int) bool { return t.x[k] == nil })
}

// load reads the tensors that the child and at least one parent have in common:
// all rows of small models, a sample of them of large ones, of very many experts a few,
// gains and biases whole.
func load(ctx context.Context, pairs []*align.Pair) ([]*tensorFit, error) {
	l := &loader{n: len(pairs), by: map[string]*tensorFit{}}
	matchings := make([]*align.Matching, len(pairs))
	for k, p := range pairs {
		matchings[k], l.vocabularies = p.Match(), append(l.vocabularies, vocabulariesOf(p))
	}
	l.experts = choose(matchings)
	for k := range pairs {
		for _, m := range matchings[k].Matrices {
			l.matrix(k, m)
		}
	}
	share := math.Min(1, maxValues/float64(max(1, l.total)))
	for k, m := range matchings {
		if err := l.read(ctx, k, m, pairs[k].Seed, share); err != nil {
			return nil, err
		}
	}
	all := slices.DeleteFunc(l.order, func(t *tensorFit) bool { return t.y == nil })
	narrow(all)
	return all, nil
}

// narrow takes a child that is stored in single precision, but whose values are all
// of a narrower type, for one of that type: it was mixed in it.
func narrow(all []*tensorFit) {
	for _, d := range []tensor.DType{tensor.BF16, tensor.F16} {
		round := d.Rounding()
		if slices.ContainsFunc(all, func(t *tensorFit) bool {
			return t.dtype != tensor.F32 || slices.ContainsFunc(t.y, func(y float32) bool { return round(y) != y })
		}) {
			continue
		}
		for _, t := range all {
			t.dtype = d
			for k, x := range t.x {
				t.wider = t.wider || x != nil && bitsOf(t.stored[k]) > bitsOf(d)
			}
		}
		return
	}
}

// loader collects the tensors of the child.
type loader struct {
	n     int
	by    map[string]*tensorFit
	order []*tensorFit
	total int // values of matrices

	experts      chosen
	vocabularies []map[string]vocabulary // by parent and role
}

func (l *loader) add(role, component string, dtype tensor.DType) *tensorFit {
	t := l.by[role]
	if t == nil {
		t = &tensorFit{role: role, component: component, group: component, sources: filled(l.n, -1), dtype: dtype, stored: make([]tensor.DType, l.n), x: make([][]float32, l.n)}
		l.by[role] = t
		l.order = append(l.order, t)
	}
	return t
}

func (l *loader) matrix(k int, m align.MatrixPair) {
	if !l.fits(k, m) || !l.experts.reads(m.B.Role) {
		return
	}
	if l.by[m.B.Role] == nil {
		l.total += m.B.Rows * m.B.Cols
	}
	t := l.add(m.B.Role, m.Component, m.B.Tensor.DType)
	if t.cols = m.B.Cols; m.LayerB >= 0 {
		t.group = "layers." + strconv.Itoa(m.LayerB)
	}
	t.sources[k], t.stored[k] = m.LayerA, m.A.Tensor.DType
	t.wider = t.wider || bitsOf(m.A.Tensor.DType) > bitsOf(m.B.Tensor.DType)
}

// read reads a parent and, once, the child.
func (l *loader) read(ctx context.Context, k int, all *align.Matching, seed []byte, share float64) error {
	for _, m := range all.Matrices {
		t := l.by[m.B.Role]
		if t == nil || !l.fits(k, m) {
			continue
		}
		rows := l.common(m.B.Role, rng.New(seed[:0:0], "recipe "+m.B.Role).Sample(m.B.Rows, max(1, int(share*float64(m.B.Rows)))))
		if t.y == nil {
			t.y = make([]float32, len(rows)*m.B.Cols)
			if err := m.B.Gather(ctx, t.y, rows); err != nil {
				return err
			}
		}
		t.x[k] = make([]float32, len(t.y))
		if err := m.A.Gather(ctx, t.x[k], l.rowsOf(k, m.B.Role, rows)); err != nil {
			return err
		}
	}
	for _, v := range all.Vectors {
		if v.A.Len != v.B.Len {
			continue
		}
		t := l.add(v.B.Role, v.Component, v.B.Tensor.DType)
		t.vector, t.cols, t.stored[k] = true, v.B.Len, v.A.Tensor.DType
		t.wider = t.wider || bitsOf(v.A.Tensor.DType) > bitsOf(v.B.Tensor.DType)
		var err error
		if t.y == nil {
			if t.y, err = v.B.Read(ctx); err != nil {
				return err
			}
		}
		if t.x[k], err = v.A.Read(ctx); err != nil {
			return err
		}
	}
	return nil
}

func filled(n, v int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = v
	}
	return out
}

// castToChild is the same with every parent rounded to the child's type first,
// as tools do that mix in it; nil where no parent has a wider type.
func castToChild(all []*tensorFit) []*tensorFit {
	if !slices.ContainsFunc(all, func(t *tensorFit) bool { return t.wider && t.dtype.Rounding() != nil }) {
		return nil
	}
	var out []*tensorFit
	for _, t := range all {
		c := *t
		c.cut, c.largest, c.differ = nil, nil, nil
		if round := t.dtype.Rounding(); round != nil {
			c.x, c.stored = make([][]float32, len(t.x)), slices.Repeat([]tensor.DType{t.dtype}, len(t.x))
			for k, x := range t.x {
				if x != nil {
					c.x[k] = rounded(x, round)
				}
			}
		}
		out = append(out, &c)
	}
	return out
}

func rounded(x []float32, round func(float32) float32) []float32 {
	out := make([]float32, len(x))
	for i, v := range x {
		out[i] = round(v)
	}
	return out
}

// matrices leaves the gains and biases out.
func matrices(all []*tensorFit) []*tensorFit {
	return slices.DeleteFunc(slices.Clone(all), func(t *tensorFit) bool { return t.vector })
}

// groups sorts the tensors into layers, in the order of their first tensor.
func groups(all []*tensorFit) (names []string, by map[string][]*tensorFit) {
	by = map[string][]*tensorFit{}
	for _, t := range all {
		if by[t.group] == nil {
			names = append(names, t.group)
		}
		by[t.group] = append(by[t.group], t)
	}
	return names, by
}
