package formats

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// folder chooses what to open in a folder: the files of the first format that
// has any there. What is passed over is noted.
func (op *opener) folder() error {
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return err
	}
	var found, others []string
	for _, f := range op.formats() {
		switch chosen := f.choose(names); {
		case len(found) == 0:
			found = chosen
		case len(chosen) > 0:
			others = append(others, chosen[0])
		}
	}
	switch len(found) {
	case 0:
		return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "no file of a format that is read lies here (%s)%s", known(op.formats()), hint(names))
	case 1:
		if index := found[0] + ".index.json"; slices.Contains(names, index) {
			others = append([]string{index}, others...)
		}
		if len(others) > 0 {
			op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("the folder holds %s too; %s was opened", strings.Join(quoted(others), ", "), escape.Printable(found[0])))
		}
		return op.file(found[0])
	}
	return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "several checkpoints lie here, name one of them: %s", strings.Join(quoted(found), ", "))
}

func (f *Format) choose(names []string) []string {
	if f.Choose != nil {
		return f.Choose(names)
	}
	var out []string
	for _, name := range names {
		if f.names(name) {
			out = append(out, name)
		}
	}
	return out
}

// hint says what lies in a folder instead.
func hint(names []string) string {
	for _, name := range names {
		switch filepath.Ext(name) {
		case ".pb", ".mlmodel", ".ort":
			return fmt.Sprintf("; %s is of a format that is not read", escape.Printable(name))
		case ".bin", ".pt", ".pth", ".ckpt":
			return fmt.Sprintf("; %s may be one, name it", escape.Printable(name))
		}
	}
	return ""
}
