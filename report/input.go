package report

import (
	"context"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity"
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
}

// FromCheckpoint makes an input of an open checkpoint, with what it says beside
// its weights.
func FromCheckpoint(ctx context.Context, c *formats.Checkpoint) Input {
	in := Input{Ref: c.Ref, Format: c.Format, Model: c, Declared: c.DeclaredParents(), Warnings: c.Warnings, Checkpoint: c}
	tokens, err := c.Vocabulary(ctx)
	if err != nil {
		in.Warnings = append(in.Warnings, "the vocabulary is not used: "+err.Error())
	}
	in.Tokens = tokens
	return in
}

// subject prepares an input for the tests.
func (in Input) subject() *similarity.Subject {
	return &similarity.Subject{Name: in.Ref, Net: roles.Map(in.Model), Tokens: in.Tokens}
}

// bytesTotal is the size of the files, or of the stored values where the model
// does not come from files.
func (in Input) bytesTotal() int64 {
	if in.Checkpoint != nil {
		return in.Checkpoint.BytesTotal()
	}
	n := int64(0)
	for _, t := range in.Model.Tensors() {
		n += t.StoredBytes()
	}
	return n
}

// pin describes the input in the report. whole asks for digests of all values
// and files.
func (in Input) pin(ctx context.Context, whole bool) (Subject, error) {
	s := Subject{Ref: in.Ref, Format: in.Format, Header: fingerprint.Header(in.Model), BytesTotal: in.bytesTotal(), Files: []File{}, Declared: in.Declared}
	for _, t := range in.Model.Tensors() {
		n, _ := tensor.Elements(t.Shape)
		s.Parameters += n
	}
	if whole {
		root, err := fingerprint.Root(ctx, in.Model)
		if err != nil {
			return s, err
		}
		s.Root = &root
	}
	if in.Checkpoint == nil {
		return s, nil
	}
	for _, f := range in.Checkpoint.Files() {
		x := File{Path: f.Path, Size: f.Size()}
		if whole {
			d, err := fingerprint.Stored(ctx, f, f.Size())
			if err != nil {
				return s, err
			}
			x.Digest = &d
		}
		s.Files = append(s.Files, x)
	}
	return s, nil
}

// bytesRead is how much of the files was read, headers included.
func (in Input) bytesRead() int64 {
	if in.Checkpoint == nil {
		return 0
	}
	return in.Checkpoint.BytesRead()
}
