package report

import (
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
)

// opened is the two subjects of a comparison, adapters applied, and how they are
// to be compared.
type opened struct {
	options Options // with defaults in place of zero fields
	in      [2]Input
	facts   verdict.Facts // what is known before anything is read
}

// open checks the options, applies adapters and tells what follows from how the
// subjects were opened.
func open(a, b Input, o *Options) (*opened, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	in, err := resolve([2]Input{a, b}, o.base())
	if err != nil {
		return nil, err
	}
	for i := range in {
		in[i].used = in[i].BytesRead() > in[i].fresh
	}
	x := &opened{options: o.WithDefaults(), in: in}
	x.facts.Adapter = [2]string{in[0].Adapter, in[1].Adapter}
	x.facts.Tautology, x.facts.Named = tautology(in), x.named()
	x.facts.Unforeseen = x.options.Nonce != ""
	return x, nil
}

// sides are the subjects as the stages take them.
func (x *opened) sides() (out [2]aligned.Side) {
	for i, in := range x.in {
		s := aligned.Side{Ref: in.Ref, Format: in.Format, Model: in.Model, Tokens: in.Tokens, Warnings: in.Warnings, Bytes: in.BytesTotal()}
		if c := in.Checkpoint; c != nil {
			s.Files, s.Layout = len(c.Files()), c.Layout
		}
		out[i] = s
	}
	return out
}

// extent is how far the options let the comparison go.
func (x *opened) extent() planned.Extent {
	e := planned.Extent{Budget: int64(x.options.Budget), Quick: x.options.Depth == Quick, Deep: x.options.Depth == Deep}
	if x.options.Budget == Full {
		e.Budget = align.NoLimit
	}
	return e
}
