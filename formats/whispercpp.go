package formats

import (
	"context"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/whispercpp"
)

var whispercppFormat = Format{
	Name: "whisper.cpp", Endings: []string{".bin"}, Whole: true,
	Recognise: func(in *Input) bool { return whispercpp.Recognises(in.Head) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		return whispercpp.Read(ctx, in.Label, in, in.Size)
	},
}
