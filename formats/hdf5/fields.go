package hdf5

import (
	"encoding/binary"
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

var le = binary.LittleEndian

// none is an address that stands for nothing.
const none = math.MaxUint64

// file is a file under way.
type file struct {
	name string
	r    io.ReaderAt
	size int64
	base uint64 // what addresses count from
	kept kept
}

func (f *file) fail(at int64, field, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrFormat, f.name, at, field, rule, args...)
}

func (f *file) unsupported(at int64, field, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrUnsupported, f.name, at, field, rule, args...)
}

// place turns an address and a length into an offset of the file.
func (f *file) place(address, n uint64, field string) (int64, error) {
	at := f.base + address
	if at < address || at > uint64(f.size) || n > uint64(f.size)-at {
		return 0, tensor.Errorf(io.ErrUnexpectedEOF, f.name, -1, field, "%d bytes at address %d: the file has %d", n, address, f.size)
	}
	return int64(at), nil
}

// at reads n bytes at an address. Nothing is allocated before they are known
// to lie in the file.
func (f *file) at(address, n uint64, field string) (*fields, error) {
	at, err := f.place(address, n, field)
	if err != nil {
		return nil, err
	}
	if n > maxMetadata {
		return nil, tensor.Errorf(tensor.ErrLimit, f.name, at, field, "%d bytes, at most %d", n, maxMetadata)
	}
	b := make([]byte, n)
	if got, err := f.r.ReadAt(b, at); uint64(got) < n {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, tensor.Errorf(err, f.name, at, field, "reading %d bytes: %v", n, err)
	}
	return &fields{f: f, b: b, start: at, field: field}, nil
}

// maxMetadata bounds one block of a file's own structures.
const maxMetadata = 16 << 20

// fields reads the fields of a block one after the other. The first that is
// not there sets err; all later ones are 0.
type fields struct {
	f     *file
	b     []byte
	pos   int
	start int64 // of b in the file
	field string
	err   error
}

// here is the place of the next field in the file.
func (x *fields) here() int64 { return x.start + int64(x.pos) }

func (x *fields) left() int { return len(x.b) - x.pos }

// bytes takes n bytes.
func (x *fields) bytes(n uint64) []byte {
	if x.err == nil && n > uint64(x.left()) {
		x.err = x.f.fail(x.here(), x.field, "%d bytes expected, %d are left", n, x.left())
	}
	if x.err != nil {
		return nil
	}
	b := x.b[x.pos : x.pos+int(n) : x.pos+int(n)]
	x.pos += int(n)
	return b
}

func (x *fields) skip(n uint64) { x.bytes(n) }

// number takes an unsigned number of n bytes, at most eight.
func (x *fields) number(n uint64) uint64 {
	var wide [8]byte
	copy(wide[:], x.bytes(n))
	return le.Uint64(wide[:])
}

func (x *fields) u8() uint8   { return uint8(x.number(1)) }
func (x *fields) u16() uint16 { return uint16(x.number(2)) }
func (x *fields) u32() uint32 { return uint32(x.number(4)) }
func (x *fields) u64() uint64 { return x.number(8) }

// magic requires a signature.
func (x *fields) magic(want string) {
	at := x.here()
	if b := x.bytes(uint64(len(want))); x.err == nil && string(b) != want {
		x.err = x.f.fail(at, x.field, "the signature %s expected, found %q", want, b)
	}
}

// require records a fault unless ok.
func (x *fields) require(ok bool, rule string, args ...any) {
	if !ok && x.err == nil {
		x.err = x.f.fail(x.here(), x.field, rule, args...)
	}
}

// version requires one of the versions that are read.
func (x *fields) version(known ...uint8) uint8 {
	at, v := x.here(), x.u8()
	for _, k := range known {
		if v == k {
			return v
		}
	}
	if x.err == nil {
		x.err = x.f.unsupported(at, x.field, "version %d is none of %v", v, known)
	}
	return v
}

// part takes n bytes as fields of their own.
func (x *fields) part(n uint64, field string) *fields {
	at := x.here()
	b := x.bytes(n)
	return &fields{f: x.f, b: b, start: at, field: field, err: x.err}
}

// sum requires the checksum of all bytes before it.
func (x *fields) sum() {
	want := checksum(x.b[:x.pos])
	at := x.here()
	if got := x.u32(); x.err == nil && got != want {
		x.err = x.f.fail(at, x.field, "checksum %08x, but the bytes have %08x", got, want)
	}
}
