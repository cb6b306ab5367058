package ctranslate2

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"strconv"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/walk"
)

const (
	oldest, newest = 2, 6 // versions of the file
	typed          = 4    // and later ones say the type of a variable, not the size of its numbers
	aliased        = 3    // and later ones have a list of other names

	maxVariables = 1 << 16
	maxName      = 1 << 10
	maxNames     = 8 << 20 // bytes of all names
	maxRank      = 8
	maxRevision  = 1 << 10
	window       = 4 << 10 // read ahead: a description and a bias or two
)

// kinds are the types of variables, by number.
var kinds = []tensor.DType{tensor.F32, tensor.I8, tensor.I16, tensor.I32, tensor.F16, tensor.BF16}

// kindOfSize is the type of numbers of so many bytes in files before version 4.
var kindOfSize = map[byte]tensor.DType{4: tensor.F32, 2: tensor.I16, 1: tensor.I8}

// File is the description of a model. It implements tensor.Model and is safe for
// concurrent use.
type File struct {
	Warnings []string

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Recognises tells from a file's beginning whether it is a model of CTranslate2: behind a small
// version stands the name of a specification with its length, which ends in "Spec".
func Recognises(head []byte) bool {
	_, ok := specification(head)
	return ok
}

// specification is the name of the model's kind.
func specification(head []byte) (string, bool) {
	if len(head) < 6 {
		return "", false
	}
	version, n := binary.LittleEndian.Uint32(head), int(binary.LittleEndian.Uint16(head[4:]))
	if version < oldest || version > 255 || n < len("Spec")+1 || n > 64 || len(head) < 6+n || head[5+n] != 0 {
		return "", false
	}
	name := head[6 : 5+n]
	letters := func(r rune) bool { return r < '0' || r > 'z' || r > '9' && r < 'A' || r > 'Z' && r < 'a' }
	return string(name), bytes.HasSuffix(name, []byte("Spec")) && !bytes.ContainsFunc(name, letters)
}

// reader walks through a file. Everything but the variables' values is read in order.
type reader struct {
	*walk.Reader

	version uint32
	spec    string
	all     []*variable
	byName  map[string]*variable
	names   int64 // bytes of all so far
}

// variable is what the file holds under one name.
type variable struct {
	name  string
	begin int64 // of its description
	shape []int64
	kind  tensor.DType
	at    int64 // of its values
	bytes int64
}

// Read finds the tensors of a model of size bytes. name is used in errors. Of the values only
// scalars, and biases of matrices that are cut, are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	x := &reader{Reader: walk.New(name, r, size, window), byName: map[string]*variable{}}
	if err := x.header(); err != nil {
		return nil, err
	}
	n, err := x.Number("variables")
	if err != nil {
		return nil, err
	}
	if n > maxVariables {
		return nil, x.Fail(tensor.ErrLimit, x.At-4, "variables", "%d, at most %d", n, maxVariables)
	}
	for range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := x.variable(); err != nil {
			return nil, err
		}
	}
	aliases, err := x.aliases(ctx)
	if err != nil {
		return nil, err
	}
	if x.At != x.Size {
		return nil, x.Fail(tensor.ErrFormat, x.At, "end", "%d bytes behind the model", x.Size-x.At)
	}
	return x.model(ctx, aliases)
}

// header reads the version, the kind of model and its revision.
func (x *reader) header() error {
	version, err := x.Number("version")
	if err != nil {
		return err
	}
	if version < oldest || version > newest {
		return x.Fail(tensor.ErrUnsupported, 0, "version", "version %d of the file, versions %d to %d are read", version, oldest, newest)
	}
	x.version = version
	if x.spec, err = x.text("specification"); err != nil {
		return err
	}
	revision, err := x.Number("revision")
	if err == nil && revision > maxRevision {
		err = x.Fail(tensor.ErrLimit, x.At-4, "revision", "%d, at most %d", revision, maxRevision)
	}
	return err
}

// variable reads one description and steps over the values.
func (x *reader) variable() error {
	v := &variable{begin: x.At}
	var err error
	if v.name, err = x.text("variable's name"); err != nil {
		return err
	}
	field := field(v.name)
	if x.byName[v.name] != nil {
		return x.Fail(tensor.ErrFormat, v.begin, field, "the name stands twice")
	}
	rank, err := x.Take(1, field)
	if err != nil {
		return err
	}
	if rank[0] > maxRank {
		return x.Fail(tensor.ErrFormat, x.At-1, field, "%d dimensions, at most %d", rank[0], maxRank)
	}
	head, err := x.Take(4*int64(rank[0])+5, field)
	if err != nil {
		return err
	}
	for ; len(head) > 5; head = head[4:] {
		v.shape = append(v.shape, int64(binary.LittleEndian.Uint32(head)))
	}
	if err := x.measure(v, head[0], int64(binary.LittleEndian.Uint32(head[1:]))); err != nil {
		return err
	}
	v.at = x.At
	x.all, x.byName[v.name] = append(x.all, v), v
	return x.Skip(v.bytes, field)
}

// measure sets a variable's type, and holds the bytes that are named against the shape.
func (x *reader) measure(v *variable, kind byte, length int64) error {
	ok := false
	if x.version >= typed {
		if ok = int(kind) < len(kinds); ok {
			v.kind = kinds[kind]
		}
	} else if v.kind, ok = kindOfSize[kind]; ok {
		length *= int64(kind)
	}
	if !ok {
		return x.Fail(tensor.ErrUnsupported, x.At-5, field(v.name), "the type %d is unknown", kind)
	}
	n, fits := tensor.Elements(v.shape)
	if size := int64(width(v.kind)); !fits || n > x.Size || n*size != length {
		return x.Fail(tensor.ErrFormat, x.At-4, field(v.name), "%d bytes for %s of shape %v", length, v.kind, v.shape)
	}
	v.bytes = length
	return nil
}

// width is how many bytes a number takes.
func width(t tensor.DType) int {
	c, _ := t.Codec()
	return c.BlockBytes
}

// aliases lists the further names of variables, and what they stand for, which must be there.
func (x *reader) aliases(ctx context.Context) (map[string]string, error) {
	if x.version < aliased {
		return nil, nil
	}
	n, err := x.Number("aliases")
	if err != nil {
		return nil, err
	}
	if n > maxVariables {
		return nil, x.Fail(tensor.ErrLimit, x.At-4, "aliases", "%d, at most %d", n, maxVariables)
	}
	out := map[string]string{}
	for range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		begin := x.At
		alias, err := x.text("alias")
		if err != nil {
			return nil, err
		}
		of, err := x.text("alias")
		switch {
		case err != nil:
			return nil, err
		case x.byName[of] == nil:
			return nil, x.Fail(tensor.ErrFormat, begin, field(alias), "stands for %s, which is not there", strconv.QuoteToASCII(of))
		case x.byName[alias] != nil || out[alias] != "":
			return nil, x.Fail(tensor.ErrFormat, begin, field(alias), "the name stands twice")
		}
		out[alias] = of
	}
	return out, nil
}

// text reads a string: its length with a zero behind it, then both.
func (x *reader) text(what string) (string, error) {
	begin := x.At
	p, err := x.Take(2, what)
	if err != nil {
		return "", err
	}
	n := int64(binary.LittleEndian.Uint16(p))
	if n < 2 || n > maxName {
		return "", x.Fail(tensor.ErrFormat, begin, what, "%d bytes, at least 2 and at most %d", n, maxName)
	}
	if p, err = x.Take(n, what); err != nil {
		return "", err
	}
	if x.names += n; x.names > maxNames {
		return "", x.Fail(tensor.ErrLimit, begin, what, "all names have more than %d bytes", maxNames)
	}
	if bytes.IndexByte(p, 0) != len(p)-1 || !utf8.Valid(p) {
		return "", x.Fail(tensor.ErrFormat, begin+2, what, "%s is no UTF-8 text that ends with its first zero", strconv.QuoteToASCII(string(p)))
	}
	return string(p[:n-1]), nil
}

func field(name string) string { return "variable " + strconv.QuoteToASCII(name) }

// Tensors lists the tensors in stored order, the parts of one that was cut one behind the other.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the numbers and texts of the model under "ctranslate2.", and the numbers of
// heads under the keys of a config.json.
func (f *File) Metadata() tensor.Metadata { return f.meta }
