package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/flax"
	"github.com/weightprint/weightprint/formats/tensor"
)

var flaxFormat = Format{
	Name: "flax", Endings: []string{".msgpack"},
	Recognise: func(in *Input) bool { return flax.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		f, err := flax.Read(ctx, in.Label, in, in.Size)
		if err != nil {
			return nil, err
		}
		for _, w := range f.Warnings {
			in.Warn(w)
		}
		return f, nil
	},
}
