package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/numpy"
	"github.com/weightprint/weightprint/formats/tensor"
)

var numpyFormat = Format{
	Name: "numpy", Endings: []string{".npz", ".npy"}, Whole: true,
	Recognise: func(in *Input) bool { return numpy.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		m, err := numpy.Read(ctx, in.Label, in, in.Size)
		if err != nil {
			return nil, err
		}
		for _, w := range m.Warnings {
			in.Warn(w)
		}
		return m, nil
	},
}
