package roles

import (
	"maps"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxExperts is far beyond any mixture in use; a first dimension that is
// longer counts something else.
const maxExperts = 1 << 13

// experts builds the feed-forward parts: one when dense, one an expert in a
// mixture whether its tensors are apart or stacked.
func (b *builder) experts(l *Layer) {
	numbers := map[int]bool{}
	for s := range b.found.layers[l.Index] {
		if s.expert >= 0 {
			numbers[s.expert] = true
		}
	}
	for _, e := range append([]int{-1}, slices.Sorted(maps.Keys(numbers))...) {
		if p := b.mlp(l.Index, place{}, e); p != nil {
			l.Experts = append(l.Experts, p)
		}
	}
	b.stacked(l)
	l.Shared = b.mlp(l.Index, place{shared: true}, -1)
}

// mlp builds one feed-forward part; nil if it has no matrices.
func (b *builder) mlp(layer int, at place, expert int) *MLP {
	get := func(p part) *Matrix { at.part = p; return b.matrix(layer, at, expert) }
	role := func(p part) string { at.part = p; return b.role(layer, at, expert) }
	p := &MLP{Gate: get(partGate), Up: get(partUp), Down: get(partDown)}
	if fused := get(partGateUp); fused != nil {
		b.splitGateUp(p, fused, role(partGate), role(partUp))
	}
	if p.Gate == nil && p.Up != nil && p.Down != nil && p.Up.Rows == 2*p.Down.Cols {
		b.splitGateUp(p, p.Up, role(partGate), role(partUp)) // GGUF keeps fused matrices under the name of "up", and so does ChatGLM
	}
	if p.Gate == nil && p.Up != nil && p.Down != nil && p.Up.Rows == b.hidden && p.Up.Cols == p.Down.Rows && p.Up.Cols != b.hidden {
		p.Up, p.Down = p.Down, p.Up // early GGUF vision towers have the two names exchanged
		p.Up.Role, p.Down.Role = role(partUp), role(partDown)
	}
	if p.Gate == nil && p.Up == nil && p.Down == nil {
		return nil
	}
	return p
}

// splitGateUp cuts a fused matrix into gate and up, one after the other or
// row by row.
func (b *builder) splitGateUp(p *MLP, fused *Matrix, gate, up string) {
	half := fused.Rows / 2
	if b.fam.gateLast {
		p.Gate, p.Up = fused.slice(gate, half, half), fused.slice(up, 0, half)
	} else if b.fam.oddEven && !b.gguf {
		p.Gate, p.Up = fused.runs(gate, 0, 1, 2, half), fused.runs(up, 1, 1, 2, half)
	} else {
		p.Gate, p.Up = fused.slice(gate, 0, half), fused.slice(up, half, half)
	}
	p.Gate.Bias, p.Up.Bias = fused.Bias.like(p.Gate), fused.Bias.like(p.Up)
}

// stacked cuts tensors whose first dimension counts experts.
func (b *builder) stacked(l *Layer) {
	gate, up := b.stack(l, partGate, true), b.stack(l, partUp, true)
	down, fused := b.stack(l, partDown, false), b.stack(l, partGateUp, true)
	at := func(ms []*Matrix, e int) *Matrix {
		if e < len(ms) {
			return ms[e]
		}
		return nil
	}
	for e := range max(len(gate), len(up), len(down), len(fused)) {
		p := &MLP{Gate: at(gate, e), Up: at(up, e), Down: at(down, e)}
		if f := at(fused, e); f != nil {
			b.splitGateUp(p, f, b.role(l.Index, place{part: partGate}, e), b.role(l.Index, place{part: partUp}, e))
		}
		l.Experts = append(l.Experts, p)
	}
}

// stack views each expert of a stacked tensor. reads tells the matrices whose
// columns are the residual stream; files differ in which axis comes first.
func (b *builder) stack(l *Layer, p part, reads bool) []*Matrix {
	at := place{part: p, stacked: true}
	t := b.found.layers[l.Index][slot{at, -1, false}]
	if t != nil && len(t.Shape) == 2 {
		return b.piled(l, at, t)
	}
	if t == nil || len(t.Shape) != 3 || t.Shape[0] > maxExperts || t.Len() == 0 {
		return nil
	}
	b.used[t] = true
	b.assign(t, b.role(l.Index, at, -1)+"_experts")
	bias := b.stackedBias(l, at)
	rows, cols := t.Shape[1], t.Shape[2]
	out := make([]*Matrix, t.Shape[0])
	for e := range out {
		m := &Matrix{Role: b.role(l.Index, place{part: p}, e), Tensor: t, Rows: int(rows), Cols: int(cols), layout: &layout{stride: cols, base: int64(e) * rows * cols}}
		if !outputsFirst(t) && b.inputsFirst(rows, cols, reads) {
			m = m.transpose()
		}
		m.Bias = bias.expert(e, len(out))
		out[e] = m
	}
	return out
}

// piled views the experts of a matrix in which they lie one below the other, as many
// as the router has rows. Their rows are hidden units, those of "down" too (DBRX).
func (b *builder) piled(l *Layer, at place, t *tensor.Tensor) []*Matrix {
	if l.Router == nil || l.Router.Rows == 0 || l.Router.Rows > maxExperts || t.Len() == 0 || t.Shape[0]%int64(l.Router.Rows) != 0 || t.Shape[1] != int64(b.hidden) {
		return nil
	}
	b.used[t] = true
	b.assign(t, b.role(l.Index, at, -1)+"_experts")
	out := make([]*Matrix, l.Router.Rows)
	rows, cols := t.Shape[0]/int64(len(out)), t.Shape[1]
	for e := range out {
		out[e] = &Matrix{Role: b.role(l.Index, place{part: at.part}, e), Tensor: t, Rows: int(rows), Cols: int(cols), layout: &layout{stride: cols, base: int64(e) * rows * cols}}
		if at.part == partDown {
			out[e] = out[e].transpose()
		}
	}
	return out
}

// outputsFirstNames are parts of the names of stacked experts that lie outputs
// × inputs in every file that has them: MLX's, and those of grouped products.
var outputsFirstNames = []string{".switch_mlp.", ".experts.w1", ".experts.w2", ".experts.w3"}

// outputsFirst tells whether an expert's rows are outputs: by its name, or as
// packed data know although the name stands for the transposed form.
func outputsFirst(t *tensor.Tensor) bool {
	if slices.ContainsFunc(outputsFirstNames, func(n string) bool { return strings.Contains(t.Name, n) }) {
		return true
	}
	d, ok := t.Data.(interface{ OutputsFirst() bool })
	return ok && d.OutputsFirst()
}

// inputsFirst tells whether an expert lies inputs × outputs: the size of the
// residual stream says so; where both axes have it, GGUF and Hugging Face
// files differ by habit.
func (b *builder) inputsFirst(rows, cols int64, reads bool) bool {
	first, second := rows == int64(b.hidden), cols == int64(b.hidden)
	if first == second {
		return !b.gguf && b.fam.name != "granite"
	}
	return first == reads
}

// stackedBias views the biases of stacked experts; nil if there are none.
func (b *builder) stackedBias(l *Layer, at place) *Vector {
	t := b.take(l.Index, slot{at, -1, true})
	if t == nil {
		return nil
	}
	role := b.role(l.Index, at, -1) + "_experts.bias"
	b.assign(t, role)
	return newVector(role, t)
}

// expert is the part of a stacked bias that belongs to one of n experts.
func (v *Vector) expert(e, n int) *Vector {
	if v == nil || v.Len%n != 0 {
		return nil
	}
	c, l := *v, *v.lies()
	c.Len = v.Len / n
	l.base = int64(e) * int64(c.Len)
	c.layout = &l
	return &c
}
