package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/hdf5"
	"github.com/weightprint/weightprint/formats/tensor"
)

var hdf5Format = Format{
	Name: "hdf5", Endings: []string{".h5", ".hdf5", ".weights.h5"},
	Recognise: func(in *Input) bool { return hdf5.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		return warned(in)(hdf5.Read(ctx, in.Label, in, in.Size))
	},
}

var kerasFormat = Format{
	Name: "keras", Endings: []string{".keras"},
	Recognise: func(in *Input) bool { return hdf5.RecognisesKeras(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		return warned(in)(hdf5.ReadKeras(ctx, in.Label, in, in.Size))
	},
}

// warned hands on what an HDF5 file's reader has to say.
func warned(in *Input) func(*hdf5.File, error) (tensor.Model, error) {
	return func(f *hdf5.File, err error) (tensor.Model, error) {
		if err != nil {
			return nil, err
		}
		for _, w := range f.Warnings {
			in.Warn(w)
		}
		return f, nil
	}
}
