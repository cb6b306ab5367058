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
	return NewStack(a, o).Counterparts(ctx, wholes(b))
}

// Stack is a stack of layers that others are paired with: what describes it is worked
// out once.
type Stack struct {
	layers []*mlp.Joined
	opt    Options
	known  map[described]*signer
}

// described says how a stack is described: in how many directions, and whether the
// signs of its gates are taken to be free.
type described struct {
	dims int
	free bool
}

// NewStack takes the layers of A.
func NewStack(a []mlp.Block, o *Options) *Stack {
	return &Stack{wholes(a), o.orDefaults(), map[described]*signer{}}
}

// abreast is how many layers of A stand against all of B at a time.
const abreast = 8

// Counterparts are those of its layers and B's, as the function gives them.
func (s *Stack) Counterparts(ctx context.Context, b []*mlp.Joined) (pairs [][2]int) {
	a, opt := s.layers, s.opt.within(ctx)
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	how := described{min(s.opt.Dims, a[0].Head().Hidden, b[0].Head().Hidden), turned(heads(a), heads(b))}
	if s.known[how] == nil {
		by := opt.signer(a, how, false)
		if opt.ended() {
			return nil
		}
		s.known[how] = by
	}
	sb := opt.signer(b, how, true).some(&opt, 0, len(b))
	scores := make([]float64, len(a)*len(b))
	for lo := 0; lo < len(a); lo += abreast {
		sa := s.known[how].some(&opt, lo, min(lo+abreast, len(a)))
		dense.Parallel(len(sa)*len(b), func(k int) {
			if i, j := k%len(sa), k/len(sa); !opt.ended() {
				scores[j*len(a)+lo+i] = float64(alike(sa[i], sb[j]))
			}
		})
	}
	if opt.ended() {
		return nil
	}
	return mutualLayers(scores, len(a), len(b), func(i, j int) float64 {
		return clearly * float64(min(a[i].Head().Units, sb[j].units))
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

// heads are the blocks without their rows.
func heads(of []*mlp.Joined) (out []mlp.Block) {
	for _, j := range of {
		out = append(out, j.Head())
	}
	return out
}
