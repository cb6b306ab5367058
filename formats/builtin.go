package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/ctranslate2"
	"github.com/weightprint/weightprint/formats/flax"
	"github.com/weightprint/weightprint/formats/numpy"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/tflite"
	"github.com/weightprint/weightprint/formats/whispercpp"
)

// Builtin returns the formats that Open knows, in the order in which they are
// asked for the content of a file. Rows that need no more than their package stand
// below; the others have a file each.
func Builtin() []Format {
	return []Format{safetensorsFormat, ggufFormat, numpyFormat, hdf5Format, kerasFormat, flaxFormat, distributedFormat, torchFormat, onnxFormat, tfliteFormat, openvinoFormat, whispercppFormat, ctranslate2Format, tensorbundleFormat}
}

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

var whispercppFormat = Format{
	Name: "whisper.cpp", Endings: []string{".bin"}, Whole: true,
	Recognise: func(in *Input) bool { return whispercpp.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		return whispercpp.Read(ctx, in.Label, in, in.Size)
	},
}

var ctranslate2Format = Format{
	Name: "ctranslate2", Endings: []string{".bin"}, Whole: true,
	Recognise: func(in *Input) bool { return ctranslate2.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		m, err := ctranslate2.Read(ctx, in.Label, in, in.Size)
		if err != nil {
			return nil, err
		}
		for _, w := range m.Warnings {
			in.Warn(w)
		}
		return m, nil
	},
}
