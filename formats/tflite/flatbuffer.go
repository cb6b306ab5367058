package tflite

import (
	"encoding/binary"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// buffer reads a flatbuffer where it lies. Pages that were read are kept until
// the description is complete.
type buffer struct {
	file  string
	r     io.ReaderAt
	size  int64
	pages map[int64][]byte
	left  int // tables and texts that may still be read
}

const (
	pageBytes  = 16 << 10
	maxPages   = 1 << 10 // that are kept
	maxObjects = 1 << 20
	maxText    = 64 << 10
)

func (b *buffer) fail(class error, at int64, field, rule string, args ...any) error {
	return tensor.Errorf(class, b.file, at, field, rule, args...)
}

// take returns n bytes from a place, at most a page.
func (b *buffer) take(at, n int64, field string) ([]byte, error) {
	if at < 0 || n > b.size-at {
		return nil, b.fail(io.ErrUnexpectedEOF, at, field, "%d bytes at offset %d, but the file has %d", n, at, b.size)
	}
	first, last := at/pageBytes, (at+n-1)/pageBytes
	p, err := b.page(first, field)
	if err != nil || n == 0 {
		return nil, err
	}
	off := at - first*pageBytes
	if first == last {
		return p[off : off+n], nil
	}
	out := append(make([]byte, 0, n), p[off:]...)
	for i := first + 1; i <= last; i++ {
		if p, err = b.page(i, field); err != nil {
			return nil, err
		}
		out = append(out, p[:min(int64(len(p)), n-int64(len(out)))]...)
	}
	return out, nil
}

func (b *buffer) page(i int64, field string) ([]byte, error) {
	if p := b.pages[i]; p != nil {
		return p, nil
	}
	p := make([]byte, min(pageBytes, b.size-i*pageBytes))
	if n, err := b.r.ReadAt(p, i*pageBytes); n < len(p) {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, b.fail(err, i*pageBytes, field, "%v", err)
	}
	if len(b.pages) >= maxPages {
		clear(b.pages)
	}
	b.pages[i] = p
	return p, nil
}

func (b *buffer) u16(at int64, field string) (int64, error) {
	p, err := b.take(at, 2, field)
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint16(p)), nil
}

func (b *buffer) u32(at int64, field string) (int64, error) {
	p, err := b.take(at, 4, field)
	if err != nil {
		return 0, err
	}
	return int64(binary.LittleEndian.Uint32(p)), nil
}

// table is one table: where it and the list of its fields' offsets lie.
type table struct {
	b         *buffer
	at        int64
	fields, n int64 // of the list, and its bytes
	size      int64 // of the table's own bytes
	what      string
}

// table reads the head of a table.
func (b *buffer) table(at int64, what string) (*table, error) {
	if b.left--; b.left < 0 {
		return nil, b.fail(tensor.ErrLimit, at, what, "more than %d tables", maxObjects)
	}
	back, err := b.u32(at, what)
	if err != nil {
		return nil, err
	}
	t := &table{b: b, at: at, fields: at - int64(int32(back)), what: what}
	if t.n, err = b.u16(t.fields, what+" fields"); err != nil {
		return nil, err
	}
	if t.size, err = b.u16(t.fields+2, what+" fields"); err != nil {
		return nil, err
	}
	if t.n < 4 || t.n%2 != 0 || t.size < 4 || t.size > b.size-at {
		return nil, b.fail(tensor.ErrFormat, t.fields, what+" fields", "a list of %d bytes for a table of %d", t.n, t.size)
	}
	return t, nil
}

// field returns where a field of n bytes lies, 0 if the table has it not.
func (t *table) field(i, n int64) (int64, error) {
	if 4+2*i+2 > t.n {
		return 0, nil
	}
	off, err := t.b.u16(t.fields+4+2*i, t.what)
	if err != nil || off == 0 {
		return 0, err
	}
	if off < 4 || off+n > t.size {
		return 0, t.b.fail(tensor.ErrFormat, t.at, t.what, "field %d lies at %d of a table of %d bytes", i, off, t.size)
	}
	return t.at + off, nil
}

// number reads an integer field of 1, 4 or 8 bytes, or its default.
func (t *table) number(i, n, otherwise int64) (int64, error) {
	at, err := t.field(i, n)
	if err != nil || at == 0 {
		return otherwise, err
	}
	p, err := t.b.take(at, n, t.what)
	if err != nil {
		return 0, err
	}
	switch n {
	case 1:
		return int64(int8(p[0])), nil
	case 4:
		return int64(int32(binary.LittleEndian.Uint32(p))), nil
	}
	return int64(binary.LittleEndian.Uint64(p)), nil
}

// follow returns what an offset field leads to, 0 if there is none.
func (t *table) follow(i int64) (int64, error) {
	at, err := t.field(i, 4)
	if err != nil || at == 0 {
		return 0, err
	}
	return t.b.follow(at, t.what)
}

func (b *buffer) follow(at int64, what string) (int64, error) {
	off, err := b.u32(at, what)
	if err != nil {
		return 0, err
	}
	if off == 0 || off > b.size-at {
		return 0, b.fail(tensor.ErrFormat, at, what, "an offset of %d leads out of the file", off)
	}
	return at + off, nil
}

// vector is a list of n elements that begin at a place.
type vector struct{ at, n int64 }

// vector reads the head of a list of elements of size bytes each.
func (t *table) vector(i, size int64) (vector, error) {
	at, err := t.follow(i)
	if err != nil || at == 0 {
		return vector{}, err
	}
	n, err := t.b.u32(at, t.what)
	if err != nil {
		return vector{}, err
	}
	if n > (t.b.size-at-4)/size {
		return vector{}, t.b.fail(io.ErrUnexpectedEOF, at, t.what, "field %d claims %d elements of %d bytes, the file has %d left", i, n, size, t.b.size-at-4)
	}
	return vector{at + 4, n}, nil
}

// tables walks through a list of tables.
func (t *table) tables(i int64, what string, f func(k int64, x *table) error) error {
	v, err := t.vector(i, 4)
	if err != nil {
		return err
	}
	for k := range v.n {
		at, err := t.b.follow(v.at+4*k, what)
		if err != nil {
			return err
		}
		x, err := t.b.table(at, what)
		if err != nil {
			return err
		}
		if err := f(k, x); err != nil {
			return err
		}
	}
	return nil
}

// child reads a table that a field leads to, nil if there is none.
func (t *table) child(i int64, what string) (*table, error) {
	at, err := t.follow(i)
	if err != nil || at == 0 {
		return nil, err
	}
	return t.b.table(at, what)
}

// text reads a string field.
func (t *table) text(i int64) (string, error) {
	v, err := t.vector(i, 1)
	if err != nil || v.n == 0 {
		return "", err
	}
	if v.n > maxText {
		return "", t.b.fail(tensor.ErrLimit, v.at, t.what, "a text of %d bytes, at most %d", v.n, maxText)
	}
	p, err := t.b.take(v.at, v.n, t.what)
	return string(p), err
}

// ints reads a list of int32, at most as many as given.
func (t *table) ints(i int64, most int64) ([]int64, error) {
	v, err := t.vector(i, 4)
	if err != nil {
		return nil, err
	}
	if v.n > most {
		return nil, t.b.fail(tensor.ErrLimit, v.at, t.what, "field %d has %d numbers, at most %d", i, v.n, most)
	}
	out := make([]int64, v.n)
	for k := range out {
		n, err := t.b.u32(v.at+4*int64(k), t.what)
		if err != nil {
			return nil, err
		}
		out[k] = int64(int32(n))
	}
	return out, nil
}
