package hdf5

import (
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Magic begins every HDF5 file.
const Magic = "\x89HDF\r\n\x1a\n"

// Recognises tells from a file's first bytes whether it is HDF5. Files with a
// block of the user's before the format's own are not looked for.
func Recognises(head []byte) bool {
	return len(head) >= len(Magic) && string(head[:len(Magic)]) == Magic
}

// superblock returns the address of the root group's header.
func (f *file) superblock() (uint64, error) {
	x, err := f.at(0, min(uint64(f.size), 96), "superblock")
	if err != nil {
		return 0, err
	}
	if !Recognises(x.b) {
		return 0, tensor.Errorf(tensor.ErrNotModel, f.name, 0, "magic", "no HDF5 file")
	}
	x.skip(uint64(len(Magic)))
	if v := x.version(0, 1, 2, 3); v >= 2 {
		return f.newer(x)
	} else if x.err == nil {
		return f.older(x, v)
	}
	return 0, x.err
}

// older reads versions 0 and 1.
func (f *file) older(x *fields, v uint8) (uint64, error) {
	x.skip(4)
	f.sizes(x)
	x.skip(1 + 2 + 2 + 4)
	if v == 1 {
		x.skip(4)
	}
	base := x.u64()
	x.skip(8)
	end := x.u64()
	x.skip(8 + 8)
	root := x.u64()
	return f.based(x, base, end, root)
}

// newer reads versions 2 and 3, which have a checksum.
func (f *file) newer(x *fields) (uint64, error) {
	f.sizes(x)
	x.skip(1)
	base := x.u64()
	x.skip(8)
	end := x.u64()
	root := x.u64()
	x.sum()
	return f.based(x, base, end, root)
}

// sizes requires addresses and lengths of eight bytes.
func (f *file) sizes(x *fields) {
	at := x.here()
	if o, l := x.u8(), x.u8(); x.err == nil && (o != 8 || l != 8) {
		x.err = f.unsupported(at, x.field, "addresses of %d and lengths of %d bytes: only those of 8 are read", o, l)
	}
}

// based checks where the format's own bytes begin and end.
func (f *file) based(x *fields, base, end, root uint64) (uint64, error) {
	x.require(base == 0, "the base address is %d: only files that begin with the format's own bytes are read", base)
	if x.err == nil && end > uint64(f.size) {
		x.err = tensor.Errorf(io.ErrUnexpectedEOF, f.name, x.here(), x.field, "the file is cut short: %d bytes, %d declared", f.size, end)
	}
	return root, x.err
}
