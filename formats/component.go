package formats

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/pipeline"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// pipelineFile says that the folders within a folder are components of one
// pipeline, as the diffusers library keeps them.
const pipelineFile = "model_index.json"

// parent is a place whose folders can be looked into.
type parent interface {
	Below(name string) source.Folder
}

// below is a folder within, nil where there is none that can be listed.
func (op *opener) below(name string) source.Folder {
	p, ok := op.place.(parent)
	if !ok || !plainName(name) || op.place.Strays(name) {
		return nil
	}
	f := p.Below(name)
	if names, err := f.Names(op.ctx); err != nil || len(names) == 0 {
		return nil
	}
	return f
}

// components lists the folders within that hold a model.
func (op *opener) components(names []string) (out []string) {
	for _, name := range names {
		if noWeights.MatchString(name) || len(out) >= 100 {
			continue
		}
		if f := op.below(name); f != nil {
			if inner, err := f.Names(op.ctx); err == nil && len(weights(op.o.Formats, inner)) > 0 {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// enter goes on in a folder within.
func (op *opener) enter(name string) {
	op.place = op.below(name)
	op.dir = op.place.Label("")
	op.c.Component = path.Join(op.c.Component, name)
}

// pipeline opens a folder of components: the one that is asked for, or where
// none is, a file that holds them all. done is false where the folder is to be
// opened as any other.
func (op *opener) pipeline(names []string) (done bool, err error) {
	parted := slices.Contains(names, pipelineFile)
	want := op.o.Component
	if !parted && want == "" {
		return false, nil
	}
	parts := op.components(names)
	switch {
	case want != "" && slices.Contains(parts, want):
		op.enter(want)
		return true, op.folder()
	case len(parts) == 0 || len(weights(op.o.Formats, names)) > 0:
		return false, nil
	case want != "":
		return true, tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "component", "%s is not among the components that lie here: %s", escape.Printable(want), listed(parts, 20))
	}
	return true, tensor.Errorf(ErrComponents, op.dir, -1, "folder", "the components of a pipeline lie here, each a model of its own: %s; name one with --component, such as --component %s", listed(parts, 20), escape.Printable(parts[len(parts)-1]))
}

// ErrComponents says that a reference names a pipeline of several models. It is a
// tensor.ErrNotModel.
var ErrComponents = fmt.Errorf("several components: %w", tensor.ErrNotModel)

// inner opens a reference that ends in the name of a folder, as references to a
// hub's repository can.
func (op *opener) inner(name string) error {
	if !op.exists(name) && op.below(name) != nil {
		op.enter(name)
		return op.folder()
	}
	return op.file(name)
}

// part takes the component that is asked for out of a file that holds several. A
// model that has no components is the component that it is compared as.
func (op *opener) part() error {
	want := op.o.Component
	if want == "" || op.c.Component == want || strings.HasSuffix(op.c.Component, "/"+want) {
		return nil
	}
	if len(pipeline.Components(op.c)) == 0 {
		op.c.Warnings = append(op.c.Warnings, fmt.Sprintf("this model has no components that are known; all of it was taken, not %s", escape.Printable(want)))
		return nil
	}
	tensors, err := pipeline.Select(op.c, want, op.c.files[0].label(op))
	if err != nil {
		return err
	}
	op.c.Component = want
	op.c.setTensors(tensors)
	return nil
}

// setTensors puts other tensors in place of all.
func (c *Checkpoint) setTensors(tensors []*tensor.Tensor) {
	c.tensors = tensors
	c.byName, _ = names(nil).with(tensors)
}

// isMissing tells that no model lies at a place.
func isMissing(err error) bool {
	return errors.Is(err, tensor.ErrNotModel) || errors.Is(err, fs.ErrNotExist)
}
