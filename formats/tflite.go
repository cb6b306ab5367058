package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/tflite"
)

var tfliteFormat = Format{
	Name: "tflite", Endings: []string{".tflite"}, Whole: true,
	Recognise: func(in *Input) bool { return tflite.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		m, err := tflite.Read(ctx, in.Label, in, in.Size)
		if err != nil {
			return nil, err
		}
		for _, w := range m.Warnings {
			in.Warn(w)
		}
		return m, nil
	},
}
