package tflite

import (
	"context"
	"io"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// File is the description of a model. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	// Warnings name what is listed and cannot be read.
	Warnings []string
	// Constants is how many constants are no weights and not listed: shapes,
	// axes, indices and the like.
	Constants int

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

const (
	identifier  = "TFL3"
	maxRank     = 64
	maxShape    = 8 // integers that a shape, a list of axes or the like has at most
	maxWarnings = 20
	maxShare    = 64 // times the bytes of the file that all tensors together may have
	freeShare   = 64 << 20
)

// Recognises tells from a file's beginning whether it is a TFLite model.
func Recognises(head []byte) bool { return len(head) >= 8 && string(head[4:8]) == identifier }

// Read finds the tensors of a model of size bytes. name is used in errors. No
// values are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	b := &buffer{file: name, r: r, size: size, pages: map[int64][]byte{}, left: maxObjects}
	head, err := b.take(0, 8, "identifier")
	if err != nil {
		return nil, err
	}
	if !Recognises(head) {
		return nil, b.fail(tensor.ErrNotModel, 4, "identifier", "no TensorFlow Lite model: %s expected", identifier)
	}
	at, err := b.follow(0, "model")
	if err != nil {
		return nil, err
	}
	root, err := b.table(at, "model")
	if err != nil {
		return nil, err
	}
	f := &File{meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}}
	m := &reader{f: f, b: b}
	version, err := root.number(0, 4, 0)
	if err != nil {
		return nil, err
	}
	text, err := root.text(3)
	if err != nil {
		return nil, err
	}
	f.meta["tflite.version"], f.meta["tflite.description"] = version, strings.ToValidUTF8(text, "\uFFFD")
	if err := root.tables(4, "buffer", m.buffer); err != nil {
		return nil, err
	}
	err = root.tables(2, "subgraph", func(k int64, g *table) error {
		m.graph = k
		return g.tables(0, "tensor", func(_ int64, t *table) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			return m.tensor(t)
		})
	})
	if err != nil {
		return nil, err
	}
	f.meta["tflite.constants"] = int64(f.Constants)
	return f, nil
}

// reader makes tensors of a model's tables.
type reader struct {
	f       *File
	b       *buffer
	buffers []vector
	graph   int64
	total   int64
	places  int // of the numbers of sparse tensors
}

// buffer notes where the bytes of a buffer lie: in the flatbuffer, or behind it
// where models are large.
func (m *reader) buffer(_ int64, t *table) error {
	v, err := t.vector(0, 1)
	if err != nil {
		return err
	}
	off, err := t.number(1, 8, 0)
	if err != nil {
		return err
	}
	n, err := t.number(2, 8, 0)
	if err != nil {
		return err
	}
	if off > 1 { // 0 and 1 stand for none
		if v.n > 0 || n < 0 || off > m.b.size || n > m.b.size-off {
			return m.b.fail(io.ErrUnexpectedEOF, t.at, "buffer", "%d bytes at offset %d, but the file has %d", n, off, m.b.size)
		}
		v = vector{off, n}
	}
	m.buffers = append(m.buffers, v)
	return nil
}

// Tensors lists the tensors, subgraph by subgraph.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the version and the description, under "tflite.".
func (f *File) Metadata() tensor.Metadata { return f.meta }
