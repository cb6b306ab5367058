package tokenfree

import (
	"github.com/weightprint/weightprint/similarity/mlp"
)

// signed are the signatures of a layer's units by each group of views.
type signed struct {
	units  int
	groups [2]*signature
}

// signer describes the units of the layers of a stack.
type signer struct {
	layers layers
	how    described
	sample bool        // only the units that take part
	span   []float32   // the leading directions of all layers
	forms  [][]float32 // what their units are described by
	kept   []signed    // where they take far less memory than the layers
}

// narrow is the width up to which the signatures of a layer take as much memory as the
// layer, and are made anew as fast as they are compared.
const narrow = 64

// signer looks at all layers. Their directions are made anew for each of its steps:
// together they would take as much memory as the layers.
func (o *Options) signer(blocks []*mlp.Joined, how described, sample bool) *signer {
	s := &signer{layers: layers{blocks, how.free}, how: how, sample: sample}
	hidden := blocks[0].Head().Hidden
	s.span = o.leading(s.layers.each, hidden, how.dims)
	s.forms = forms(func(yield func(*directions) bool) {
		for i := range blocks {
			if o.ended() || !yield(s.reduced(i)) {
				return
			}
		}
	}, 0)
	if !o.ended() && hidden > narrow {
		s.kept = s.made(o, 0, len(blocks))
	}
	return s
}

// reduced is a layer in the leading directions.
func (s *signer) reduced(i int) *directions { return s.layers.at(i).onto(s.span, s.how.dims) }

// some describes the units of the layers [lo, hi), none of them where nobody waits for
// them any more.
func (s *signer) some(o *Options, lo, hi int) []signed {
	if s.kept != nil {
		return s.kept[lo:hi]
	}
	return s.made(o, lo, hi)
}

func (s *signer) made(o *Options, lo, hi int) []signed {
	out := make([]signed, hi-lo)
	for i := range out {
		if o.ended() {
			break
		}
		d := s.reduced(lo + i)
		if s.sample {
			d = o.sampled(d)
		}
		out[i].units = d.units
		for g := range 2 {
			out[i].groups[g] = signatures(d.group(g), s.forms)
		}
	}
	return out
}

// group keeps one group of views.
func (d *directions) group(g int) *directions {
	from, to, first := 0, d.first, d.first
	if g == 1 {
		from, to, first = d.first, len(d.rows), 0
	}
	return &directions{units: d.units, dim: d.dim, rows: d.rows[from:to], odd: d.odd[from:to], length: d.length[from:to], first: first}
}
