package safetensors

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// MaxHeader is the largest header the format allows, in bytes.
const MaxHeader = 100_000_000

// File is the header of a safetensors file. It implements tensor.Model and is
// safe for concurrent use.
type File struct {
	DataStart int64 // offset of the first tensor's bytes
	Warnings  []string
	meta      tensor.Metadata
	tensors   []*tensor.Tensor
	sort      sync.Once        // of byName, which most callers never ask for
	byName    []*tensor.Tensor // ascending
}

// Options changes how Read judges a file; nil is strict.
type Options struct {
	// Lenient turns what some writers do against the format's text, and
	// cannot hide or swap a tensor, into warnings: white space around the
	// header, unknown fields of an entry, bytes behind the last tensor.
	Lenient bool
}

// Read parses the header of a safetensors file of size bytes. name is used in
// errors.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64, o *Options) (*File, error) {
	if o == nil {
		o = &Options{}
	}
	n, err := headerLength(name, r, size)
	if err != nil {
		return nil, err
	}
	s := &scanner{ctx: ctx, file: name, r: r, n: int(n), lenient: o.Lenient}
	entries, meta, err := s.header()
	if err = cmp.Or(s.broken, err); err != nil {
		return nil, err
	}
	f := &File{DataStart: n + 8, meta: tensor.Metadata{}}
	for k, v := range meta {
		f.meta["safetensors."+k] = v
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := f.place(s, entries, r, size); err != nil {
		return nil, err
	}
	f.Warnings = s.warnings
	return f, nil
}

// headerLength reads the length of the header.
func headerLength(name string, r io.ReaderAt, size int64) (int64, error) {
	c := saferio.NewCursor(r, size)
	b, err := c.Next(8)
	if err != nil {
		return 0, tensor.Errorf(io.ErrUnexpectedEOF, name, 0, "header length", "%v", err)
	}
	n := binary.LittleEndian.Uint64(b)
	if n > MaxHeader || n > uint64(size-8) {
		if what := otherKind(r, size); what != "" {
			return 0, tensor.Errorf(tensor.ErrNotModel, name, 0, "header length", "this is %s, no safetensors file", what)
		}
	}
	switch {
	case n > MaxHeader:
		return 0, tensor.Errorf(tensor.ErrLimit, name, 0, "header length", "%d bytes, at most %d", n, MaxHeader)
	case n > uint64(size-8):
		return 0, tensor.Errorf(io.ErrUnexpectedEOF, name, 0, "header length", "%d bytes claimed, %d left in the file", n, size-8)
	case n == 0:
		return 0, tensor.Errorf(tensor.ErrFormat, name, 0, "header length", "the header is empty")
	}
	return int64(n), nil
}

// kinds are beginnings of files that are taken for safetensors by mistake.
var kinds = []struct{ magic, what string }{
	{"version https://git-lfs", "a Git LFS pointer (git lfs pull fetches the file itself)"},
	{"<!DOCTYPE", "an HTML page"}, {"<html", "an HTML page"}, {"<?xml", "an XML document"},
	{"PK\x03\x04", "a zip archive, perhaps a PyTorch checkpoint"}, {"\x80\x02", "a pickle"}, {"\x80\x04", "a pickle"},
	{"\x1f\x8b", "a gzip file"}, {"GGUF", "a GGUF file"}, {"{", "a JSON text"},
}

// otherKind tells what a file begins like, or "".
func otherKind(r io.ReaderAt, size int64) string {
	head := make([]byte, min(size, 32))
	if n, _ := r.ReadAt(head, 0); n < len(head) {
		return ""
	}
	for _, k := range kinds {
		if bytes.HasPrefix(bytes.ToLower(head), bytes.ToLower([]byte(k.magic))) {
			return k.what
		}
	}
	return ""
}

// place orders the tensors by their bytes and requires that these cover the
// rest of the file exactly.
func (f *File) place(s *scanner, entries []entry, r io.ReaderAt, size int64) error {
	slices.SortStableFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.begin, b.begin), cmp.Compare(a.end, b.end))
	})
	data := size - f.DataStart
	end, before := int64(0), ""
	all, runs := make([]tensor.Tensor, len(entries)), make([]run, len(entries))
	in := &home{s.file, r}
	f.tensors = make([]*tensor.Tensor, len(entries))
	for i, e := range entries {
		switch {
		case e.begin > end:
			return s.fail(e.at, e.field(), "a hole of %d bytes before byte %d, behind %s", e.begin-end, e.begin, after(before))
		case e.begin < end:
			return s.fail(e.at, e.field(), "[%d, %d) overlaps %s, which ends at %d", e.begin, e.end, after(before), end)
		case e.end > data:
			return tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(e.at)+8, e.field(), "ends at byte %d of the data, but the file has %d; %s", e.end, data, cut(entries, i, data))
		}
		end, before = e.end, e.name
		runs[i] = run{in, &all[i], f.DataStart + e.begin, e.end - e.begin}
		all[i] = tensor.Tensor{Name: e.name, DType: e.dtype, Shape: e.shape, Data: &runs[i]}
		f.tensors[i] = &all[i]
	}
	if end != data {
		return s.trailing(f.DataStart+end, data-end)
	}
	return nil
}

// field names the offsets of an entry.
func (e *entry) field() string { return quoted(e.name) + " data_offsets" }

func (s *scanner) trailing(at, n int64) error {
	return s.forgive(tensor.Errorf(tensor.ErrFormat, s.file, at, "data", "%d bytes follow the last tensor", n))
}

// cut says how much of a file is missing of which so many tensors are whole.
func cut(entries []entry, whole int, data int64) string {
	end := int64(0)
	for _, e := range entries {
		end = max(end, e.end)
	}
	return fmt.Sprintf("%d of %d tensors are whole, the last %d bytes are missing", whole, len(entries), end-data)
}

// after names the tensor before a place.
func after(name string) string {
	if name == "" {
		return "the beginning of the data"
	}
	return quoted(name)
}

// Tensors lists the tensors in stored order.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	f.sort.Do(func() {
		f.byName = slices.Clone(f.tensors)
		slices.SortFunc(f.byName, func(a, b *tensor.Tensor) int { return strings.Compare(a.Name, b.Name) })
	})
	i, ok := slices.BinarySearchFunc(f.byName, name, func(t *tensor.Tensor, name string) int { return strings.Compare(t.Name, name) })
	if !ok {
		return nil, false
	}
	return f.byName[i], true
}

// Metadata returns the header's strings under "safetensors.".
func (f *File) Metadata() tensor.Metadata { return f.meta }
