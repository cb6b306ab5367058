package roles

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Scattered are the parts of gated MLPs in a model whose names say nothing and whose
// tensors stand in any order: for each matrix that writes to the residual stream two of
// the same size that read from it. Which of them belong to one layer, only values tell.
type Scattered struct {
	Reads  []*Matrix // units × residual stream: gates and ups, twice as many as Writes
	Writes []*Matrix // units × residual stream: downs, transposed
	Norms  []*Vector // as long as the residual stream is wide; some are gains of norms

	model  tensor.Model
	hidden int64
}

// Gathered is what stands in one layer: places among Reads, Writes and Norms.
type Gathered struct {
	Gate, Up, Down int
	Norm           int // −1 where none was found
}

// mostScattered is how many layers are put together at most.
const mostScattered = 256

// ScatteredOf finds them by their shapes; nil where there are none, or too many. No
// value is read.
func ScatteredOf(m tensor.Model) *Scattered {
	if len(m.Tensors()) > mostTensors {
		return nil
	}
	hidden := commonest(m.Tensors())
	by := map[int64]*strip{}
	s := &Scattered{model: m, hidden: hidden}
	for i, t := range m.Tensors() {
		switch {
		case len(t.Shape) == 1 && t.Shape[0] == hidden:
			s.Norms = append(s.Norms, newVector("norm", t))
		case len(t.Shape) == 2 && t.Shape[0] != t.Shape[1] && (t.Shape[0] == hidden || t.Shape[1] == hidden):
			other := t.Shape[0] + t.Shape[1] - hidden
			if by[other] == nil {
				by[other] = &strip{}
			}
			by[other].add(i, t.Shape[1] == hidden)
		}
	}
	for _, width := range slices.SortedFunc(maps.Keys(by), func(a, b int64) int { return cmp.Compare(b, a) }) {
		reads, writes := by[width].reads, by[width].writes
		if len(reads) < len(writes) { // stored inputs × outputs
			reads, writes = writes, reads
		}
		if len(writes) >= minBlocks && len(writes) <= mostScattered && len(reads) == 2*len(writes) {
			s.Reads, s.Writes = s.units(reads, width), s.units(writes, width)
			return s
		}
	}
	return nil
}

// units views tensors so that rows are as many as units.
func (s *Scattered) units(at []int, width int64) (out []*Matrix) {
	for _, i := range at {
		m := newMatrix("mlp", s.model.Tensors()[i])
		if int64(m.Rows) != width {
			m = m.transpose()
		}
		out = append(out, m)
	}
	return out
}

// Networks are all ways to read the model with its layers put together so.
func (s *Scattered) Networks(layers []Gathered) []*Network {
	taken := map[*tensor.Tensor]bool{}
	blocks := make([][]*tensor.Tensor, len(layers))
	for n, l := range layers {
		blocks[n] = []*tensor.Tensor{s.Reads[l.Gate].Tensor, s.Reads[l.Up].Tensor, s.Writes[l.Down].Tensor}
		if l.Norm >= 0 {
			blocks[n] = append(blocks[n], s.Norms[l.Norm].Tensor)
		}
		for _, t := range blocks[n] {
			taken[t] = true
		}
	}
	rest := slices.DeleteFunc(slices.Clone(s.model.Tensors()), func(t *tensor.Tensor) bool { return taken[t] })
	form := &form{hidden: s.hidden, transposed: s.Reads[0].Transposed(), inside: map[int]part{0: partGate, 1: partUp, 2: partDown, 3: partMLPNorm}, outside: map[int]part{}}
	return readings(s.model, form, blocks, rest)
}
