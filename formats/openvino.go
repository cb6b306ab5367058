package formats

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/openvino"
	"github.com/weightprint/weightprint/formats/tensor"
)

var openvinoFormat = Format{
	Name: "openvino", Endings: []string{".xml"}, Whole: true,
	Recognise: func(in *Input) bool { return openvino.Recognises(in.Head) },
	Read:      readOpenVINO,
	Choose:    openvinoFiles,
}

func readOpenVINO(ctx context.Context, in *Input) (tensor.Model, error) {
	m, err := openvino.Read(ctx, in.Label, in.Path, in, in.Size, func(name, field string) (io.ReaderAt, int64, string, error) {
		x, err := in.Beside(name, field)
		if err != nil {
			return nil, 0, "", err
		}
		return x, x.Size, x.Label, nil
	})
	if err != nil {
		return nil, err
	}
	for _, w := range m.Warnings {
		in.Warn(w)
	}
	return m, nil
}

// openvinoFiles lists descriptions with a file of values beside them. Those of
// tokenizers hold no network.
func openvinoFiles(names []string) []string {
	var out []string
	for _, name := range names {
		stem, ok := strings.CutSuffix(name, ".xml")
		if ok && slices.Contains(names, stem+".bin") && !strings.HasSuffix(stem, "tokenizer") {
			out = append(out, name)
		}
	}
	return out
}
