package openvino

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// File is the description of a model. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	// Warnings name what is listed and cannot be read.
	Warnings []string
	// Constants is how many constants are no weights and not listed.
	Constants int

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Beside opens the file of that name in the folder of the model.
type Beside func(name, field string) (r io.ReaderAt, size int64, label string, err error)

// reader makes tensors of constants.
type reader struct {
	f     *File
	file  string // the .xml, for errors
	label string // the .bin
	bin   io.ReaderAt
	size  int64
	total int64
}

const (
	maxShape    = 8 // integers that a shape, a list of axes or the like has at most
	maxWarnings = 20
	maxHops     = 8
	maxShare    = 64 // times the bytes of the file that all tensors together may have
	freeShare   = 64 << 20
)

// Recognises tells from a file's beginning whether it describes a model.
func Recognises(head []byte) bool {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	head = bytes.TrimLeft(head, " \t\r\n")
	if bytes.HasPrefix(head, []byte("<?xml")) {
		i := bytes.Index(head, []byte("?>"))
		if i < 0 {
			return false
		}
		head = bytes.TrimLeft(head[i+2:], " \t\r\n")
	}
	return bytes.HasPrefix(head, []byte("<net ")) || bytes.HasPrefix(head, []byte("<net>"))
}

// Read reads a description of size bytes and finds the tensors in the file
// beside it. name is used in errors, of is the file's own name. No values are
// read.
func Read(ctx context.Context, name, of string, r io.ReaderAt, size int64, beside Beside) (*File, error) {
	if size > maxXML {
		return nil, tensor.Errorf(tensor.ErrLimit, name, 0, "xml", "%d bytes, at most %d", size, maxXML)
	}
	p := &parser{file: name, d: xml.NewDecoder(io.NewSectionReader(r, 0, size)), meta: tensor.Metadata{}}
	if err := p.parse(ctx); err != nil {
		return nil, err
	}
	m := &reader{f: &File{meta: p.meta, byName: map[string]*tensor.Tensor{}}, file: name}
	var err error
	if m.bin, m.size, m.label, err = beside(strings.TrimSuffix(of, path.Ext(of))+".bin", "weights"); err != nil {
		return nil, err
	}
	for _, g := range p.graphs {
		for _, l := range g.layers {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if l.typ != "Const" {
				continue
			}
			if err := m.list(l); err != nil {
				return nil, err
			}
		}
	}
	p.meta["openvino.constants"] = int64(m.f.Constants)
	return m.f, nil
}

// list lists a constant that is a weight.
func (m *reader) list(l *layer) error {
	c, err := m.constant(l)
	if err != nil {
		return err
	}
	integer := c.elem.dtype == tensor.Invalid || c.elem.dtype.Kind() == tensor.KindInteger
	switch {
	case c.typ == "string", c.elements == 0, m.scales(l):
		m.f.Constants++
		return nil
	case c.elem.code != 0:
		a, shape, err := m.compressed(c, integer)
		if err != nil {
			return err
		}
		if a != nil {
			return m.add(c, &tensor.Tensor{DType: c.elem.code, Shape: shape, Data: shaped{a}})
		}
	}
	switch {
	case integer && c.elem.bits >= 8 && (c.elements == 1 || c.elements <= maxShape && len(c.shape) <= 1), c.elements == 1 && anonymous.MatchString(c.name):
		m.f.Constants++
		return nil
	case c.elem.dtype == tensor.Invalid, integer && c.elem.bits <= 16 && c.elem.dtype != tensor.Bool:
		return m.opaque(c)
	}
	order := c.turned()
	shape, d := m.data(c, order)
	return m.add(c, &tensor.Tensor{DType: c.elem.dtype, Shape: c.flat(shape), Data: d})
}

// opaque lists a tensor that cannot be read.
func (m *reader) opaque(c *constant) error {
	if len(m.f.Warnings) < maxWarnings {
		m.f.Warnings = append(m.f.Warnings, fmt.Sprintf("tensor %s holds integers whose scale is not known; it is listed and not read", escape.Printable(c.name)))
	} else if len(m.f.Warnings) == maxWarnings {
		m.f.Warnings = append(m.f.Warnings, "and more of the kind")
	}
	s := &tensor.Stored{File: m.label, Name: c.name, R: m.bin, Offset: c.off, Bytes: c.n, DType: tensor.Opaque}
	return m.add(c, &tensor.Tensor{DType: tensor.Opaque, Shape: c.shape, Data: s})
}

// add lists a tensor under its name, made unique by the layer's number.
func (m *reader) add(c *constant, t *tensor.Tensor) error {
	t.Name = c.called()
	for _, more := range []string{"", "#" + c.id, fmt.Sprintf("#%d", len(m.f.tensors))} {
		if m.f.byName[t.Name+more] == nil {
			t.Name += more
			break
		}
	}
	if m.f.byName[t.Name] != nil {
		return m.fail(c.layer, tensor.ErrFormat, "two tensors have this name")
	}
	if m.total += c.n; m.total > maxShare*m.size+freeShare {
		return m.fail(c.layer, tensor.ErrLimit, "the tensors up to this one have %d bytes, the file %d", m.total, m.size)
	}
	m.f.tensors, m.f.byName[t.Name] = append(m.f.tensors, t), t
	return nil
}

func pick(list []int64, order []int) []int64 {
	if order == nil {
		return list
	}
	out := make([]int64, len(list))
	for i, k := range order {
		out[i] = list[k]
	}
	return out
}

// Tensors lists the tensors in the order of the layers.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the model's name and version, under "openvino.".
func (f *File) Metadata() tensor.Metadata { return f.meta }
