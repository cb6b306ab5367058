package torch

import (
	"context"
	"io"
	"math"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/saferio"
)

// records reads the directory.
func (d *directory) records(ctx context.Context, n int, size int64) error {
	c := saferio.NewCursor(io.NewSectionReader(d.r, d.start, size), size)
	d.entries = make([]entry, 0, n)
	for range n {
		if err := ctx.Err(); err != nil {
			return err
		}
		e, err := d.record(c)
		if err != nil {
			return err
		}
		d.entries = append(d.entries, e)
	}
	if c.Remaining() > 0 {
		return d.fail(d.start+c.Offset(), "directory", "%d bytes follow the last of %d entries", c.Remaining(), n)
	}
	return nil
}

// record reads one entry of the directory.
func (d *directory) record(c *saferio.Cursor) (entry, error) {
	e := entry{at: d.start + c.Offset()}
	b, err := c.Next(recordBytes)
	if err != nil {
		return e, tensor.Errorf(err, d.file, e.at, "directory", "%v", err)
	}
	if le.Uint32(b) != recordMagic || le.Uint16(b[34:]) != 0 {
		return e, d.fail(e.at, "directory", "the record of an entry on the first disk expected")
	}
	e.flags, e.method, e.crc = le.Uint16(b[8:]), le.Uint16(b[10:]), le.Uint32(b[16:])
	sizes := [3]uint64{uint64(le.Uint32(b[24:])), uint64(le.Uint32(b[20:])), uint64(le.Uint32(b[42:]))}
	names, extras, comment := uint64(le.Uint16(b[28:])), uint64(le.Uint16(b[30:])), uint64(le.Uint16(b[32:]))
	if b, err = c.Next(names + extras + comment); err != nil {
		return e, tensor.Errorf(err, d.file, e.at, "directory", "%v", err)
	}
	e.name = string(b[:names])
	if err := d.larger(e, b[names:names+extras], sizes[:]); err != nil {
		return e, err
	}
	for i, into := range []*int64{&e.size, &e.disk, &e.local} {
		if sizes[i] > math.MaxInt64 {
			return e, d.fail(e.at, quoted(e.name), "a size or offset of %d", sizes[i])
		}
		*into = int64(sizes[i])
	}
	return e, d.admit(e)
}

// larger replaces the numbers that are all ones by those of the zip64 field,
// which holds these and no others.
func (d *directory) larger(e entry, extra []byte, numbers []uint64) error {
	want := 0
	for _, n := range numbers {
		if n == full32 {
			want++
		}
	}
	var field []byte
	for len(extra) > 0 {
		if len(extra) < 4 || int(le.Uint16(extra[2:])) > len(extra)-4 {
			return d.fail(e.at, quoted(e.name)+" extra", "a field runs out of the %d bytes left", len(extra))
		}
		n := int(le.Uint16(extra[2:]))
		if le.Uint16(extra) == 1 {
			if field != nil {
				return d.fail(e.at, quoted(e.name)+" extra", "the zip64 field stands twice")
			}
			field = extra[4 : 4+n : 4+n]
		}
		extra = extra[4+n:]
	}
	if len(field) != 8*want {
		return d.fail(e.at, quoted(e.name)+" extra", "the zip64 field holds the %d numbers that do not fit the record, found %d bytes", want, len(field))
	}
	for i, n := range numbers {
		if n == full32 {
			numbers[i] = le.Uint64(field)
			field = field[8:]
		}
	}
	return nil
}

// admit refuses entries of kinds that no checkpoint has.
func (d *directory) admit(e entry) error {
	field := quoted(e.name)
	switch {
	case !properName(e.name):
		return d.fail(e.at, field, "the name is no plain relative path of at most %d bytes", maxEntryName)
	case e.flags&flagEncrypted != 0:
		return tensor.Errorf(tensor.ErrUnsupported, d.file, e.at, field, "the entry is encrypted")
	case e.flags&^flagsKnown != 0:
		return tensor.Errorf(tensor.ErrUnsupported, d.file, e.at, field, "flags 0x%04x", e.flags)
	case e.method == methodStored && e.size != e.disk:
		return d.fail(e.at, field, "stored as it is, but of %d and %d bytes", e.size, e.disk)
	case e.method == methodStored:
		return nil
	case e.method != methodDeflated:
		return tensor.Errorf(tensor.ErrUnsupported, d.file, e.at, field, "compression method %d is not one of stored and deflated", e.method)
	case e.size > maxInflated:
		return tensor.Errorf(tensor.ErrLimit, d.file, e.at, field, "%d bytes when inflated, at most %d", e.size, int64(maxInflated))
	case e.size > freeInflated && (e.size-freeInflated)/maxRatio > e.disk:
		return tensor.Errorf(tensor.ErrLimit, d.file, e.at, field, "%d bytes inflate to %d: more than %d to one", e.disk, e.size, maxRatio)
	}
	return nil
}
