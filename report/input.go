package report

import (
	"context"
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/align"
)

// Input is one subject of a comparison as Build takes it. Only Model is
// needed; the rest makes the report more complete.
type Input struct {
	Ref        string
	Format     string
	Model      tensor.Model
	Tokens     []string // token strings by row of the embedding
	Declared   []string // models that the files name as their origin
	Warnings   []string
	Checkpoint *formats.Checkpoint // where Model was opened from, if so
	Adapter    string              // what adapter was applied to a base, "" for none

	base  tensor.Model          // what the adapter was applied to, nil for none
	parts []*formats.Checkpoint // the base and the adapter
	fresh int64                 // bytes read when the input was made
	used  bool                  // by an earlier comparison
}

// Checkpoints lists the files that the input was opened from.
func (in Input) Checkpoints() []*formats.Checkpoint {
	if in.Checkpoint != nil {
		return []*formats.Checkpoint{in.Checkpoint}
	}
	return in.parts
}

// IsAdapter tells whether the input is a LoRA adapter, which can be compared
// only together with a base.
func (in Input) IsAdapter() bool { return packed.IsAdapter(in.Model) }

// WithAdapter is a base with a LoRA adapter applied. Nothing is written.
func WithAdapter(base, adapter Input) (Input, error) {
	m, err := packed.NewAdapter(base.Model, adapter.Model)
	if err != nil {
		return Input{}, fmt.Errorf("%s on %s: %w", adapter.Ref, base.Ref, err)
	}
	return Input{
		base:  base.Model,
		parts: slices.Concat(base.Checkpoints(), adapter.Checkpoints()),
		fresh: base.fresh + adapter.fresh,
		Ref:   base.Ref + " + " + adapter.Ref, Format: base.Format + "+adapter", Model: m, Tokens: base.Tokens, Declared: adapter.Declared,
		Warnings: append(slices.Clone(base.Warnings), adapter.Warnings...),
		Adapter:  fmt.Sprintf("a LoRA adapter of rank %d and scale %.4g on %d matrices", m.Rank, m.Scale, len(m.Targets)),
	}, nil
}

// resolve applies adapters among the two inputs of a comparison: to the given
// base, or else to the other side.
func resolve(in [2]Input, base *Input) ([2]Input, error) {
	out := in
	for i := range in {
		if !in[i].IsAdapter() {
			continue
		}
		on := base
		if on == nil {
			on = &in[1-i]
		}
		if on.IsAdapter() {
			return out, fmt.Errorf("%s is an adapter: name the model that it adapts with --base", in[i].Ref)
		}
		applied, err := WithAdapter(*on, in[i])
		if err != nil {
			return out, err
		}
		if base == nil {
			applied.Warnings = append(applied.Warnings, "the adapter was applied to the other side, so what the two have in common follows from that")
		}
		out[i] = applied
	}
	return out, nil
}

// tautology says why what two subjects share follows from how they were opened:
// an adapter brings none of the weights that it was applied to.
func tautology(in [2]Input) string {
	own := func(i int) tensor.Model {
		if in[i].base != nil {
			return in[i].base
		}
		return in[i].Model
	}
	switch {
	case in[0].base == nil && in[1].base == nil, own(0) != own(1):
		return ""
	case in[0].base != nil && in[1].base != nil:
		return "two adapters were applied to one base, so that both sides hold its weights: only what the adapters bring could speak, and that is not enough to tell"
	}
	return "the adapter was applied to the other side, so that both sides hold its weights: only what the adapter brings could speak, and it would fit any base of its shape"
}

// Headers makes an input of an open checkpoint without reading its vocabulary.
func Headers(c *formats.Checkpoint) Input {
	return Input{Ref: c.Ref, Format: c.Format, Model: c, Declared: c.DeclaredParents(), Warnings: c.Warnings, Checkpoint: c}
}

// FromCheckpoint makes an input of an open checkpoint, with what it says beside
// its weights.
func FromCheckpoint(ctx context.Context, c *formats.Checkpoint) Input {
	in := Headers(c)
	tokens, err := c.Vocabulary(ctx)
	if err != nil {
		in.Warnings = append(in.Warnings, "the vocabulary is not used: "+err.Error())
	}
	in.Tokens = tokens
	in.fresh = in.BytesRead()
	return in
}

// Subject prepares an input for the tests.
func (in Input) Subject() *align.Subject {
	return align.NewSubject(in.Ref, in.Model, in.Tokens)
}

// BytesTotal is the size of the files, or of the stored values where the model
// does not come from files.
func (in Input) BytesTotal() int64 {
	n := int64(0)
	for _, c := range in.Checkpoints() {
		n += c.BytesTotal()
	}
	if n > 0 {
		return n
	}
	for _, t := range in.Model.Tensors() {
		n += t.StoredBytes()
	}
	return n
}

// BytesRead is how much of the files was read, headers included.
func (in Input) BytesRead() int64 {
	n := int64(0)
	for _, c := range in.Checkpoints() {
		n += c.BytesRead()
	}
	return n
}
