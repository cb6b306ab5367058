package report

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/architecture"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/exact"
	"github.com/weightprint/weightprint/similarity/layers"
	"github.com/weightprint/weightprint/similarity/suite"
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
	if err := run.prepare(ctx); err != nil {
		return nil, err
	}
	if err := run.tests(ctx); err != nil {
		return nil, err
	}
	if err := run.storage(ctx); err != nil {
		return nil, err
	}
	if err := run.carry(ctx); err != nil {
		return nil, err
	}
	return run.report(ctx)
}

// run carries a comparison from step to step.
type run struct {
	o     Options
	in    [2]Input
	whole bool // everything is read
	pair  *align.Pair
	facts verdict.Facts
	looks []int // look of each piece of evidence
	taken int   // looks taken
	warn  []string
}

// start gives roles, fixes the seed and decides whether everything is read.
func (r *run) start() {
	budget := int64(r.o.Budget)
	total := max(r.in[0].BytesTotal(), r.in[1].BytesTotal())
	if r.o.Budget == Full || total <= budget {
		r.whole, budget = true, 0
	}
	a, b := r.in[0].Subject(), r.in[1].Subject()
	if len(a.Net.Towers) > 0 != (len(b.Net.Towers) > 0) { // names that only one side has say nothing of the other
		a.Net, b.Net = roles.Unnamed(r.in[0].Model), roles.Unnamed(r.in[1].Model)
	}
	r.pair = align.NewPair(a, b, seed(r.in, r.o.Nonce), budget)
}

// prepare starts and brings rotary rows into one order.
func (r *run) prepare(ctx context.Context) error {
	r.start()
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

// tests runs the looks, the later ones only while the verdict is open or the
// depth asks for them.
func (r *run) tests(ctx context.Context) error {
	if len(r.pair.A.Net.Generic) > 0 && len(r.pair.B.Net.Generic) > 0 {
		if err := r.equal(ctx); err != nil {
			return err
		}
		if err := layers.PairGeneric(ctx, r.pair); err != nil {
			return err
		}
	}
	if err := r.structure(ctx); err != nil {
		return err
	}
	for look := range axis.Stages() {
		if look > 0 && (r.o.Depth == Quick || r.o.Depth == Normal && r.settled() && r.facts.HasContent() && !r.facts.OriginOpen(r.o.Policy.Level())) {
			break
		}
		if err := r.look(ctx, look); err != nil {
			return err
		}
		if look == 0 {
			if err := r.relook(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// look runs the tests of one look.
func (r *run) look(ctx context.Context, look int) error {
	found, err := similarity.Run(ctx, r.pair, suite.Stage(look))
	if err != nil {
		return err
	}
	for range found {
		r.looks = append(r.looks, look)
	}
	r.facts.Evidence = append(r.facts.Evidence, verdict.Sound(found)...)
	r.taken = look + 1
	axes, err := axis.Read(ctx, r.pair, look)
	if err != nil {
		return err
	}
	r.toldApart(axes)
	power := exact.FixedPointPower(axes, r.o.Policy.Cosine, r.o.Policy.Level())
	if power.Reached || look == 0 {
		r.facts.Power = power
	}
	return nil
}

// toldApart notes the share of MLP units that are neither constant nor
// duplicates.
func (r *run) toldApart(axes []*axis.Axis) {
	var ok, all [2]int
	for _, x := range axes {
		if x.Coordinates != "raw" || x.Component != "mlp" && x.Component != "experts" {
			continue
		}
		for i, s := range []axis.Side{x.A, x.B} {
			for _, eligible := range s.Eligible {
				all[i]++
				if eligible {
					ok[i]++
				}
			}
		}
	}
	r.facts.Eligible = 1
	for i := range all {
		if all[i] > 0 {
			r.facts.Eligible = min(r.facts.Eligible, float64(ok[i])/float64(all[i]))
		}
	}
}

// widths is the width of the wider residual stream, and how many MLP units the
// layers of the smaller network have.
func (r *run) widths() (hidden, units int) {
	for i, n := range r.networks() {
		sum := 0
		for _, t := range n.Towers {
			hidden = max(hidden, t.Hidden)
			for _, l := range t.Layers {
				for _, e := range l.MLPs() {
					sum += e.Width()
				}
			}
		}
		if i == 0 || sum < units {
			units = sum
		}
	}
	return hidden, units
}

// tokensByString tells whether tokens of the two are paired by their strings,
// and enough of them.
func (r *run) tokensByString() bool {
	for _, t := range r.pair.Towers {
		if r.pair.TokensByString(t) {
			return true
		}
	}
	return false
}

// settled tells whether the exact tests have found a relation in every part of
// the body that they could test; what is left open asks for another look.
func (r *run) settled() bool {
	any := false
	for _, part := range parts(r.pair.B.Net) {
		if part.name == "embeddings" {
			continue
		}
		p, e := r.facts.Best(func(e similarity.Evidence) bool { return verdict.PartName(e) == part.name })
		if e == nil {
			continue
		}
		if p > r.o.Policy.Level() {
			return false
		}
		any = true
	}
	return any
}

// related tells whether anything was found.
func (r *run) related() bool {
	p, e := r.facts.Best(verdict.Any)
	return e != nil && p <= r.o.Policy.Level() || r.facts.Channels(verdict.Controls()).Found()
}

// storage compares values in the same role: all of them where everything is
// read, some rows of each matrix where a relation was found.
func (r *run) storage(ctx context.Context) error {
	if !r.whole && !r.related() {
		return nil
	}
	if err := r.shape(ctx); err != nil {
		return err
	}
	m := r.pair.Match()
	rows := 0
	if !r.whole {
		if n := r.pair.VectorsWithin(m); n > 0 {
			r.warn = append(r.warn, fmt.Sprintf("%d vectors were not read: they do not fit the budget", n))
		}
		rows = r.pair.RowsWithin(m)
	}
	changes, shapes, err := delta.Compare(ctx, m, r.pair.Seed, delta.Options{Rows: rows})
	if err != nil {
		return err
	}
	r.facts.Storage = verdict.Storage{Changes: changes, Shapes: shapes, OnlyA: m.OnlyA, OnlyB: m.OnlyB, Complete: r.whole, Renamed: renamed(r.in), InOrder: r.inOrder(), Values: r.values()}
	if err := r.equal(ctx); err != nil {
		return err
	}
	if !r.related() {
		return nil
	}
	if r.facts.Spectra, err = delta.Spectra(ctx, r.pair, m, changes, r.whole); err != nil {
		return err
	}
	if err := r.facts.Shape.LookAtQueries(ctx, r.pair, r.facts.RoleCosine(".attn.q")); err != nil {
		return err
	}
	return r.facts.Shape.LookForMovedRows(ctx, r.pair, r.embeddingCosine())
}

// inOrder tells whether every layer of either subject is held against the one at
// its own place.
func (r *run) inOrder() bool {
	for _, t := range r.pair.Towers {
		if len(t.Layers) != len(t.A.Layers) || len(t.Layers) != len(t.B.Layers) {
			return false
		}
		for _, l := range t.Layers {
			if l.A != l.B {
				return false
			}
		}
	}
	return true
}

// values is the number of values of the larger subject.
func (r *run) values() (n float64) {
	for _, in := range r.in {
		sum := 0.0
		for _, t := range in.Model.Tensors() {
			sum += float64(t.Len())
		}
		n = max(n, sum)
	}
	return n
}

// shape measures how the architectures of the two differ.
func (r *run) shape(ctx context.Context) error {
	var sources []int
	if len(r.pair.Towers) > 0 {
		sources = r.sources(r.pair.Towers[0])
	}
	s, err := architecture.Measure(ctx, r.pair, sources)
	if err == nil {
		r.facts.Shape = *s
	}
	return err
}

// embeddingCosine is the cosine of the embeddings row by row, 1 if unknown.
func (r *run) embeddingCosine() float64 {
	for i := range r.facts.Storage.Changes {
		if c := &r.facts.Storage.Changes[i]; c.Component == "embeddings" {
			return c.Stats.Cosine()
		}
	}
	return 1
}

// renamed tells whether container, shards, names or the packing of both differ.
func renamed(in [2]Input) bool {
	if in[0].Format != in[1].Format {
		return true
	}
	if a, b := in[0].Checkpoint, in[1].Checkpoint; a != nil && b != nil {
		if len(a.Files()) != len(b.Files()) || a.Layout != "" && b.Layout != "" && a.Layout != b.Layout {
			return true
		}
	}
	for _, t := range in[0].Model.Tensors() {
		if _, ok := in[1].Model.Tensor(t.Name); !ok {
			return true
		}
	}
	return len(in[0].Model.Tensors()) != len(in[1].Model.Tensors())
}

// report puts everything together.
func (r *run) report(ctx context.Context) (*Report, error) {
	out := &Report{
		Schema: Schema, Tool: ThisTool(), Options: r.o, Propositions: verdict.StatedPropositions(),
		Power: r.o.Policy.Power(r.facts.Power), Carry: r.facts.Carry, Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{},
		Roles: []RoleLikeness{}, Methods: methods(r.o.Tests), Policy: verdict.CurrentRules(), Seed: hex.EncodeToString(r.pair.Seed),
	}
	if r.o.Nonce != "" {
		out.Nonce = &r.o.Nonce
	}
	if err := r.pictured(ctx, out); err != nil {
		return nil, err
	}
	compared := [2]int64{r.in[0].BytesRead(), r.in[1].BytesRead()} // without what only pinning reads
	for i, in := range r.in {
		s, err := in.pin(ctx, r.whole, r.o.Pin || r.o.dated())
		if err != nil {
			return nil, err
		}
		out.Subjects[i] = s
	}
	if err := r.date(ctx, &out.Subjects); err != nil {
		return nil, err
	}
	out.Options, out.Verdict = r.o, r.o.Policy.Decide(r.facts)
	for i, in := range r.in {
		out.Subjects[i].BytesRead = compared[i]
		if r.whole {
			out.Subjects[i].BytesRead = in.BytesRead()
		}
	}
	out.Limits = append(slices.Clone(limits), r.positions())
	out.Warnings = append(out.Warnings, r.warn...)
	r.evidence(out)
	r.notTaken(out)
	if err := r.further(ctx, out); err != nil {
		return nil, err
	}
	out.Components = r.components(out.Verdict)
	out.Layers = r.layers()
	out.Delta = r.delta()
	return out, nil
}

// positions says whether somebody could have foreseen what was read.
func (r *run) positions() string {
	switch {
	case r.o.Nonce != "":
		return "Sampled positions follow from the names and shapes of both subjects and from the nonce that is named among the options: nobody could foresee them who did not know it when the files were made."
	case r.whole:
		return "Sampled positions follow from the names and shapes of both subjects, so that they could have been foreseen; every value was read all the same."
	}
	return "Sampled positions follow from the names and shapes of both subjects, so that whoever made a file could have foreseen them and aimed at them: what could be gained by that is allowed for. With --nonce TEXT nobody can."
}

// limits is what no comparison of weights can show.
var limits = []string{
	"A relation means a common trained origin or, where the verdict says so, a common random initialisation. It does not say who copied from whom, nor that copying was wrong.",
	"Distillation from outputs and training on the same data leave no trace in weights.",
}

func (r *run) evidence(out *Report) {
	for i, e := range r.facts.Evidence {
		if e.LayerB < 0 { // the others are summed up under layers
			out.Evidence = append(out.Evidence, shown(e, r.looks[i]+1))
		}
	}
}

// shown is a piece of evidence as reports hold it.
func shown(e similarity.Evidence, look int) Evidence {
	x := Evidence{Test: e.Test, Axis: e.Axis, Component: e.Component, Tier: string(e.Tier), Statistic: verdict.Number(e.Statistic), Effect: verdict.Number(e.Effect), N: e.N, Null: e.Null, Look: look, Skipped: e.Skipped, Warnings: append([]string{}, e.Warnings...)}
	if e.P != nil {
		x.Log10P = verdict.NumberOf(e.P.Log10())
	}
	if e.Tier == similarity.Calibrated && e.Skipped == "" {
		x.Controls = verdict.Controls().Stand(e.Test, e.Effect, e.N)
	}
	return x
}

// notTaken lists the tests of the looks that were not taken, with the reason.
func (r *run) notTaken(out *Report) {
	why := "the verdict was settled before this look"
	if r.o.Depth == Quick {
		why = "depth quick: the first look only"
	}
	for look := r.taken; look < len(axis.Stages()); look++ {
		for _, t := range suite.Stage(look) {
			out.Evidence = append(out.Evidence, Evidence{Test: t.Name, Axis: "all", Component: "all", Tier: string(t.Tier), Look: look + 1, Skipped: why, Warnings: []string{}})
		}
	}
}

// further runs the caller's own tests. What they find is shown and takes no
// part in the verdict, whose error rates were measured without them.
func (r *run) further(ctx context.Context, out *Report) error {
	if len(r.o.Tests) == 0 {
		return nil
	}
	found, err := similarity.Run(ctx, r.pair, r.o.Tests)
	if err != nil {
		return err
	}
	for _, e := range found {
		out.Evidence = append(out.Evidence, shown(e, r.taken))
	}
	out.Warnings = append(out.Warnings, fmt.Sprintf("%d further tests were given by the caller; the verdict does not use them", len(r.o.Tests)))
	return nil
}

// networks returns the two networks.
func (r *run) networks() [2]*roles.Network { return [2]*roles.Network{r.pair.A.Net, r.pair.B.Net} }
