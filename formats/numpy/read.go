package numpy

import (
	"archive/zip"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/strided"
)

// File is the description of an array or of an archive of arrays. It
// implements tensor.Model and is safe for concurrent use.
type File struct {
	Warnings []string

	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
}

const (
	maxArrays    = 1 << 17
	maxInflated  = 2 << 30 // of one compressed array, which can be read from its beginning only
	maxRatio     = 200     // of its sizes, beyond the first
	freeInflated = 1 << 20 // bytes
)

// Read finds the arrays of an .npz archive, or the one of an .npy file, which
// is called "array". name is used in errors. No numbers are read.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{byName: map[string]*tensor.Tensor{}}
	head := make([]byte, min(size, 4))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, tensor.Errorf(err, name, 0, "magic", "%v", err)
	}
	if bytes.HasPrefix(head, []byte("PK")) {
		return f, f.archive(ctx, name, r, size)
	}
	return f, f.add(&array{file: name, r: r, size: size}, "array", r)
}

// add lists one array. whole is its bytes as they lie in the file.
func (f *File) add(a *array, name string, whole io.ReaderAt) error {
	h, err := a.header()
	if err != nil {
		return err
	}
	n, _ := tensor.Elements(h.shape)
	if n*max(1, h.item) != a.size-h.start && (h.item > 0 || a.size != h.start) {
		class := error(tensor.ErrFormat)
		if a.size-h.start < n*h.item {
			class = io.ErrUnexpectedEOF
		}
		return a.fail(class, h.start, "%d bytes of numbers, %s of shape %v asks for %d", a.size-h.start, escape.Printable(h.descr), h.shape, n*h.item)
	}
	s := &tensor.Stored{File: a.file, Name: name, R: whole, Offset: h.start, Bytes: n * h.item, DType: h.dtype, BigEndian: h.bigEndian}
	if h.dtype == tensor.Opaque {
		f.Warnings = append(f.Warnings, fmt.Sprintf("array %s has elements of type %s; it is listed and not read", escape.Printable(name), escape.Printable(h.descr)))
	} else if h.fortran {
		strides := make([]int64, len(h.shape))
		step := int64(1)
		for i, k := range h.shape {
			strides[i] = step
			step *= k
		}
		if !strided.Dense(h.shape, strides, h.item) {
			s.R, s.Offset = strided.New(whole, h.start, h.shape, strides, h.item), 0
		}
	}
	if f.byName[name] != nil {
		return a.fail(tensor.ErrFormat, 0, "two arrays have this name")
	}
	t := &tensor.Tensor{Name: name, DType: h.dtype, Shape: h.shape, Data: s}
	f.tensors, f.byName[name] = append(f.tensors, t), t
	return nil
}

// archive lists the arrays of a zip archive: entries that end in .npy, and no
// others.
func (f *File) archive(ctx context.Context, name string, r io.ReaderAt, size int64) error {
	fail := func(class error, at int64, entry, rule string, args ...any) error {
		return tensor.Errorf(class, name, at, "entry "+strconv.QuoteToASCII(entry), rule, args...)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		if errors.Is(err, zip.ErrFormat) || errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return tensor.Errorf(err, name, size, "end record", "the archive's directory cannot be read, the file may be cut short: %v", err)
	}
	if len(z.File) > maxArrays {
		return tensor.Errorf(tensor.ErrLimit, name, size, "directory", "%d entries, at most %d", len(z.File), maxArrays)
	}
	starts := make([]int64, len(z.File))
	for i, e := range z.File {
		if err := ctx.Err(); err != nil {
			return err
		}
		at, err := e.DataOffset()
		starts[i] = at
		array, isArray := strings.CutSuffix(e.Name, ".npy")
		switch {
		case err != nil || e.CompressedSize64 > uint64(size-at):
			return fail(io.ErrUnexpectedEOF, 0, e.Name, "its bytes do not lie in the file")
		case !isArray || array == "":
			return fail(tensor.ErrFormat, at, e.Name, "an archive of arrays holds .npy entries only")
		case e.Flags&1 != 0 || e.Method != zip.Store && e.Method != zip.Deflate:
			return fail(tensor.ErrUnsupported, at, e.Name, "it is encrypted, or compressed by method %d", e.Method)
		case e.Method == zip.Store && e.CompressedSize64 != e.UncompressedSize64:
			return fail(tensor.ErrFormat, at, e.Name, "stored in %d bytes, %d expected", e.CompressedSize64, e.UncompressedSize64)
		case e.Method == zip.Deflate && (e.UncompressedSize64 > maxInflated || e.UncompressedSize64 > freeInflated+maxRatio*e.CompressedSize64):
			return fail(tensor.ErrLimit, at, e.Name, "%d bytes inflate to %d", e.CompressedSize64, e.UncompressedSize64)
		}
		var content io.ReaderAt = io.NewSectionReader(r, at, int64(e.CompressedSize64))
		if e.Method == zip.Deflate {
			content = &inflater{r: r, at: at, size: int64(e.CompressedSize64), most: int64(e.UncompressedSize64)}
		}
		if err := f.add(arrayOf(name, e, content), array, content); err != nil {
			return err
		}
	}
	if len(f.tensors) == 0 {
		return tensor.Errorf(tensor.ErrNotModel, name, 0, "directory", "the archive holds no arrays")
	}
	return apart(name, z.File, starts)
}

func arrayOf(file string, e *zip.File, content io.ReaderAt) *array {
	return &array{file: file, name: e.Name, r: content, size: int64(e.UncompressedSize64)}
}

// apart requires that no two entries share bytes.
func apart(name string, files []*zip.File, starts []int64) error {
	order := make([]int, len(files))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(starts[a], starts[b]) })
	for i := 1; i < len(order); i++ {
		before, e := files[order[i-1]], files[order[i]]
		if starts[order[i-1]]+int64(before.CompressedSize64) > starts[order[i]] {
			return tensor.Errorf(tensor.ErrFormat, name, starts[order[i]], "entry "+strconv.QuoteToASCII(e.Name), "it overlaps %s", strconv.QuoteToASCII(before.Name))
		}
	}
	return nil
}

// Tensors lists the arrays in the archive's order.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the array of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata is empty: the format has none.
func (f *File) Metadata() tensor.Metadata { return tensor.Metadata{} }

// Recognises tells from a file's beginning whether it is an array, or an
// archive whose first entry is one.
func Recognises(head []byte) bool {
	if bytes.HasPrefix(head, []byte(magic)) {
		return true
	}
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < 30 {
		return false
	}
	n := int(head[26]) | int(head[27])<<8
	return len(head) >= 30+n && bytes.HasSuffix(head[30:30+n], []byte(".npy"))
}
