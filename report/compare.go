package report

import (
	"bytes"
	"context"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Compare opens the checkpoints that a and b name and compares them. Nil
// options are the defaults.
func Compare(ctx context.Context, a, b string, o *Options) (*Report, error) {
	ca, err := formats.Open(ctx, a, o.Opening())
	if err != nil {
		return nil, err
	}
	defer ca.Close()
	cb, err := formats.Open(ctx, b, o.Opening())
	if err != nil {
		return nil, err
	}
	defer cb.Close()
	r, err := Build(ctx, FromCheckpoint(ctx, ca), FromCheckpoint(ctx, cb), o)
	if err != nil {
		return nil, err
	}
	for _, c := range []*formats.Checkpoint{ca, cb} {
		if err := c.Verify(); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// Build compares two models that are already open. A LoRA adapter is applied to
// Options.Base, or where there is none to the other side.
func Build(ctx context.Context, a, b Input, o *Options) (*Report, error) {
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
	run := &run{o: o.WithDefaults(), in: in}
	run.facts.Adapter = [2]string{in[0].Adapter, in[1].Adapter}
	run.facts.Tautology = tautology(in)
	if run.facts.Named = run.named(); run.facts.Named != "" {
		return run.byName(ctx)
	}
	w := watch(o, in)
	defer w.end()
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{{StageAlign, run.prepare}, {StageTest, run.tests}, {StageMeasure, run.storage}, {StageCarry, run.carry}} {
		w.stage(s.name)
		if err := s.do(ctx); err != nil {
			return nil, err
		}
	}
	w.stage(StageDecide)
	return run.report(ctx)
}

// run carries a comparison from step to step.
type run struct {
	o       Options
	in      [2]Input
	models  [2]tensor.Model                          // as they were opened
	digests [2]map[*tensor.Tensor]fingerprint.Digest // of values, where a pass over them told
	whole   bool                                     // everything is read
	pair    *align.Pair
	facts   verdict.Facts
	looks   []int     // look of each piece of evidence
	taken   int       // looks taken
	experts []UnitMap // which expert of A has the values of each of B's
	warn    []string
	shaped  bool // roles of a subject were taken from shapes
}

// start gives roles, fixes the seed and decides whether everything is read.
func (r *run) start() {
	budget := int64(r.o.Budget)
	total := max(r.in[0].BytesTotal(), r.in[1].BytesTotal())
	if r.o.Budget == Full || total <= budget {
		r.whole, budget = true, align.NoLimit
	}
	a, b := r.in[0].Subject(), r.in[1].Subject()
	if len(a.Net.Towers) > 0 != (len(b.Net.Towers) > 0) { // names that only one side has say nothing of the other
		a.Net, b.Net = roles.Unnamed(a.Rows), roles.Unnamed(b.Rows)
	}
	r.models = [2]tensor.Model{r.in[0].Model, r.in[1].Model}
	r.in[0].Model, r.in[1].Model = a.Rows, b.Rows // nothing is read beside the accounts
	r.pair = align.NewPair(a, b, seed(r.in, r.o.Nonce), budget)
	r.pair.Deep = r.o.Depth == Deep
}

// prepare starts, with the roles that names tell.
func (r *run) prepare(ctx context.Context) error {
	r.start()
	return r.ready(ctx)
}

// ready brings rotary rows into one order and notes what is known before any test.
func (r *run) ready(ctx context.Context) error {
	r.facts.TokensByString, r.facts.Unforeseen = r.tokensByString(), r.o.Nonce != ""
	r.facts.Exhausted = r.whole && r.o.Depth == Deep
	r.facts.Width, r.facts.HiddenUnits = r.widths()
	notes, err := layers.AlignRotary(ctx, r.pair)
	r.warn = append(append(r.warn, notes...), r.pair.TokenNotes()...)
	for i, in := range r.in {
		for _, w := range in.Warnings {
			r.warn = append(r.warn, verdict.Side(i)+": "+w)
		}
		for _, w := range r.networks()[i].Warnings {
			r.warn = append(r.warn, verdict.Side(i)+": "+w)
		}
	}
	return err
}

// seed binds every random choice to both subjects, whichever is named first, and
// to the nonce, which nobody could foresee who made the files.
func seed(in [2]Input, nonce string) []byte {
	a, b := fingerprint.Header(in[0].Model), fingerprint.Header(in[1].Model)
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return slices.Concat(a[:], b[:], []byte(nonce)) // package rng hashes it whole
}

// networks returns the two networks.
func (r *run) networks() [2]*roles.Network { return [2]*roles.Network{r.pair.A.Net, r.pair.B.Net} }
