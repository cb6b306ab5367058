package formats

import (
	"context"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/tensorbundle"
)

var tensorbundleFormat = Format{
	Name: "tensorflow", Endings: []string{".index"}, Whole: true,
	Recognise: func(in *Input) bool { return tensorbundle.Recognises(in.Head) && tensorbundle.IsTable(in, in.Size) },
	Read: func(ctx context.Context, in *Input) (tensor.Model, error) {
		m, err := tensorbundle.Read(ctx, in.Label, in.Path, in, in.Size, func(name string) (*tensorbundle.Part, error) {
			beside, err := in.Beside(name, "variables")
			if err != nil {
				return nil, err
			}
			return &tensorbundle.Part{ReaderAt: beside, Label: beside.Label, Size: beside.Size}, nil
		})
		if err != nil {
			return nil, err
		}
		for _, w := range m.Warnings {
			in.Warn(w)
		}
		return m, nil
	},
}

// isBundle tells whether a file is the index of a TensorFlow checkpoint, by the file
// of values beside it.
func isBundle(name string, names []string) bool {
	values := strings.TrimSuffix(name, ".index") + ".data-00000-of-"
	return slices.ContainsFunc(names, func(n string) bool { return strings.HasPrefix(n, values) })
}

// savedModel goes on in the folder of a SavedModel's variables.
func (op *opener) savedModel(names []string) (done bool, err error) {
	if !slices.Contains(names, "saved_model.pb") || op.below("variables") == nil || len(weights(op.o.Formats, names)) > 0 {
		return false, nil
	}
	op.place = op.below("variables")
	op.dir = op.place.Label("")
	return true, op.folder()
}
