package formats

import (
	"bytes"
	"context"
	"errors"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/tensor"
)

var ggufFormat = Format{
	Name: "gguf", Endings: []string{".gguf"}, Whole: true,
	Recognise: func(in *Input) bool { return bytes.HasPrefix(in.Head, []byte("GGUF")) },
	Read:      readGGUF,
}

// readGGUF reads a file that is no part of a split set.
func readGGUF(ctx context.Context, in *Input) (tensor.Model, error) {
	g, err := ggufShard(ctx, in)
	if err != nil {
		return nil, err
	}
	if _, count, _, ok, err := g.Split(); err != nil {
		return nil, err
	} else if ok && count != 1 {
		return nil, tensor.Errorf(tensor.ErrFormat, in.Label, 0, "split.count", "the file is one of %d, but its name carries no shard number", count)
	}
	return g, nil
}

// ggufShard reads a file that may be a part of a split set.
func ggufShard(ctx context.Context, in *Input) (*gguf.File, error) {
	g, err := gguf.Read(ctx, in.Label, in, in.Size)
	if g == nil || err != nil && (!errors.Is(err, tensor.ErrUnsupported) || !in.Options.UnknownTypes) {
		return nil, err
	}
	if err != nil {
		in.Warn(err.Error())
	}
	if kind, _ := g.Metadata().String("general.type"); kind == "imatrix" {
		return nil, tensor.Errorf(tensor.ErrNotModel, in.Label, 0, "general.type", "these are statistics of activations that quantising took into account (an importance matrix), no weights")
	}
	for _, w := range g.Warnings {
		in.Warn(w)
	}
	return g, nil
}
