package roles

import (
	"cmp"
	"maps"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// minBlocks is how often the same shapes must return before they are taken for layers.
const minBlocks = 2

// ByShape reads a model whose names say nothing as a stack of gated decoder layers, from
// the shapes of its tensors, their order and the numbers in their names. Tensors of equal
// shape cannot be told apart: each way to take them is a network, the first takes them in
// stored order. There are none where shapes do not show such a stack, or not all of
// its layers ([ScatteredOf]). No value is read.
func ByShape(m tensor.Model) []*Network {
	if len(m.Tensors()) > mostTensors {
		return nil
	}
	blocks, rest := blocksOf(m.Tensors())
	if blocks == nil || len(blocks[0]) > longestBlock {
		return nil
	}
	if s := ScatteredOf(m); s != nil && len(s.Writes) > len(blocks) {
		return nil
	}
	return readings(m, formOf(blocks[0], commonest(m.Tensors())), blocks, rest)
}

// readings are the networks that a stack of blocks of one form may be.
func readings(m tensor.Model, form *form, blocks [][]*tensor.Tensor, rest []*tensor.Tensor) []*Network {
	if form == nil {
		return nil
	}
	form.around(rest)
	var out []*Network
	for way := range 1 << len(form.open) {
		out = append(out, form.network(m, blocks, rest, way))
	}
	return out
}

// commonest is the dimension that most matrices have: the width of the residual stream.
func commonest(ts []*tensor.Tensor) int64 {
	count := map[int64]int{}
	for _, t := range ts {
		if len(t.Shape) == 2 {
			count[t.Shape[0]]++
			if t.Shape[1] != t.Shape[0] {
				count[t.Shape[1]]++
			}
		}
	}
	dims := slices.SortedFunc(maps.Keys(count), func(a, b int64) int { return cmp.Or(cmp.Compare(count[b], count[a]), cmp.Compare(a, b)) })
	if len(dims) == 0 {
		return 0
	}
	return dims[0]
}

// form is what the tensors of a block are, by their position in it, and those around
// the blocks by their position among the rest. Of tensors of equal shape either may be
// the one or the other: open lists such pairs of entries.
type form struct {
	hidden     int64
	transposed bool // matrices are stored inputs × outputs
	inside     map[int]part
	outside    map[int]part
	open       [][2]int // positions that may be exchanged; negative ones, less one, are outside
}

// formOf reads the shapes of one block.
func formOf(block []*tensor.Tensor, hidden int64) *form {
	f := &form{hidden: hidden, inside: map[int]part{}, outside: map[int]part{}}
	by := map[int64]*strip{} // matrices of hidden × other, by the other dimension
	var norms, square []int
	for i, t := range block {
		switch {
		case len(t.Shape) == 1 && t.Shape[0] == hidden:
			norms = append(norms, i)
		case len(t.Shape) != 2 || t.Shape[0] != hidden && t.Shape[1] != hidden:
		case t.Shape[0] == t.Shape[1]:
			square = append(square, i)
		default:
			other := t.Shape[0] + t.Shape[1] - hidden
			if by[other] == nil {
				by[other] = &strip{}
			}
			by[other].add(i, t.Shape[1] == hidden)
		}
	}
	if !f.gated(by) {
		return nil
	}
	f.attention(by, square)
	switch len(norms) {
	case 1:
		f.inside[norms[0]] = partMLPNorm
	case 2:
		f.pair(norms[0], partAttnNorm, norms[1], partMLPNorm)
	}
	return f
}

// strip holds the positions of matrices of one shape, by what their columns are.
type strip struct{ reads, writes []int } // columns, or rows, as many as the residual stream is wide

func (s *strip) add(i int, reads bool) {
	if reads {
		s.reads = append(s.reads, i)
	} else {
		s.writes = append(s.writes, i)
	}
}

// gated finds the three matrices of a gated MLP, two of one orientation and one of the
// other, which also tells how matrices are stored. Where attention has such a shape,
// too, the wider is the MLP.
func (f *form) gated(by map[int64]*strip) bool {
	for _, width := range slices.Backward(slices.Sorted(maps.Keys(by))) {
		s := by[width]
		switch {
		case len(s.reads) == 2 && len(s.writes) == 1:
		case len(s.reads) == 1 && len(s.writes) == 2:
			f.transposed = true
			for _, s := range by {
				s.reads, s.writes = s.writes, s.reads
			}
		default:
			continue
		}
		f.pair(s.reads[0], partGate, s.reads[1], partUp)
		f.inside[s.writes[0]] = partDown
		delete(by, width)
		return true
	}
	return false
}

// attention finds queries and outputs, and two matrices of keys and values. All four of
// one shape cannot be told apart and stay without a role.
func (f *form) attention(by map[int64]*strip, square []int) {
	var q, o []int
	for _, width := range slices.Sorted(maps.Keys(by)) {
		s := by[width]
		switch {
		case len(s.reads) == 2 && len(s.writes) == 0:
			f.pair(s.reads[0], partK, s.reads[1], partV)
		case len(s.reads) == 1 && len(s.writes) == 1:
			q, o = s.reads, s.writes
		}
	}
	switch {
	case len(q) == 1:
		f.inside[q[0]], f.inside[o[0]] = partQ, partO
	case len(square) == 2:
		f.pair(square[0], partQ, square[1], partO)
	}
}

// around finds the embedding, the head and the last norm.
func (f *form) around(rest []*tensor.Tensor) {
	var tables, norms []int
	for i, t := range rest {
		switch {
		case len(t.Shape) == 1 && t.Shape[0] == f.hidden:
			norms = append(norms, i)
		case len(t.Shape) == 2 && t.Shape[1] == f.hidden && t.Shape[0] > f.hidden:
			tables = append(tables, i)
		}
	}
	switch {
	case len(tables) == 1:
		f.outside[tables[0]] = partEmbedding
	case len(tables) == 2 && rest[tables[0]].Shape[0] == rest[tables[1]].Shape[0]:
		f.outside[tables[0]], f.outside[tables[1]] = partEmbedding, partHead
		f.open = append(f.open, [2]int{-1 - tables[0], -1 - tables[1]})
	}
	if len(norms) == 1 {
		f.outside[norms[0]] = partFinalNorm
	}
}

// pair gives two tensors of equal shape their parts, either way round.
func (f *form) pair(i int, a part, j int, b part) {
	f.inside[i], f.inside[j] = a, b
	f.open = append(f.open, [2]int{i, j})
}

// taken is the form with the pairs exchanged whose bits are set.
func (f *form) taken(way int) (inside, outside map[int]part) {
	inside, outside = maps.Clone(f.inside), maps.Clone(f.outside)
	for k, x := range f.open {
		switch i, j := x[0], x[1]; {
		case way>>k&1 == 0:
		case i < 0:
			outside[-1-i], outside[-1-j] = outside[-1-j], outside[-1-i]
		default:
			inside[i], inside[j] = inside[j], inside[i]
		}
	}
	return inside, outside
}

// network builds the network of one reading.
func (f *form) network(m tensor.Model, blocks [][]*tensor.Tensor, rest []*tensor.Tensor, way int) *Network {
	inside, outside := f.taken(way)
	x := &found{kind: "main", name: "main", layers: map[int]map[slot]*tensor.Tensor{}, outside: map[outer]*tensor.Tensor{}, matrix: true, names: map[string]bool{}}
	var left []*tensor.Tensor
	for n, block := range blocks {
		x.layers[n] = map[slot]*tensor.Tensor{}
		for i, t := range block {
			if p, ok := inside[i]; ok {
				x.layers[n][slot{place{part: p}, -1, false}] = t
			} else {
				left = append(left, t)
			}
		}
	}
	for i, t := range rest {
		if p, ok := outside[i]; ok {
			x.outside[outer{p, false}] = t
		} else {
			left = append(left, t)
		}
	}
	net := &Network{Family: "generic"}
	b := &builder{net: net, fam: familyOf("llama"), found: x, meta: m.Metadata(), conv: f.transposed}
	net.Towers = []*Tower{b.tower()}
	finish(net, m, append(left, b.left...))
	return net
}
