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
	Recognise: func(in *Input) bool { return openvino.Recognises(in.Head) || described(in) != "" },
	Read:      readOpenVINO,
}

// described is the description of a file of values, which says nothing itself,
// or "". Files of other formats were recognised before.
func described(in *Input) string {
	stem, ok := strings.CutSuffix(in.Path, ".bin")
	if !ok || !in.op.exists(stem+".xml") {
		return ""
	}
	b := make([]byte, HeadBytes)
	x, err := in.op.place.Open(in.op.ctx, stem+".xml")
	if err != nil {
		return ""
	}
	defer x.Close()
	n, _ := x.ReadAt(b, 0)
	if !openvino.Recognises(b[:n]) {
		return ""
	}
	return stem + ".xml"
}

func readOpenVINO(ctx context.Context, in *Input) (tensor.Model, error) {
	first := in
	if name := described(in); name != "" {
		x, err := in.Beside(name, "description")
		if err != nil {
			return nil, err
		}
		in = x
	}
	m, err := openvino.Read(ctx, in.Label, in.Path, in, in.Size, func(name, field string) (io.ReaderAt, int64, string, error) {
		if name == first.Path { // it is open
			return first, first.Size, first.Label, nil
		}
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

// isDescription tells a description with a file of values beside it. That of a
// tokenizer holds no network.
func isDescription(name string, names []string) bool {
	stem := strings.TrimSuffix(name, ".xml")
	return slices.Contains(names, stem+".bin") && !strings.HasSuffix(stem, "tokenizer")
}
