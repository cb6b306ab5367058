package roles

import (
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Scattered are the parts of gated MLPs in a model whose names say nothing and whose
// tensors stand in any order: for each matrix that writes to the residual stream about two
// of the same size that read from it. Which of them belong to one layer, and which to none,
// only their values tell.
type Scattered struct {
	Reads  []*Matrix // units × residual stream: gates and ups
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

// mostScattered is how many matrices that write are looked at.
const mostScattered = 256

// ScatteredOf finds them by their shapes among the tensors of unknown role; nil where
// there are none, or too many. A few of one shape may be strays. No value is read.
func ScatteredOf(m tensor.Model) *Scattered {
	if len(m.Tensors()) > mostTensors {
		return nil
	}
	unknown := unknownOf(m)
	hidden := commonest(unknown)
	by := map[int64]*strip{}
	s := &Scattered{model: m, hidden: hidden}
	for i, t := range unknown {
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
	most := int64(0)
	for width, x := range by {
		reads, writes := x.reads, x.writes
		if len(reads) < len(writes) { // stored inputs × outputs
			reads, writes = writes, reads
		}
		n := int64(len(reads)+len(writes)) * width
		if len(writes) >= minBlocks && len(writes) <= mostScattered && gatedLike(len(reads), len(writes)) && (n > most || n == most && int64(s.Reads[0].Rows) < width) {
			most = n
			s.Reads, s.Writes = unitsOf(unknown, reads, width), unitsOf(unknown, writes, width)
		}
	}
	if most == 0 {
		return nil
	}
	return s
}

// gatedLike tells whether so many matrices may be those of gated layers, give or take a
// quarter of strays.
func gatedLike(reads, writes int) bool { return 2*reads >= 3*writes && reads <= 3*writes }

// unknownOf lists the tensors that names give no role.
func unknownOf(m tensor.Model) (out []*tensor.Tensor) {
	for _, a := range Map(m).Roles {
		if strings.HasPrefix(a.Role, "generic.") {
			out = append(out, a.Tensor)
		}
	}
	return out
}

// units views tensors so that rows are as many as units.
func unitsOf(all []*tensor.Tensor, at []int, width int64) (out []*Matrix) {
	for _, i := range at {
		m := newMatrix("mlp", all[i])
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
