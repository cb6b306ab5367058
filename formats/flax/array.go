package flax

import (
	"fmt"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
)

// array is one array as it lies in the file.
type array struct {
	dtype     tensor.DType
	shape     []int64
	at, bytes int64
	made      io.ReaderAt // of several parts, nil where it lies in one
}

// ext reads an extension: an array, or something of no concern.
func (d *decoder) ext(h header) (*node, error) {
	if h.ext != extArray && h.ext != extScalar {
		return &node{what: fmt.Sprintf("an extension of type %d", h.ext)}, d.skip(h.n, "extension")
	}
	start := d.at
	end := d.c.Offset() + int64(min(h.n, 1<<62))
	if h.n > uint64(d.c.Remaining()) {
		return nil, d.cut(&saferio.ShortError{Want: h.n, Left: d.c.Remaining()}, "array")
	}
	a, err := d.array()
	d.at = start
	if err != nil {
		return nil, err
	}
	if d.c.Offset() != end {
		return nil, d.fail(tensor.ErrFormat, "array", "its parts end at %d, not at %d", d.c.Offset(), end)
	}
	return &node{array: a, what: "an array"}, nil
}

// array reads (shape, element type, bytes).
func (d *decoder) array() (*array, error) {
	if h, err := d.header(); err != nil || h.kind != kindList || h.n != 3 {
		return nil, d.orElse(err, "a list of shape, type and bytes expected")
	}
	a := &array{}
	h, err := d.header()
	if err != nil || h.kind != kindList || h.n > maxRank {
		return nil, d.orElse(err, "a shape of at most %d dimensions expected", maxRank)
	}
	for range h.n {
		x, err := d.header()
		if err != nil || x.kind != kindNumber || x.n >= 1<<62 {
			return nil, d.orElse(err, "a shape is a list of numbers from 0")
		}
		a.shape = append(a.shape, int64(x.n))
	}
	name, err := d.key()
	if err != nil {
		return nil, err
	}
	var ok bool
	if a.dtype, ok = dtypes[name]; !ok {
		return nil, d.fail(tensor.ErrUnsupported, "array", "the element type %s is not read", escape.Printable(name))
	}
	if h, err = d.header(); err != nil || h.kind != kindBytes && h.kind != kindText {
		return nil, d.orElse(err, "the bytes of the array expected")
	}
	a.at, a.bytes = d.c.Offset(), int64(min(h.n, 1<<62))
	elements, ok := tensor.Elements(a.shape)
	if size := item(a.dtype); !ok || elements > a.bytes/size || elements*size != a.bytes {
		return nil, d.fail(tensor.ErrFormat, "array", "%d bytes for the shape %v of %v", h.n, a.shape, a.dtype)
	}
	return a, d.skip(h.n, "array")
}

func (d *decoder) orElse(err error, rule string, args ...any) error {
	if err != nil {
		return err
	}
	return d.fail(tensor.ErrFormat, "array", rule, args...)
}

// dtypes are NumPy's and JAX's names of element types. Those of four bits and
// fewer take a byte each and are not read.
var dtypes = map[string]tensor.DType{
	"float64": tensor.F64, "float32": tensor.F32, "float16": tensor.F16, "bfloat16": tensor.BF16, "V2": tensor.BF16,
	"int8": tensor.I8, "int16": tensor.I16, "int32": tensor.I32, "int64": tensor.I64,
	"uint8": tensor.U8, "uint16": tensor.U16, "uint32": tensor.U32, "uint64": tensor.U64, "bool": tensor.Bool,
	"complex64": tensor.C64, "complex128": tensor.C128,
	"float8_e4m3fn": tensor.F8E4M3, "float8_e5m2": tensor.F8E5M2, "float8_e8m0fnu": tensor.F8E8M0,
	"float8_e4m3fnuz": tensor.Named("F8_E4M3FNUZ"), "float8_e5m2fnuz": tensor.Named("F8_E5M2FNUZ"),
}

// item is the number of bytes of an element.
func item(d tensor.DType) int64 {
	codec, _ := d.Codec() // of a listed type
	return int64(codec.BlockBytes)
}
