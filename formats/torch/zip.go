package torch

import (
	"context"
	"encoding/binary"
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Limits of this reader on archives.
const (
	maxEntries   = 1 << 17
	maxEntryName = 4096
	maxInflated  = 2 << 30 // of one deflated entry, which can be read from its beginning only
	maxRatio     = 200     // of a deflated entry's sizes, beyond the first
	freeInflated = 1 << 20 // bytes, which may be all zeros
)

// Sizes and signatures of the records of a zip archive (PKWARE's APPNOTE).
const (
	endBytes, end64Bytes, locatorBytes, recordBytes, localBytes = 22, 56, 20, 46, 30

	endMagic, end64Magic, locatorMagic, recordMagic, localMagic = 0x06054b50, 0x06064b50, 0x07064b50, 0x02014b50, 0x04034b50

	full16, full32 = math.MaxUint16, math.MaxUint32 // the number stands in a zip64 field
)

// Methods and flags of entries.
const (
	methodStored, methodDeflated = 0, 8

	flagEncrypted  = 1<<0 | 1<<6 | 1<<13
	flagDescriptor = 1 << 3 // sizes follow the data
	flagsKnown     = 1<<1 | 1<<2 | flagDescriptor | 1<<11
)

// entry is one file of an archive.
type entry struct {
	name       string
	at         int64 // of its record in the directory
	flags      uint16
	method     uint16
	crc        uint32
	size, disk int64 // bytes of the file, and as they lie in the archive
	local      int64 // offset of the local header
	data       int64 // offset of the first byte
}

// directory is the list of entries at the end of an archive.
type directory struct {
	file    string
	r       io.ReaderAt
	entries []entry
	start   int64 // of the directory in the file
}

func (d *directory) fail(at int64, field, rule string, args ...any) error {
	return tensor.Errorf(tensor.ErrFormat, d.file, at, field, rule, args...)
}

var le = binary.LittleEndian

// readAt reads exactly n bytes of the archive's own records.
func (d *directory) readAt(at int64, n int, field string) ([]byte, error) {
	b := make([]byte, n)
	if got, err := d.r.ReadAt(b, at); got < n {
		if err == io.EOF || err == nil {
			err = io.ErrUnexpectedEOF
		}
		return nil, tensor.Errorf(err, d.file, at, field, "reading %d bytes: %v", n, err)
	}
	return b, nil
}

// readDirectory reads the end record and the list of entries. There is one
// way only to find it: the end record is the last of the file, the directory
// ends where the end records begin.
func readDirectory(ctx context.Context, file string, r io.ReaderAt, size int64) (*directory, error) {
	d := &directory{file: file, r: r}
	if size < endBytes {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, file, 0, "end record", "the file is cut short: %d bytes hold no archive", size)
	}
	end := size - endBytes
	b, err := d.readAt(end, endBytes, "end record")
	if err != nil {
		return nil, err
	}
	if le.Uint32(b) != endMagic {
		return nil, tensor.Errorf(io.ErrUnexpectedEOF, file, end, "end record", "the file does not end with an archive's end record: it is cut short, or something follows it")
	}
	e := endRecord{disk: uint32(le.Uint16(b[4:])), first: uint32(le.Uint16(b[6:])), here: uint64(le.Uint16(b[8:])), entries: uint64(le.Uint16(b[10:])), size: uint64(le.Uint32(b[12:])), start: uint64(le.Uint32(b[16:]))}
	if n := le.Uint16(b[20:]); n != 0 {
		return nil, d.fail(end+20, "end record comment", "%d bytes claimed behind the end of the file", n)
	}
	limit, err := d.zip64(end, &e)
	if err != nil {
		return nil, err
	}
	if err := d.checkEnd(e, end, limit); err != nil {
		return nil, err
	}
	d.start = int64(e.start)
	return d, d.records(ctx, int(e.entries), int64(e.size))
}

// endRecord holds the numbers of either end record.
type endRecord struct {
	disk, first   uint32
	here, entries uint64
	size, start   uint64
}

// zip64 reads the larger end record where there is one: torch always writes
// it. Each number of the small record is then equal to it, or all ones. It
// returns where the end records begin.
func (d *directory) zip64(end int64, e *endRecord) (int64, error) {
	at := end - locatorBytes
	if at < 0 {
		return end, nil
	}
	b, err := d.readAt(at, locatorBytes, "zip64 locator")
	if err != nil || le.Uint32(b) != locatorMagic {
		return end, err
	}
	record := at - end64Bytes
	if record < 0 || le.Uint32(b[4:]) != 0 || le.Uint32(b[16:]) > 1 || le.Uint64(b[8:]) != uint64(record) {
		return 0, d.fail(at, "zip64 locator", "the zip64 end record stands right before its locator, on the first of one disk")
	}
	if b, err = d.readAt(record, end64Bytes, "zip64 end record"); err != nil {
		return 0, err
	}
	if le.Uint32(b) != end64Magic || le.Uint64(b[4:]) != end64Bytes-12 {
		return 0, d.fail(record, "zip64 end record", "a record of %d bytes expected", end64Bytes)
	}
	large := endRecord{disk: le.Uint32(b[16:]), first: le.Uint32(b[20:]), here: le.Uint64(b[24:]), entries: le.Uint64(b[32:]), size: le.Uint64(b[40:]), start: le.Uint64(b[48:])}
	for _, f := range []struct {
		field        string
		small, large uint64
		full         uint64
	}{{"entries", e.entries, large.entries, full16}, {"entries of this disk", e.here, large.here, full16}, {"directory size", e.size, large.size, full32}, {"directory offset", e.start, large.start, full32}} {
		if f.small != f.large && f.small != f.full {
			return 0, d.fail(record, "zip64 end record "+f.field, "%d here, but %d in the end record", f.large, f.small)
		}
	}
	*e = large
	return record, nil
}

// checkEnd requires that the directory lies right before the end records and
// can hold the entries claimed.
func (d *directory) checkEnd(e endRecord, end, limit int64) error {
	switch {
	case e.disk != 0 || e.first != 0 || e.here != e.entries:
		return tensor.Errorf(tensor.ErrUnsupported, d.file, end, "end record", "the archive is spread over several disks")
	case e.start > uint64(limit) || e.size != uint64(limit)-e.start:
		return d.fail(end, "end record", "a directory of %d bytes at %d does not end at %d, where the end records begin", e.size, e.start, limit)
	case e.entries > maxEntries:
		return tensor.Errorf(tensor.ErrLimit, d.file, end, "end record entries", "%d entries, at most %d", e.entries, maxEntries)
	case e.entries > e.size/recordBytes:
		return tensor.Errorf(io.ErrUnexpectedEOF, d.file, end, "end record entries", "%d entries cannot stand in %d bytes", e.entries, e.size)
	}
	return nil
}
