package tokenfree

import (
	"cmp"
	"context"

	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/similarity/mlp"
)

// clearly is the share of units that must agree before a layer counts as the
// counterpart of another. Chance gives one unit or two.
const clearly = 0.05

// Counterparts pairs the layers of two stacks of any depth by signatures alone:
// (a, b) where layer a of A is the one most like layer b of B and the reverse,
// in order of b. Layers are alike by the number of units that find the same
// partner through the signatures of both groups of views. Layers without a
// clear counterpart are left out. Once ctx has ended the rest is not looked at.
func Counterparts(ctx context.Context, a, b []mlp.Block, o *Options) (pairs [][2]int) {
	var whole []*mlp.Joined
	for _, x := range b {
		whole = append(whole, mlp.Whole(x))
	}
	return NewStack(a, o).Counterparts(ctx, whole)
}

// Stack is a stack of layers that others are paired with: what describes it is worked
// out once.
type Stack struct {
	layers []*mlp.Joined
	opt    Options
	known  map[described][]signed
}

// described says how a stack is described: in how many directions, and whether the
// signs of its gates are taken to be free.
type described struct {
	dims int
	free bool
}

// NewStack takes the layers of A.
func NewStack(a []mlp.Block, o *Options) *Stack {
	s := &Stack{nil, o.orDefaults(), map[described][]signed{}}
	for _, x := range a {
		s.layers = append(s.layers, mlp.Whole(x))
	}
	return s
}

// Counterparts are those of its layers and B's, as the function gives them.
func (s *Stack) Counterparts(ctx context.Context, b []*mlp.Joined) (pairs [][2]int) {
	a, opt := s.layers, s.opt.within(ctx)
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	how := described{min(s.opt.Dims, a[0].Head().Hidden, b[0].Head().Hidden), turned(heads(a), heads(b))}
	if s.known[how] == nil {
		sa := opt.signAll(a, how, false)
		if opt.ended() {
			return nil
		}
		s.known[how] = sa
	}
	sa, sb := s.known[how], opt.signAll(b, how, true)
	scores := make([]float64, len(a)*len(b))
	dense.Parallel(len(scores), func(k int) {
		if !opt.ended() {
			scores[k] = float64(alike(sa[k%len(a)], sb[k/len(a)]))
		}
	})
	if opt.ended() {
		return nil
	}
	return mutualLayers(scores, len(a), len(b), func(i, j int) float64 {
		return clearly * float64(min(sa[i].units, sb[j].units))
	})
}

// highest is the first position of the largest of n values.
func highest[T cmp.Ordered](n int, value func(i int) T) int {
	best := 0
	for i := range n {
		if value(i) > value(best) {
			best = i
		}
	}
	return best
}

// signed are the signatures of a layer's units by each group of views.
type signed struct {
	units  int
	groups [2]*signature
}

// heads are the blocks without their rows.
func heads(of []*mlp.Joined) (out []mlp.Block) {
	for _, j := range of {
		out = append(out, j.Head())
	}
	return out
}

// signAll describes the units of all blocks. Their directions are made anew for each
// of its steps: together they would take as much memory as the blocks.
func (o *Options) signAll(blocks []*mlp.Joined, how described, sample bool) []signed {
	each := func(yield func(*directions) bool) {
		for _, j := range blocks {
			if o.ended() {
				return
			}
			b := j.Block()
			if !yield(directionsOf(&b, how.free)) {
				return
			}
		}
	}
	span := o.leading(each, blocks[0].Head().Hidden, how.dims)
	reduced := func(yield func(*directions) bool) {
		for d := range each {
			if !yield(d.onto(span, how.dims)) {
				return
			}
		}
	}
	by := forms(reduced, 0)
	out := make([]signed, 0, len(blocks))
	for d := range reduced {
		if sample {
			d = o.sampled(d)
		}
		s := signed{units: d.units}
		for g := range 2 {
			s.groups[g] = signatures(d.group(g), by)
		}
		out = append(out, s)
	}
	return append(out, make([]signed, len(blocks)-len(out))...)
}

// group keeps one group of views.
func (d *directions) group(g int) *directions {
	from, to, first := 0, d.first, d.first
	if g == 1 {
		from, to, first = d.first, len(d.rows), 0
	}
	return &directions{units: d.units, dim: d.dim, rows: d.rows[from:to], odd: d.odd[from:to], length: d.length[from:to], first: first}
}
