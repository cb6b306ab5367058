package report

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"runtime/debug"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/suite"
)

// Compare opens the checkpoints that a and b name and compares them. Nil
// options are the defaults.
func Compare(ctx context.Context, a, b string, o *Options) (*Report, error) {
	ca, err := formats.Open(ctx, a, o.opening())
	if err != nil {
		return nil, err
	}
	defer ca.Close()
	cb, err := formats.Open(ctx, b, o.opening())
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
	in, err := resolve([2]Input{a, b}, o.base())
	if err != nil {
		return nil, err
	}
	for i := range in {
		in[i].used = in[i].bytesRead() > in[i].fresh
	}
	run := &run{o: o.filled(), in: in}
	run.facts.Adapter = [2]string{in[0].Adapter, in[1].Adapter}
	if err := run.prepare(ctx); err != nil {
		return nil, err
	}
	if err := run.tests(ctx); err != nil {
		return nil, err
	}
	if err := run.storage(ctx); err != nil {
		return nil, err
	}
	return run.report(ctx)
}

// run carries a comparison from step to step.
type run struct {
	o     Options
	in    [2]Input
	whole bool // everything is read
	pair  *similarity.Pair
	facts Facts
	looks []int // look of each piece of evidence
	taken int   // looks taken
	warn  []string
}

// start gives roles, fixes the seed and decides whether everything is read.
func (r *run) start() {
	budget := int64(r.o.Budget)
	total := max(r.in[0].bytesTotal(), r.in[1].bytesTotal())
	if r.o.Budget == Full || total <= budget {
		r.whole, budget = true, 0
	}
	r.pair = similarity.NewPair(r.in[0].subject(), r.in[1].subject(), seed(r.in), budget)
}

// prepare starts and brings rotary rows into one order.
func (r *run) prepare(ctx context.Context) error {
	r.start()
	notes, err := r.pair.AlignRotary(ctx)
	r.warn = append(append(r.warn, notes...), r.pair.TokenNotes()...)
	for i, in := range r.in {
		for _, w := range in.Warnings {
			r.warn = append(r.warn, side(i)+": "+w)
		}
		for _, w := range r.networks()[i].Warnings {
			r.warn = append(r.warn, side(i)+": "+w)
		}
	}
	return err
}

func side(i int) string { return string(rune('A' + i)) }

// seed binds every random choice to both subjects, whichever is named first.
func seed(in [2]Input) []byte {
	a, b := fingerprint.Header(in[0].Model), fingerprint.Header(in[1].Model)
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return append(a[:], b[:]...)
}

// tests runs the looks, the later ones only while the verdict is open or the
// depth asks for them.
func (r *run) tests(ctx context.Context) error {
	if err := r.structure(ctx); err != nil {
		return err
	}
	for look := range similarity.Looks {
		if look > 0 && (r.o.Depth == Quick || r.o.Depth == Normal && r.settled() && !r.facts.originOpen(r.o.Policy.level())) {
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
	found, err := similarity.Run(ctx, r.pair, suite.Look(look))
	if err != nil {
		return err
	}
	for range found {
		r.looks = append(r.looks, look)
	}
	r.facts.Evidence = append(r.facts.Evidence, sound(found)...)
	r.taken = look + 1
	axes, err := r.pair.Axes(ctx, look)
	if err != nil {
		return err
	}
	power := similarity.FixedPointPower(axes, r.o.Policy.Cosine, r.o.Policy.level())
	if power.Reached || look == 0 {
		r.facts.Power = power
	}
	return nil
}

// settled tells whether the exact tests have found a relation in every part of
// the body that they could test; what is left open asks for another look.
func (r *run) settled() bool {
	any := false
	for _, part := range parts(r.pair.B.Net) {
		if part.name == "embeddings" {
			continue
		}
		p, e := r.facts.best(func(e similarity.Evidence) bool { return partName(e) == part.name })
		if e == nil {
			continue
		}
		if p > r.o.Policy.level() {
			return false
		}
		any = true
	}
	return any
}

// related tells whether anything was found.
func (r *run) related() bool {
	p, e := r.facts.best(anyEvidence)
	return e != nil && p <= r.o.Policy.level() || r.facts.channels(Controls).found()
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
	r.facts.Storage = Storage{Changes: changes, Shapes: shapes, OnlyA: m.OnlyA, OnlyB: m.OnlyB, Complete: r.whole, Renamed: renamed(r.in)}
	if !r.related() {
		return nil
	}
	if err := r.spectra(ctx, m); err != nil {
		return err
	}
	if err := r.queries(ctx); err != nil {
		return err
	}
	return r.shuffled(ctx)
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

// Version is the version of this module as the build knows it.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/weightprint/weightprint" {
			return d.Version
		}
	}
	if v := info.Main.Version; v != "" && v != "(devel)" && info.Main.Path == "github.com/weightprint/weightprint" {
		return v
	}
	return "development"
}

// report puts everything together.
func (r *run) report(ctx context.Context) (*Report, error) {
	out := &Report{
		Schema: Schema, Tool: Tool{"weightprint", Version()}, Options: r.o, Propositions: propositions,
		Verdict: r.o.Policy.Decide(r.facts), Power: r.o.Policy.power(r.facts.Power), Evidence: []Evidence{}, Layers: []Layer{}, Context: []Context{}, Limits: limits, Warnings: []string{},
		Roles: []RoleLikeness{}, Methods: methods(r.o.Tests), Seed: hex.EncodeToString(r.pair.Seed),
	}
	if err := r.pictured(ctx, out); err != nil {
		return nil, err
	}
	compared := [2]int64{r.in[0].bytesRead(), r.in[1].bytesRead()} // without what only pinning reads
	for i, in := range r.in {
		s, err := in.pin(ctx, r.whole, r.o.Pin)
		if err != nil {
			return nil, err
		}
		out.Subjects[i] = s
	}
	for i, in := range r.in {
		out.Subjects[i].BytesRead = compared[i]
		if r.whole {
			out.Subjects[i].BytesRead = in.bytesRead()
		}
	}
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

// limits is what no comparison of weights can show.
var limits = []string{
	"A relation means a common trained origin or, where the verdict says so, a common random initialisation. It does not say who copied from whom, nor that copying was wrong.",
	"Distillation from outputs and training on the same data leave no trace in weights.",
	"Sampled positions follow from the names and shapes of both subjects; they were not chosen by anyone.",
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
	x := Evidence{Test: e.Test, Axis: e.Axis, Component: e.Component, Tier: string(e.Tier), Statistic: Number(e.Statistic), Effect: Number(e.Effect), N: e.N, Null: e.Null, Look: look, Skipped: e.Skipped, Warnings: append([]string{}, e.Warnings...)}
	if e.P != nil {
		x.Log10P = number(e.P.Log10())
	}
	if e.Tier == similarity.Calibrated && e.Skipped == "" {
		x.Controls = Controls.Stand(e.Test, e.Effect, e.N)
	}
	return x
}

// notTaken lists the tests of the looks that were not taken, with the reason.
func (r *run) notTaken(out *Report) {
	why := "the verdict was settled before this look"
	if r.o.Depth == Quick {
		why = "depth quick: the first look only"
	}
	for look := r.taken; look < len(similarity.Looks); look++ {
		for _, t := range suite.Look(look) {
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
