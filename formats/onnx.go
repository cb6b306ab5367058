package formats

import (
	"context"
	"io"

	"github.com/weightprint/weightprint/formats/onnx"
	"github.com/weightprint/weightprint/formats/tensor"
)

var onnxFormat = Format{
	Name: "onnx", Endings: []string{".onnx"}, Whole: true,
	Recognise: func(in *Input) bool { return onnx.Recognises(in.Head) },
	Read:      readONNX,
}

func readONNX(ctx context.Context, in *Input) (tensor.Model, error) {
	m, err := onnx.Read(ctx, in.Label, in, in.Size, &onnx.Options{Beside: func(name, field string) (io.ReaderAt, int64, string, error) {
		x, err := in.Beside(name, field)
		if err != nil {
			return nil, 0, "", err
		}
		return x, x.Size, x.Label, nil
	}})
	if err != nil {
		return nil, err
	}
	for _, w := range m.Warnings {
		in.Warn(w)
	}
	return m, nil
}
