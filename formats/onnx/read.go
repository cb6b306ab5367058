package onnx

import (
	"context"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// File is the description of a model. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	// Warnings name what is listed and cannot be read.
	Warnings []string
	// Constants is how many constants are no weights and not listed: single
	// numbers, shapes, axes, indices, and the scales of quantised tensors.
	Constants int

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Options changes how Read works; nil is the defaults.
type Options struct {
	// Beside opens files that the model names for the values of tensors.
	// Where it is nil such models are refused.
	Beside Beside
}

// Bounds on the bytes of all tensors together: files can be named often.
const (
	maxShare  = 64 // times the bytes of the files
	freeShare = 64 << 20
)

// Read reads the graph of a model of size bytes. name is used in errors. No
// tensor's values are read, except that those packed as numbers of several
// bytes are counted.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64, o *Options) (*File, error) {
	if o == nil {
		o = &Options{}
	}
	d := &decoder{Cursor: saferio.NewCursor(r, size), file: name, end: size, left: maxObjects}
	m, err := d.model(size)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f := &finder{
		file: &File{meta: m.metadata(), byName: map[string]*tensor.Tensor{}}, name: name, taken: map[string]bool{}, again: map[string]int{}, order: map[string]int{},
		at: &locator{file: name, r: r, size: size, beside: o.Beside, opened: map[string]*besideFile{}, total: size},
	}
	if m.training {
		f.warn("the model's own training graphs are not read")
	}
	w := &wiring{}
	w.wire(m.graph, nil)
	for _, g := range m.functions {
		w.wire(g, nil)
	}
	if err := f.list(ctx, w); err != nil {
		return nil, err
	}
	f.file.meta["onnx.constants"] = int64(f.file.Constants)
	return f.file, nil
}

func (m *model) metadata() tensor.Metadata {
	meta := tensor.Metadata{"onnx.ir_version": m.version, "onnx.producer_name": m.producer, "onnx.producer_version": m.producer2, "onnx.opset": m.opset}
	for _, kv := range m.props {
		meta["onnx.props."+kv[0]] = kv[1]
	}
	return meta
}

// Tensors lists the tensors in the order in which the graph uses them.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns, under "onnx.", who made the model, and its own properties
// under "onnx.props.".
func (f *File) Metadata() tensor.Metadata { return f.meta }
