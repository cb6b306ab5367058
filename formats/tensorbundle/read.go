package tensorbundle

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

const (
	maxTensors = 1 << 18
	maxNames   = 16 << 20 // bytes of all names
	maxShards  = 10_000
)

// dtypes are the element types of TensorFlow's types.proto that have a size.
var dtypes = map[uint64]tensor.DType{
	1: tensor.F32, 2: tensor.F64, 3: tensor.I32, 4: tensor.U8, 5: tensor.I16, 6: tensor.I8, 8: tensor.C64, 9: tensor.I64, 10: tensor.Bool,
	14: tensor.BF16, 17: tensor.U16, 18: tensor.C128, 19: tensor.F16, 22: tensor.U32, 23: tensor.U64, 24: tensor.F8E5M2, 25: tensor.F8E4M3,
}

const dtString = 7

// Part is a file of values.
type Part struct {
	io.ReaderAt
	Label string
	Size  int64
}

// File is the description of a checkpoint. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	Warnings []string // what is not listed

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

// Recognises tells whether a file may be an index, from its beginning: the header
// stands first, under the empty name. IsTable tells it from the end.
func Recognises(head []byte) bool {
	return len(head) >= 5 && head[0] == 0 && head[1] == 0 && head[2] < 0x80 && head[3] == 0x08
}

// IsTable tells whether a file ends as a table does.
func IsTable(r io.ReaderAt, size int64) bool {
	_, err := (&table{r: r, size: size}).index()
	return err == nil
}

// training are parts of names of what is no model: the state of optimisers, counters.
var training = []string{".OPTIMIZER_SLOT", "/Adam", "/Momentum", "/RMSProp", "/Adagrad", "/adam_m", "/adam_v", "/ExponentialDecay"}

// isTraining tells whether a name belongs to a training run.
func isTraining(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return first == "optimizer" || first == "save_counter" || first == "global_step" || strings.HasPrefix(name, "keras_api/metrics/") ||
		slices.ContainsFunc(training, func(s string) bool { return strings.Contains(name, s) })
}

// Read finds the variables of an index of size bytes. base is the file's name, which
// the names of the files of values begin as; open opens one of these. label is used
// in errors. No values are read.
func Read(ctx context.Context, label, base string, r io.ReaderAt, size int64, open func(name string) (*Part, error)) (*File, error) {
	x := &reader{ctx: ctx, t: &table{label, r, size}, base: strings.TrimSuffix(base, ".index"), open: open, parts: map[uint64]*Part{}, used: map[uint64][]tensor.Span{},
		f: &File{meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}}}
	if err := x.t.all(x.pair); err != nil {
		return nil, err
	}
	if err := x.apart(); err != nil {
		return nil, err
	}
	if len(x.f.tensors) == 0 {
		return nil, x.t.fail(tensor.ErrNotModel, 0, "variables", "there are none")
	}
	if x.left > 0 {
		x.f.Warnings = append(x.f.Warnings, fmt.Sprintf("%d variables of a training run (optimisers, counters) are left out", x.left))
	}
	return x.f, nil
}

// reader makes tensors of the table's pairs.
type reader struct {
	ctx    context.Context
	t      *table
	base   string
	open   func(string) (*Part, error)
	header *header
	parts  map[uint64]*Part
	used   map[uint64][]tensor.Span // by file of values
	f      *File
	left   int
	names  int
}

// pair takes one pair: the header first, then the variables.
func (x *reader) pair(key, value []byte) error {
	if err := x.ctx.Err(); err != nil {
		return err
	}
	if x.header == nil {
		h, ok := headerOf(value)
		if len(key) > 0 || !ok || h.shards == 0 || h.shards > maxShards {
			return x.t.fail(tensor.ErrFormat, 0, "header", "it is missing, cannot be read or names %d files of values, at least 1 and at most %d", h.shards, maxShards)
		}
		x.header = &h
		return nil
	}
	name := strings.TrimSuffix(string(key), "/.ATTRIBUTES/VARIABLE_VALUE")
	field := "variable " + strconv.QuoteToASCII(name)
	e, ok := entryOf(value)
	switch {
	case !ok:
		return x.t.fail(tensor.ErrFormat, -1, field, "its description cannot be read")
	case e.sliced:
		return x.t.fail(tensor.ErrUnsupported, -1, field, "it is stored in slices (a partitioned variable), which are not put together")
	case e.dtype == dtString:
		return nil // the graph of objects, texts
	case isTraining(name):
		x.left++
		return nil
	case !utf8.ValidString(name) || name == "":
		return x.t.fail(tensor.ErrFormat, -1, field, "the name is empty or not UTF-8")
	case x.f.byName[name] != nil:
		return x.t.fail(tensor.ErrFormat, -1, field, "the name stands twice")
	}
	if x.names += len(name); len(x.f.tensors) == maxTensors || x.names > maxNames {
		return x.t.fail(tensor.ErrLimit, -1, field, "more than %d variables, or names of more than %d bytes", maxTensors, maxNames)
	}
	return x.variable(name, field, e)
}

// variable adds a tensor.
func (x *reader) variable(name, field string, e entry) error {
	dtype, ok := dtypes[e.dtype]
	if !ok {
		return x.t.fail(tensor.ErrUnsupported, -1, field, "the type %d of TensorFlow is not read", e.dtype)
	}
	codec, _ := dtype.Codec()
	n, fits := tensor.Elements(e.shape)
	if !fits || e.size > 1<<62 || n > int64(e.size) || n*int64(codec.BlockBytes) != int64(e.size) {
		return x.t.fail(tensor.ErrFormat, -1, field, "%d bytes for values of type %v and shape %v", e.size, dtype, e.shape)
	}
	part, err := x.part(e.shard, field)
	if err != nil {
		return err
	}
	if e.offset > uint64(part.Size) || e.size > uint64(part.Size)-e.offset {
		return tensor.Errorf(io.ErrUnexpectedEOF, part.Label, int64(min(e.offset, 1<<62)), field, "%d bytes, but the file has %d", e.size, part.Size)
	}
	t := &tensor.Tensor{Name: name, DType: dtype, Shape: append([]int64{}, e.shape...)}
	t.Data = &tensor.Stored{File: part.Label, Name: name, R: part.ReaderAt, Offset: int64(e.offset), Bytes: int64(e.size), DType: dtype, BigEndian: x.header.bigEndian}
	x.f.tensors, x.f.byName[name] = append(x.f.tensors, t), t
	if e.size > 0 {
		x.used[e.shard] = append(x.used[e.shard], tensor.Span{Lo: int64(e.offset), Hi: int64(e.offset + e.size)})
	}
	return nil
}

// part opens a file of values once.
func (x *reader) part(shard uint64, field string) (*Part, error) {
	if shard >= x.header.shards {
		return nil, x.t.fail(tensor.ErrFormat, -1, field, "it lies in file %d of %d", shard, x.header.shards)
	}
	if p := x.parts[shard]; p != nil {
		return p, nil
	}
	p, err := x.open(fmt.Sprintf("%s.data-%05d-of-%05d", x.base, shard, x.header.shards))
	if err == nil {
		x.parts[shard] = p
	}
	return p, err
}

// apart requires that no two variables share bytes.
func (x *reader) apart() error {
	for shard, spans := range x.used {
		slices.SortFunc(spans, func(a, b tensor.Span) int { return cmp.Compare(a.Lo, b.Lo) })
		for i := 1; i < len(spans); i++ {
			if spans[i].Lo < spans[i-1].Hi {
				return tensor.Errorf(tensor.ErrFormat, x.parts[shard].Label, spans[i].Lo, "variables", "two of them share bytes")
			}
		}
	}
	return nil
}

// Tensors lists the variables by name.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the variable of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata is empty: a checkpoint says nothing of itself.
func (f *File) Metadata() tensor.Metadata { return f.meta }
