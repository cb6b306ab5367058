package openvino

import (
	"bytes"
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strided"
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

// elem is an element type.
type elem struct {
	dtype  tensor.DType // Invalid for integers of less than a byte
	bits   int64
	signed bool
	code   tensor.DType // what the codes of a compressed tensor are called
}

var elems = map[string]elem{
	"f64": {tensor.F64, 64, true, 0}, "f32": {tensor.F32, 32, true, 0}, "f16": {tensor.F16, 16, true, 0}, "bf16": {tensor.BF16, 16, true, 0},
	"f8e4m3": {tensor.F8E4M3, 8, true, tensor.FP8}, "f8e5m2": {tensor.F8E5M2, 8, true, tensor.FP8}, "f8e8m0": {tensor.F8E8M0, 8, true, 0}, "f4e2m1": {tensor.F4, 4, true, tensor.FP4},
	"i64": {tensor.I64, 64, true, 0}, "i32": {tensor.I32, 32, true, tensor.F32}, "i16": {tensor.I16, 16, true, tensor.F32}, "i8": {tensor.I8, 8, true, tensor.Int8}, "i4": {tensor.Invalid, 4, true, tensor.Int4},
	"u64": {tensor.U64, 64, false, 0}, "u32": {tensor.U32, 32, false, 0}, "u16": {tensor.U16, 16, false, tensor.F32}, "u8": {tensor.U8, 8, false, tensor.Int8}, "u4": {tensor.Invalid, 4, false, tensor.Int4}, "u2": {tensor.Invalid, 2, false, tensor.Int2},
	"boolean": {tensor.Bool, 8, false, 0},
}

// constant is a Const layer.
type constant struct {
	*layer
	elem     elem
	typ      string
	shape    []int64
	off, n   int64
	elements int64
}

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

func (m *reader) fail(l *layer, class error, rule string, args ...any) error {
	return tensor.Errorf(class, m.file, l.at, "layer "+quote(l.name), rule, args...)
}

// constant reads what a Const layer says of itself.
func (m *reader) constant(l *layer) (*constant, error) {
	c := &constant{layer: l, typ: l.data["element_type"], elements: 1}
	if c.typ == "string" {
		return c, nil
	}
	var ok bool
	if c.elem, ok = elems[c.typ]; !ok {
		return nil, m.fail(l, tensor.ErrUnsupported, "element_type %s is not read", quote(c.typ))
	}
	if text := strings.TrimSpace(l.data["shape"]); text != "" {
		for _, s := range strings.Split(text, ",") {
			n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
			if err != nil || n < 0 || len(c.shape) == maxRank {
				return nil, m.fail(l, tensor.ErrFormat, "shape %.80s: at most %d numbers expected", quote(text), maxRank)
			}
			c.shape = append(c.shape, n)
		}
	}
	span := int64(1)
	for _, n := range c.shape {
		if n > 0 && span > 1<<56/n {
			return nil, m.fail(l, tensor.ErrFormat, "shape %v: the product is too large", c.shape)
		}
		span *= max(n, 1)
	}
	c.elements, _ = tensor.Elements(c.shape)
	for _, k := range []struct {
		key string
		to  *int64
	}{{"offset", &c.off}, {"size", &c.n}} {
		n, err := strconv.ParseInt(l.data[k.key], 10, 64)
		if err != nil || n < 0 {
			return nil, m.fail(l, tensor.ErrFormat, "%s %s is no number of bytes", k.key, quote(l.data[k.key]))
		}
		*k.to = n
	}
	if want := (c.elements*c.elem.bits + 7) / 8; want != c.n {
		return nil, m.fail(l, tensor.ErrFormat, "%d bytes, %s of shape %v asks for %d", c.n, c.typ, c.shape, want)
	}
	if c.off > m.size || c.n > m.size-c.off {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, m.label, c.off, "layer "+quote(l.name), "%d bytes at offset %d, but the file has %d", c.n, c.off, m.size)
	}
	return c, nil
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

// shaped is a compressed tensor whose shape divides its numbers otherwise.
type shaped struct{ *packed.Affine }

// data gives a constant's numbers, its dimensions in another order.
func (m *reader) data(c *constant, order []int) ([]int64, tensor.Data) {
	s := &tensor.Stored{File: m.label, Name: c.name, R: m.bin, Offset: c.off, Bytes: c.n, DType: c.elem.dtype}
	shape := c.shape
	if c.elem.dtype == tensor.Invalid {
		s.R, s.Offset, s.Bytes, s.DType = strided.Bits(m.bin, c.off, c.elem.bits, c.elem.signed, c.elements), 0, c.elements, tensor.U8
		if c.elem.signed {
			s.DType = tensor.I8
		}
	}
	if order != nil {
		to, strides := strided.Transposed(c.shape, order)
		codec, _ := s.DType.Codec()
		shape, s.R, s.Offset = to, strided.New(s.R, s.Offset, to, strides, int64(codec.BlockBytes)), 0
	}
	return shape, s
}

// passing are operations that keep the numbers of what they take.
var passing = []string{"Convert", "FakeConvert", "Reshape", "Squeeze", "Unsqueeze"}

// source follows an input back to the constant that it is, or nil.
func (m *reader) source(l *layer, input int) *constant {
	for range maxHops {
		if input >= len(l.inputs) || l.inputs[input].from == nil {
			return nil
		}
		l, input = l.inputs[input].from, 0
		if l.typ == "Const" {
			c, err := m.constant(l)
			if err != nil {
				return nil // it is refused where it is listed
			}
			return c
		}
		if l.typ != "Convert" {
			return nil
		}
	}
	return nil
}

// only is the one operation that takes what a layer gives.
func (l *layer) only() (user, bool) {
	if len(l.users) != 1 {
		return user{}, false
	}
	return l.users[0], true
}

// steps are the operations that make numbers of codes: after a conversion a
// zero-point is subtracted, then a scale multiplied.
type steps struct {
	zero, scale *constant
	end         *layer
}

// made finds the steps behind a constant of codes.
func (m *reader) made(l *layer) (s steps, ok bool) {
	u, ok := l.only()
	if !ok || u.l.typ != "Convert" {
		return s, false
	}
	at := u.l
	for range maxHops {
		if u, ok = at.only(); !ok || u.l.typ != "Convert" {
			break
		}
		at = u.l
	}
	if ok && u.l.typ == "Subtract" && u.input == 0 {
		if s.zero = m.source(u.l, 1); s.zero == nil {
			return s, false
		}
		at = u.l
		u, ok = at.only()
	}
	if !ok || u.l.typ != "Multiply" {
		return s, false
	}
	s.scale, s.end = m.source(u.l, 1-u.input&1), u.l
	return s, s.scale != nil
}

// scales tells whether a constant is a scale or a zero-point of codes.
func (m *reader) scales(l *layer) bool {
	for range maxHops {
		u, ok := l.only()
		switch {
		case !ok:
			return false
		case u.l.typ == "Convert":
			l = u.l
			continue
		case (u.l.typ == "Multiply" || u.l.typ == "Subtract") && len(u.l.inputs) == 2:
			return m.codes(u.l, 1-u.input)
		}
		return false
	}
	return false
}

// codes tells whether an input comes from a constant of codes.
func (m *reader) codes(l *layer, input int) bool {
	for range maxHops {
		if input < 0 || input >= len(l.inputs) || l.inputs[input].from == nil {
			return false
		}
		l, input = l.inputs[input].from, 0
		switch l.typ {
		case "Const":
			e := elems[l.data["element_type"]]
			s, ok := m.made(l)
			return e.code != 0 && ok && s.scale != nil
		case "Convert", "Subtract":
			continue
		}
		return false
	}
	return false
}

// compressed reads a tensor of codes; nil where nothing scales them. The shape
// is that which the graph gives the numbers.
func (m *reader) compressed(c *constant, integer bool) (*packed.Affine, []int64, error) {
	s, ok := m.made(c.layer)
	if !ok {
		return nil, nil, nil
	}
	block, err := m.blocks(c, s.scale)
	if err != nil {
		return nil, nil, err
	}
	var order []int
	shape := c.shape
	if r, ok := m.reshaped(s.end, c.elements); ok {
		shape = r
	} else if u, ok := s.end.last(); ok && anonymous.MatchString(c.name) && u.turns(len(c.shape)) {
		order = []int{1, 0}
		shape = []int64{c.shape[1], c.shape[0]}
	}
	what := strings.ToUpper(strings.TrimPrefix(c.typ, "u"))
	if integer {
		what = fmt.Sprintf("INT%d", c.elem.bits)
	}
	a := &packed.Affine{What: what + " scaled", Shape: pick(c.shape, order), Block: pick(block, order)}
	_, a.Codes = m.data(c, order)
	if integer {
		a.Gap = 1
	}
	if a.Scale, err = m.grid(c, s.scale, block, order); err != nil {
		return nil, nil, err
	}
	if s.zero != nil {
		if a.Zero, err = m.grid(c, s.zero, block, order); err != nil {
			return nil, nil, err
		}
	}
	if s.scale.elem.dtype == tensor.BF16 {
		a.Slack = 1.0 / (1 << 9)
	}
	return a, shape, nil
}

// blocks tells from the shape of the scales how many neighbours share one: all
// or none along each dimension.
func (m *reader) blocks(c, scale *constant) ([]int64, error) {
	shape := scale.shape
	for len(shape) < len(c.shape) {
		shape = append([]int64{1}, shape...)
	}
	block := slices.Clone(c.shape)
	for i, n := range c.shape {
		switch {
		case len(shape) != len(c.shape) || shape[i] != 1 && shape[i] != n:
			return nil, m.fail(c.layer, tensor.ErrFormat, "scales of shape %v for codes of shape %v", scale.shape, c.shape)
		case shape[i] == n:
			block[i] = 1
		}
	}
	return block, nil
}

// grid gives the scales or zero-points of blocks.
func (m *reader) grid(of, c *constant, block []int64, order []int) (tensor.Data, error) {
	shape, want := make([]int64, len(block)), int64(1)
	for i, n := range of.shape {
		shape[i] = (n + block[i] - 1) / block[i]
		want *= shape[i]
	}
	if c.elements != want {
		if c.elements == 1 {
			_, d := m.data(c, nil)
			return packed.Repeated{Data: d}, nil
		}
		return nil, m.fail(of.layer, tensor.ErrFormat, "%s of shape %v for %v blocks", quote(c.name), c.shape, shape)
	}
	x := *c
	x.shape = shape
	_, d := m.data(&x, order)
	return d, nil
}

// reshaped is the shape that a Reshape behind the scaling gives, where that is
// a constant: groups of a row are joined again.
func (m *reader) reshaped(l *layer, elements int64) ([]int64, bool) {
	u, ok := l.last()
	if !ok || u.l.typ != "Reshape" || u.input != 0 {
		return nil, false
	}
	c := m.source(u.l, 1)
	if c == nil || c.elements < 1 || c.elements > maxRank || c.elem.dtype != tensor.I64 && c.elem.dtype != tensor.I32 {
		return nil, false
	}
	values := make([]float32, c.elements)
	_, d := m.data(c, nil)
	if d.ReadValues(context.Background(), values, 0) != nil {
		return nil, false
	}
	shape := make([]int64, len(values))
	for i, v := range values {
		shape[i] = int64(v)
	}
	n, ok := tensor.Elements(shape)
	return shape, ok && n == elements
}

// last is the operation that uses what a layer gives, behind conversions.
func (l *layer) last() (user, bool) {
	for range maxHops {
		if len(l.users) == 0 {
			return user{}, false
		}
		u := l.users[0]
		if u.l.typ != "Convert" {
			return u, true
		}
		l = u.l
	}
	return user{}, false
}

// turns tells whether a matrix that an input is lies inputs × outputs.
func (u user) turns(rank int) bool {
	return rank == 2 && u.l.typ == "MatMul" && u.input == 1 && u.l.data["transpose_b"] != "true"
}

// turned is the order that puts a matrix of no name of its own right.
func (c *constant) turned() []int {
	if u, ok := c.last(); ok && anonymous.MatchString(c.name) && u.turns(len(c.shape)) && c.elem.bits >= 8 {
		return []int{1, 0}
	}
	return nil
}

// flat is the shape of a vector that was given the dimensions of what it is
// added to or multiplied by.
func (c *constant) flat(shape []int64) []int64 {
	u, ok := c.last()
	if !ok || len(shape) < 2 || !slices.Contains([]string{"Add", "Multiply", "Subtract", "Divide"}, u.l.typ) {
		return shape
	}
	one := []int64{1}
	for _, n := range shape {
		switch {
		case n == 1:
		case one[0] != 1:
			return shape
		default:
			one[0] = n
		}
	}
	return one
}

// anonymous matches names that converters make up.
var anonymous = regexp.MustCompile(`^(Constant|constant|Const|onnx::|/|\d+$|Multiply_|Transpose_|Reshape_|Add_|MatMul_)|_output_\d+$`)

// module finds the module in the name of an operation.
var module = regexp.MustCompile(`^__module\.(.+?)/aten::(\w+)/`)

// compressions are what compressing puts behind a name.
var compressions = []string{"_compressed", "/fq_weights_1", "/quantized"}

// called is the tensor's name as the module has it, where that can be told.
func (c *constant) called() string {
	name := strings.TrimPrefix(c.name, "self.")
	for _, s := range compressions {
		name = strings.TrimSuffix(name, s)
	}
	if !anonymous.MatchString(name) {
		return name
	}
	u, ok := c.last()
	for range maxHops {
		if !ok || !slices.Contains([]string{"Subtract", "Multiply", "Reshape"}, u.l.typ) || module.MatchString(u.l.name) {
			break
		}
		u, ok = u.l.last()
	}
	if !ok {
		return name
	}
	found := module.FindStringSubmatch(u.l.name)
	switch {
	case found == nil:
		return name
	case u.l.typ == "Add":
		return found[1] + ".bias"
	}
	return found[1] + ".weight"
}

// opaque lists a tensor that cannot be read.
func (m *reader) opaque(c *constant) error {
	if len(m.f.Warnings) < maxWarnings {
		m.f.Warnings = append(m.f.Warnings, fmt.Sprintf("tensor %s holds integers whose scale is not known; it is listed and not read", tensor.Printable(c.name)))
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
