package numpy

import (
	"bytes"
	"encoding/binary"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

const (
	magic     = "\x93NUMPY"
	maxHeader = 64 << 10 // NumPy itself refuses more than 10,000 bytes
	maxRank   = 64
)

// header is what stands before an array's numbers.
type header struct {
	descr     string
	dtype     tensor.DType // Opaque where the type is not read
	item      int64        // bytes of an element
	bigEndian bool
	fortran   bool // the first dimension is innermost
	shape     []int64
	start     int64 // of the numbers
}

// kinds are the element types by NumPy's code, without the byte order.
var kinds = map[string]tensor.DType{
	"b1": tensor.Bool, "i1": tensor.I8, "i2": tensor.I16, "i4": tensor.I32, "i8": tensor.I64,
	"u1": tensor.U8, "u2": tensor.U16, "u4": tensor.U32, "u8": tensor.U64,
	"f2": tensor.F16, "f4": tensor.F32, "f8": tensor.F64, "c8": tensor.C64, "c16": tensor.C128,
}

// array is one array within a file.
type array struct {
	file, name string
	r          io.ReaderAt
	size       int64
}

func (a *array) fail(class error, at int64, rule string, args ...any) error {
	field := "header"
	if a.name != "" {
		field = "array " + strconv.QuoteToASCII(a.name) + " header"
	}
	return tensor.Errorf(class, a.file, at, field, rule, args...)
}

// take reads bytes of the header.
func (a *array) take(at, n int64) ([]byte, error) {
	if n > a.size-at {
		return nil, a.fail(io.ErrUnexpectedEOF, at, "%d bytes, but the array ends after %d", n, a.size)
	}
	b := make([]byte, n)
	if k, err := a.r.ReadAt(b, at); int64(k) < n {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, a.fail(err, at, "reading %d bytes: %v", n, err)
	}
	return b, nil
}

// header reads the magic, the version and the description.
func (a *array) header() (*header, error) {
	b, err := a.take(0, 10)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte(magic)) {
		return nil, a.fail(tensor.ErrNotModel, 0, "no array: it does not begin with the magic of .npy files")
	}
	n, start := int64(binary.LittleEndian.Uint16(b[8:])), int64(10)
	switch {
	case b[7] != 0 || b[6] < 1 || b[6] > 3:
		return nil, a.fail(tensor.ErrUnsupported, 6, "version %d.%d of the format is not read", b[6], b[7])
	case b[6] > 1:
		if b, err = a.take(8, 4); err != nil {
			return nil, err
		}
		n, start = int64(binary.LittleEndian.Uint32(b)), 12
	}
	if n > maxHeader {
		return nil, a.fail(tensor.ErrLimit, 8, "%d bytes, at most %d", n, maxHeader)
	}
	if b, err = a.take(start, n); err != nil {
		return nil, err
	}
	h := &header{start: start + n}
	return h, a.describe(h, string(b), start)
}

// description is a header as NumPy writes it: three keys in any order.
var (
	description = regexp.MustCompile(`^\{((?:\s*'\w+'\s*:\s*(?:'[^']*'|True|False|\([^()]*\)|\[[^{}]*\])\s*,?)*)\s*\}[ \n]*$`)
	entry       = regexp.MustCompile(`'(\w+)'\s*:\s*('[^']*'|True|False|\([^()]*\)|\[[^{}]*\])`)
)

// describe reads the description.
func (a *array) describe(h *header, text string, at int64) error {
	m := description.FindStringSubmatch(text)
	if m == nil {
		return a.fail(tensor.ErrFormat, at, "the description is no dictionary of descr, fortran_order and shape")
	}
	values := map[string]string{}
	for _, e := range entry.FindAllStringSubmatch(m[1], 8) {
		if _, twice := values[e[1]]; twice {
			return a.fail(tensor.ErrFormat, at, "%s stands twice", e[1])
		}
		values[e[1]] = e[2]
	}
	order, known := map[string]bool{"True": true, "False": false}[values["fortran_order"]]
	if len(values) != 3 || !known || values["descr"] == "" || !strings.HasPrefix(values["shape"], "(") {
		return a.fail(tensor.ErrFormat, at, "the description has other keys than descr, fortran_order and shape, or values of other kinds")
	}
	h.fortran = order
	if err := a.dims(h, values["shape"], at); err != nil {
		return err
	}
	return a.kind(h, values["descr"], at)
}

// dims reads the shape.
func (a *array) dims(h *header, text string, at int64) error {
	h.shape = []int64{}
	inner := strings.TrimSpace(text[1 : len(text)-1])
	fields := strings.Split(strings.TrimSuffix(inner, ","), ",")
	if inner == "" {
		fields = nil
	}
	if len(fields) > maxRank || len(fields) == 1 && !strings.HasSuffix(inner, ",") {
		return a.fail(tensor.ErrFormat, at, "shape %.80s: at most %d numbers expected, a single one before a comma", escape.Printable(text), maxRank)
	}
	for _, f := range fields {
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(f), "L"), 10, 64) // Python 2 wrote an L
		if err != nil || n < 0 {
			return a.fail(tensor.ErrFormat, at, "shape %.80s: numbers expected", escape.Printable(text))
		}
		h.shape = append(h.shape, n)
	}
	span := int64(1)
	for _, n := range h.shape {
		if n > 0 && span > 1<<58/n {
			return a.fail(tensor.ErrFormat, at, "shape %v: the product is too large", h.shape)
		}
		span *= max(n, 1)
	}
	return nil
}

var code = regexp.MustCompile(`^'([<>|=]?)([a-zA-Z])(\d*)'$`)

// kind reads the element type.
func (a *array) kind(h *header, text string, at int64) error {
	m := code.FindStringSubmatch(text)
	if m == nil {
		return a.fail(tensor.ErrUnsupported, at, "records are not read: descr %.80s", escape.Printable(text))
	}
	h.descr = strings.Trim(text, "'")
	n, err := strconv.ParseInt("0"+m[3], 10, 32)
	if err != nil {
		return a.fail(tensor.ErrFormat, at, "descr %s", escape.Printable(h.descr))
	}
	h.item, h.bigEndian = n, m[1] == ">" && n > 1
	t, known := kinds[m[2]+m[3]]
	switch {
	case m[2] == "O":
		return a.fail(tensor.ErrUnsupported, at, "an array of objects: it is a pickle, which could run code, and is not read")
	case known && (m[1] != "" && m[1] != "=" || n == 1):
		h.dtype = t
	case known:
		return a.fail(tensor.ErrFormat, at, "descr %s names no byte order", escape.Printable(h.descr))
	default:
		h.dtype = tensor.Opaque
		if m[2] == "U" {
			h.item *= 4
		}
		if len(h.shape) > 0 && h.item > 1<<20 {
			return a.fail(tensor.ErrFormat, at, "elements of %d bytes", h.item)
		}
	}
	return nil
}
