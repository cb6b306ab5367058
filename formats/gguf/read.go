package gguf

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// Limits of the format's text, and where it has none, of this reader.
const (
	defaultAlignment = 32
	maxAlignment     = 1 << 20
	maxKeyBytes      = 65535
	maxNameBytes     = 64
	maxDims          = 8       // ggml allows 4
	maxPairs         = 1 << 16 // published files have some 50
	maxTensors       = 150_000 // published files have some 2,000; one that keeps the experts of the largest mixtures apart would have 140,000
	maxStringBytes   = 1 << 30 // GGUF_MAX_STRING_LENGTH of ggml
	maxElements      = 1 << 30 // GGUF_MAX_ARRAY_ELEMENTS of ggml

	// Of metadata so much is kept in memory; longer strings stay in the file.
	heldBytes  = 16 << 20 // keys and strings together
	heldString = 1 << 20

	// Of an array so much is decoded when its elements are asked for.
	decodedElements = 1 << 20
	decodedBytes    = 64 << 20
)

// File is the header of a GGUF file. It implements tensor.Model and is safe
// for concurrent use.
type File struct {
	Version   int
	Alignment int64
	BigEndian bool
	DataStart int64 // offset of the first tensor's data
	Entries   []Entry
	Warnings  []string

	meta    tensor.Metadata
	tensors []*tensor.Tensor
	byName  map[string]*tensor.Tensor
	order   binary.ByteOrder
	name    string
	r       io.ReaderAt
	size    int64
}

// Read parses the header of a GGUF file of size bytes. name is used in
// errors. Where all is well but for tensors of unknown type it returns both
// the file, whose metadata and tensors can be listed, and an error that is
// tensor.ErrUnsupported.
func Read(ctx context.Context, name string, r io.ReaderAt, size int64) (*File, error) {
	f := &File{Alignment: defaultAlignment, meta: tensor.Metadata{}, byName: map[string]*tensor.Tensor{}, name: name, r: r, size: size}
	d := &decoder{Cursor: saferio.NewCursor(r, size), ctx: ctx, file: name, order: binary.LittleEndian}
	tensors, pairs, err := f.preamble(d)
	if err != nil {
		return nil, err
	}
	if err := f.pairs(ctx, d, pairs); err != nil {
		return nil, err
	}
	infos, err := f.infos(ctx, d, tensors)
	if err != nil {
		return nil, err
	}
	return f.place(d, infos)
}

// preamble reads magic, version and counts.
func (f *File) preamble(d *decoder) (tensors, pairs uint64, err error) {
	magic, err := d.take(4, "magic")
	if err != nil {
		return 0, 0, err
	}
	if string(magic) != "GGUF" {
		return 0, 0, d.fail(tensor.ErrNotModel, 0, "magic", "%q is not \"GGUF\"", magic)
	}
	version, err := d.u32("version")
	if err != nil {
		return 0, 0, err
	}
	if version&0xffff == 0 && version != 0 {
		f.BigEndian, d.order = true, binary.BigEndian
		version = version>>24 | version>>8&0xff00
	}
	f.order = d.order
	if version != 3 && (version != 2 || f.BigEndian) {
		return 0, 0, d.fail(tensor.ErrUnsupported, 4, "version", "version %d is not one of 2 and 3", version)
	}
	f.Version = int(version)
	if tensors, err = d.u64("tensor count"); err != nil {
		return 0, 0, err
	}
	if pairs, err = d.u64("metadata count"); err != nil {
		return 0, 0, err
	}
	// A pair takes 13 bytes at least, a tensor's entry 24.
	if pairs > uint64(d.Remaining())/13 {
		return 0, 0, d.fail(io.ErrUnexpectedEOF, 16, "metadata count", "%d pairs cannot stand in %d bytes", pairs, d.Remaining())
	}
	if tensors > uint64(d.Remaining())/24 {
		return 0, 0, d.fail(io.ErrUnexpectedEOF, 8, "tensor count", "%d tensors cannot stand in %d bytes", tensors, d.Remaining())
	}
	switch {
	case pairs > maxPairs:
		return 0, 0, d.fail(tensor.ErrLimit, 16, "metadata count", "%d pairs, at most %d", pairs, maxPairs)
	case tensors > maxTensors:
		return 0, 0, d.fail(tensor.ErrLimit, 8, "tensor count", "%d tensors, at most %d", tensors, maxTensors)
	}
	return tensors, pairs, nil
}

// pairs reads the metadata.
func (f *File) pairs(ctx context.Context, d *decoder, n uint64) error {
	seen := map[string]bool{}
	held := 0
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		at := d.Offset()
		key, err := d.short16("metadata key")
		if err != nil {
			return err
		}
		switch {
		case key == "":
			return d.fail(tensor.ErrFormat, at, "metadata key", "a key is not empty")
		case len(key) > maxKeyBytes:
			return d.fail(tensor.ErrLimit, at, "metadata key", "a key has at most %d bytes, found %d", maxKeyBytes, len(key))
		case !utf8.ValidString(key):
			return d.fail(tensor.ErrFormat, at, quoted("metadata key", key), "a key is UTF-8")
		case seen[key]:
			return d.fail(tensor.ErrFormat, at, quoted("metadata key", key), "the key stands twice")
		case held > heldBytes:
			return d.fail(tensor.ErrLimit, at, "metadata", "keys and strings have more than %d bytes together", heldBytes)
		}
		held += len(key)
		seen[key] = true
		field := quoted("metadata", key)
		t, err := d.u32(field + " type")
		if err != nil {
			return err
		}
		e := Entry{Key: key, Type: Type(t), Offset: d.Offset()}
		v, err := d.value(e.Type, field)
		if err != nil {
			return err
		}
		f.Entries = append(f.Entries, e)
		switch s := v.(type) {
		case longString:
			f.warn("%s: a string of %d bytes stays in the file", field, int64(s))
			continue
		case string:
			held += len(s)
		}
		if l, ok := v.(*list); ok {
			v = l.exported(f.r, f.size)
		}
		f.meta[key] = v
		if key == "general.alignment" {
			if err := f.align(d, e, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// align checks the alignment: a u32, a power of two and a multiple of 8.
func (f *File) align(d *decoder, e Entry, v any) error {
	n, ok := v.(uint64)
	if e.Type != Uint32 || !ok {
		return d.fail(tensor.ErrFormat, e.Offset, "general.alignment", "the alignment is a u32, found %v", e.Type)
	}
	if n == 0 || n&(n-1) != 0 || n%8 != 0 {
		return d.fail(tensor.ErrFormat, e.Offset, "general.alignment", "%d is no power of two that 8 divides", n)
	}
	if n > maxAlignment {
		return d.fail(tensor.ErrLimit, e.Offset, "general.alignment", "%d is above %d", n, maxAlignment)
	}
	f.Alignment = int64(n)
	return nil
}

// Tensors lists the tensors in stored order.
func (f *File) Tensors() []*tensor.Tensor { return f.tensors }

// Tensor returns the tensor of that name.
func (f *File) Tensor(name string) (*tensor.Tensor, bool) {
	t, ok := f.byName[name]
	return t, ok
}

// Metadata returns the file's pairs under their own keys.
func (f *File) Metadata() tensor.Metadata { return f.meta }

// Value decodes the value of an entry: uint64, int64, float64, bool, string,
// or []any for arrays.
func (f *File) Value(e Entry) (any, error) {
	d := &decoder{Cursor: saferio.NewCursor(f.r, f.size), ctx: context.Background(), file: f.name, order: f.order}
	if err := d.Skip(uint64(e.Offset)); err != nil {
		return nil, err
	}
	if e.Type == Array {
		return d.items(quoted("metadata", e.Key))
	}
	return d.value(e.Type, quoted("metadata", e.Key))
}

// Split returns the place of the file in a split set: its number from 0, how
// many files there are and how many tensors they hold together. ok is false
// when no split key is present; a key of another type is an error.
func (f *File) Split() (no, count, tensors int, ok bool, err error) {
	want := []struct {
		key  string
		typ  Type
		into *int
	}{{"split.no", Uint16, &no}, {"split.count", Uint16, &count}, {"split.tensors.count", Int32, &tensors}}
	found := 0
	for _, w := range want {
		for _, e := range f.Entries {
			if e.Key != w.key {
				continue
			}
			if e.Type != w.typ {
				return 0, 0, 0, false, tensor.Errorf(tensor.ErrFormat, f.name, e.Offset, w.key, "the type is %v, found %v", w.typ, e.Type)
			}
			*w.into, _ = f.meta.Int(w.key)
			found++
		}
	}
	if found > 0 && found < len(want) {
		return 0, 0, 0, false, tensor.Errorf(tensor.ErrFormat, f.name, -1, "split keys", "split.no, split.count and split.tensors.count stand together, found %d of them", found)
	}
	return no, count, tensors, found > 0, nil
}

func (f *File) warn(format string, args ...any) {
	f.Warnings = append(f.Warnings, fmt.Sprintf(format, args...))
}
