package diff

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

const (
	valuesAtOnce = 1 << 18 // of each side held at a time
	mostRows     = 8       // rows named of those that changed most
	mostSpans    = 32      // runs of changed rows that are listed
	fewRows      = 0.5     // share of rows below which a change is one of some rows
	leftOf       = 0.1     // cosine below which nothing of A is left
)

// compareMatrix reads both sides, row by row of the same thing: of vocabularies
// by token, of all others by place.
func compareMatrix(ctx context.Context, p *align.Pair, x align.MatrixPair, o Options) (*Tensor, error) {
	t := &Tensor{
		Role: x.B.Role, Component: x.Component, NameA: x.A.Tensor.Name, NameB: x.B.Tensor.Name,
		TypeA: x.A.Tensor.DType.String(), TypeB: x.B.Tensor.DType.String(),
		ShapeA: [2]int{x.A.Rows, x.A.Cols}, ShapeB: [2]int{x.B.Rows, x.B.Cols}, LayerA: x.LayerA, LayerB: x.LayerB,
	}
	a, b := t.pairRows(x, o)
	if x.A.Cols != x.B.Cols || len(b) == 0 || x.A.Rows != x.B.Rows && x.Component != "embeddings" {
		t.Form = Reshaped
		return t, nil
	}
	if o.Rows > 0 && o.Rows < len(b) {
		keep := rng.New(p.Seed, "difference of "+x.B.Role).Sample(len(b), o.Rows)
		a, b = pick(a, keep), pick(b, keep)
	}
	w := &walk{t: t, dtypes: [2]tensor.DType{x.A.Tensor.DType, x.B.Tensor.DType}, name: namer(p, x, o)}
	per := max(1, valuesAtOnce/max(1, x.B.Cols))
	if x.A.Transposed() || x.B.Transposed() {
		per = max(per, min(len(b), 1<<24/max(1, x.B.Cols))) // each gather reads the whole tensor
	}
	bufA, bufB := make([]float32, min(per, len(b))*x.B.Cols), make([]float32, min(per, len(b))*x.B.Cols)
	for first := 0; first < len(b); first += per {
		last := min(first+per, len(b))
		n := (last - first) * x.B.Cols
		if err := x.A.Gather(ctx, bufA[:n], a[first:last]); err != nil {
			return nil, err
		}
		if err := x.B.Gather(ctx, bufB[:n], b[first:last]); err != nil {
			return nil, err
		}
		w.rows(bufA[:n], bufB[:n], b[first:last], x.B.Cols)
	}
	w.finish()
	t.heads(p, x, w.changed)
	if t.Form == Changed {
		return t, t.directions(ctx, x, a, b)
	}
	return t, nil
}

func pick(x, at []int) []int {
	out := make([]int, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}

// pairRows lists the rows that stand for the same thing, and names those that
// only one side has.
func (t *Tensor) pairRows(x align.MatrixPair, o Options) (a, b []int) {
	n := min(x.A.Rows, x.B.Rows)
	if x.Component != "embeddings" || len(o.TokensA) == 0 || len(o.TokensB) == 0 || slices.Equal(o.TokensA, o.TokensB) && x.A.Rows == x.B.Rows {
		for r := range n {
			a, b = append(a, r), append(b, r)
		}
		for r := n; r < x.A.Rows && x.Component == "embeddings"; r++ {
			t.Removed = append(t.Removed, Row{At: r, Name: tokenAt(o.TokensA, r)})
		}
		for r := n; r < x.B.Rows && x.Component == "embeddings"; r++ {
			t.Added = append(t.Added, Row{At: r, Name: tokenAt(o.TokensB, r)})
		}
		return a, b
	}
	at := map[string]int{}
	for r, s := range o.TokensA[:min(len(o.TokensA), x.A.Rows)] {
		if _, twice := at[s]; !twice {
			at[s] = r
		}
	}
	for r, s := range o.TokensB[:min(len(o.TokensB), x.B.Rows)] {
		if k, ok := at[s]; ok {
			a, b = append(a, k), append(b, r)
			delete(at, s)
		} else {
			t.Added = append(t.Added, Row{At: r, Name: s})
		}
	}
	for r := len(o.TokensB); r < x.B.Rows; r++ { // rows that no token names, by place
		if r >= len(o.TokensA) && r < x.A.Rows {
			a, b = append(a, r), append(b, r)
		} else {
			t.Added = append(t.Added, Row{At: r})
		}
	}
	for s, r := range at {
		t.Removed = append(t.Removed, Row{At: r, Name: s})
	}
	slices.SortFunc(t.Removed, func(x, y Row) int { return cmp.Compare(x.At, y.At) })
	return a, b
}

func tokenAt(tokens []string, r int) string {
	if r < len(tokens) {
		return tokens[r]
	}
	return ""
}

// namer says what a row of B is: a token, a row of a head, a unit.
func namer(p *align.Pair, x align.MatrixPair, o Options) func(int) string {
	dim := headDim(p, x)
	kind := x.B.Role[strings.LastIndexByte(x.B.Role, '.')+1:]
	return func(r int) string {
		switch {
		case x.Component == "embeddings":
			return tokenAt(o.TokensB, r)
		case dim > 0 && (kind == "q" || kind == "k" || kind == "v"):
			return fmt.Sprintf("head %d, channel %d", r/dim, r%dim)
		case kind == "gate" || kind == "up":
			return "unit " + strconv.Itoa(r)
		case kind == "down" || kind == "o":
			return "dimension " + strconv.Itoa(r)
		}
		return ""
	}
}

func headDim(p *align.Pair, x align.MatrixPair) int {
	if t := p.B.Net.Tower(x.Tower); t != nil {
		return t.HeadDim
	}
	return 0
}

// walk adds up rows.
type walk struct {
	t      *Tensor
	dtypes [2]tensor.DType
	name   func(int) string

	aa, bb, ab, dd float64
	rounds         [2]int64 // values that are the other side's, rounded to their type
	changed        []int
}

func (w *walk) rows(a, b []float32, at []int, cols int) {
	round := [2]func(float32) float32{w.dtypes[0].Rounding(), w.dtypes[1].Rounding()}
	for i, r := range at {
		x, y := a[i*cols:(i+1)*cols], b[i*cols:(i+1)*cols]
		var aa, bb, ab, dd float64
		differ := int64(0)
		for j, u := range x {
			v := y[j]
			if u == v || u != u && v != v {
				w.rounds[0]++
				w.rounds[1]++
			} else {
				differ++
				if round[1] != nil && round[1](u) == v {
					w.rounds[1]++
				}
				if round[0] != nil && round[0](v) == u {
					w.rounds[0]++
				}
			}
			uf, vf := float64(u), float64(v)
			d := vf - uf
			if math.IsNaN(d) || math.IsInf(d, 0) {
				continue
			}
			aa, bb, ab, dd = aa+float64(uf*uf), bb+float64(vf*vf), ab+float64(uf*vf), dd+float64(d*d)
			w.t.Largest = math.Max(w.t.Largest, math.Abs(d))
		}
		w.aa, w.bb, w.ab, w.dd = w.aa+aa, w.bb+bb, w.ab+ab, w.dd+dd
		w.t.Values += int64(cols)
		w.t.Differ += differ
		w.t.RowsOf++
		if differ > 0 {
			w.t.RowsDiff++
			w.changed = append(w.changed, r)
			w.most(Row{r, w.name(r), ratio(dd, aa)})
		}
	}
}

// ratio is √(d/a), 1 where a vanishes and d does not.
func ratio(d, a float64) float64 {
	switch {
	case d == 0:
		return 0
	case a == 0:
		return 1
	}
	return math.Sqrt(d / a)
}

// most keeps the rows that changed most.
func (w *walk) most(r Row) {
	m := w.t.Most
	if len(m) == mostRows && m[len(m)-1].Relative >= r.Relative {
		return
	}
	i, _ := slices.BinarySearchFunc(m, r, func(a, b Row) int { return cmp.Compare(b.Relative, a.Relative) })
	m = slices.Insert(m, i, r)
	w.t.Most = m[:min(len(m), mostRows)]
}

// finish names the form, as far as sums tell.
func (w *walk) finish() {
	t := w.t
	t.Relative = ratio(w.dd, w.aa)
	if w.aa > 0 && w.bb > 0 {
		t.Cosine = w.ab / math.Sqrt(w.aa*w.bb)
	}
	t.Form = Changed
	switch {
	case t.Differ == 0:
		t.Form = Equal
	case w.rounds[0] == t.Values || w.rounds[1] == t.Values:
		t.Form = Stored
	case w.scaled():
		t.Form, t.Factor = Scaled, w.ab/w.aa
	case w.aa > 0 && w.bb > 0 && math.Abs(t.Cosine) < leftOf:
		t.Form = Replaced
	case float64(t.RowsDiff) < fewRows*float64(t.RowsOf):
		t.Form = Rows
	}
	if float64(t.RowsDiff) < fewRows*float64(t.RowsOf) {
		t.Changed = spans(w.changed)
	}
	if t.Form == Equal || t.Form == Stored {
		t.Most = nil
	}
}

// scaled tells whether what a factor leaves is rounding to the coarser of the two
// types, and no factor leaves much more.
func (w *walk) scaled() bool {
	if w.aa == 0 || w.bb == 0 {
		return false
	}
	left := math.Sqrt(math.Max(0, w.bb-w.ab*w.ab/w.aa) / w.bb)
	step := math.Max(fineness(w.dtypes[0]), fineness(w.dtypes[1]))
	return left < step && math.Abs(w.ab/w.aa-1) > 2*step
}

// fineness is the largest relative rounding error of a type: half a step.
func fineness(d tensor.DType) float64 {
	bits, ok := map[tensor.DType]int{tensor.BF16: 7, tensor.F16: 10, tensor.F32: 23, tensor.F64: 23, tensor.F8E4M3: 3, tensor.F8E5M2: 2}[d]
	if !ok {
		bits = 3
	}
	return math.Ldexp(0.5, -bits)
}

// spans joins neighbouring rows.
func spans(rows []int) (out []Span) {
	for _, r := range rows {
		if n := len(out); n > 0 && out[n-1].Last == r-1 {
			out[n-1].Last = r
			continue
		}
		if len(out) == mostSpans {
			return out
		}
		out = append(out, Span{r, r})
	}
	return out
}

// heads lists the heads in which rows changed, where there are others.
func (t *Tensor) heads(p *align.Pair, x align.MatrixPair, changed []int) {
	dim := headDim(p, x)
	kind := x.B.Role[strings.LastIndexByte(x.B.Role, '.')+1:]
	if dim == 0 || kind != "q" && kind != "k" && kind != "v" || t.RowsOf != x.B.Rows || t.Form == Equal || t.Form == Stored {
		return
	}
	for _, r := range changed {
		if h := r / dim; len(t.Heads) == 0 || t.Heads[len(t.Heads)-1] != h {
			t.Heads = append(t.Heads, h)
		}
	}
	if len(t.Heads)*dim >= x.B.Rows {
		t.Heads = nil
	}
}

func compareVector(ctx context.Context, x align.VectorPair) (*Tensor, error) {
	t := &Tensor{
		Role: x.B.Role, Component: x.Component, NameA: x.A.Tensor.Name, NameB: x.B.Tensor.Name,
		TypeA: x.A.Tensor.DType.String(), TypeB: x.B.Tensor.DType.String(),
		ShapeA: [2]int{1, x.A.Len}, ShapeB: [2]int{1, x.B.Len}, LayerA: -1, LayerB: layerOf(x.B.Role),
	}
	if x.A.Len != x.B.Len {
		t.Form = Reshaped
		return t, nil
	}
	a, err := x.A.Read(ctx)
	if err != nil {
		return nil, err
	}
	b, err := x.B.Read(ctx)
	if err != nil {
		return nil, err
	}
	w := &walk{t: t, dtypes: [2]tensor.DType{x.A.Tensor.DType, x.B.Tensor.DType}, name: func(int) string { return "" }}
	w.rows(a, b, []int{0}, x.B.Len)
	w.finish()
	if t.Most = nil; t.Form == Rows {
		t.Form = Changed
	}
	t.Changed = nil
	return t, nil
}

// layerOf is the layer that a role names, -1 if none.
func layerOf(role string) int {
	rest, ok := strings.CutPrefix(role, "layers.")
	if !ok {
		return -1
	}
	n, err := strconv.Atoi(rest[:max(0, strings.IndexByte(rest, '.'))])
	if err != nil {
		return -1
	}
	return n
}
