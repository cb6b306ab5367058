package torch

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

func quoted(name string) string { return "entry " + strconv.QuoteToASCII(name) }

// properName tells whether a name is a relative path of plain components.
func properName(name string) bool {
	if name == "" || len(name) > maxEntryName || !utf8.ValidString(name) || strings.ContainsAny(name, "\\\x00") {
		return false
	}
	for _, part := range strings.Split(strings.TrimSuffix(name, "/"), "/") {
		if part == "" || part == "." || part == ".." || len(part) > 1 && part[1] == ':' {
			return false
		}
	}
	return true
}

// place reads the local headers, which say where the data begin, and requires
// that no two entries share a byte and none is left over: what another reader
// could take for data is data here too. forgive decides on bytes that belong
// to no entry.
func (d *directory) place(ctx context.Context, forgive func(error) error) error {
	order := make([]*entry, len(d.entries))
	seen := make(map[string]bool, len(d.entries))
	for i := range d.entries {
		e := &d.entries[i]
		if seen[e.name] {
			return d.fail(e.at, quoted(e.name), "the name stands twice in the archive")
		}
		seen[e.name] = true
		order[i] = e
	}
	slices.SortStableFunc(order, func(a, b *entry) int { return cmp.Compare(a.local, b.local) })
	end, slack, before := int64(0), int64(0), "the beginning of the file"
	for _, e := range order {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.follows(e.local, end, slack, quoted(e.name), before, forgive); err != nil {
			return err
		}
		if err := d.localHeader(e); err != nil {
			return err
		}
		end, slack, before = e.data+e.disk, 0, quoted(e.name)
		if e.flags&flagDescriptor != 0 {
			slack = descriptorBytes
		}
	}
	return d.follows(d.start, end, slack, "directory", before, forgive)
}

// descriptorBytes is the length of the longest record that may follow an
// entry's data. Its contents repeat the directory.
const descriptorBytes = 24

// follows requires that something begins where the entry before it ended.
func (d *directory) follows(at, end, slack int64, what, before string, forgive func(error) error) error {
	switch gap := at - end; {
	case gap < 0:
		return d.fail(at, what, "begins inside %s, which ends at %d", before, end)
	case gap > slack:
		return forgive(d.fail(at, what, "%d bytes behind %s belong to no entry", gap, before))
	}
	return nil
}

// localHeader compares an entry's own header with the directory and finds
// where its data begin.
func (d *directory) localHeader(e *entry) error {
	field := quoted(e.name) + " local header"
	if e.local > d.start-localBytes-int64(len(e.name)) {
		return d.fail(e.at, field, "at offset %d, behind the beginning of the directory at %d", e.local, d.start)
	}
	b, err := d.readAt(e.local, localBytes+len(e.name), field)
	if err != nil {
		return err
	}
	name := b[localBytes:]
	if le.Uint32(b) != localMagic || le.Uint16(b[6:]) != e.flags || le.Uint16(b[8:]) != e.method || int(le.Uint16(b[26:])) != len(e.name) || string(name) != e.name {
		return d.fail(e.local, field, "name, flags or method differ from the directory's")
	}
	extra := int64(le.Uint16(b[28:]))
	e.data = e.local + localBytes + int64(len(e.name)) + extra
	if e.disk > d.start-e.data {
		return d.fail(e.local, field, "%d bytes of data at %d run into the directory at %d", e.disk, e.data, d.start)
	}
	sizes := []uint64{uint64(le.Uint32(b[22:])), uint64(le.Uint32(b[18:]))}
	if sizes[0] == full32 || sizes[1] == full32 {
		if b, err = d.readAt(e.data-extra, int(extra), field); err != nil {
			return err
		}
		if err := d.larger(*e, b, sizes); err != nil {
			return err
		}
	}
	later := e.flags&flagDescriptor != 0
	for i, want := range []int64{e.size, e.disk} {
		if got := sizes[i]; got != uint64(want) && !(later && got == 0) {
			return d.fail(e.local, field, "%d bytes, but %d in the directory", got, want)
		}
	}
	return nil
}

// limited requires that an entry has at most a given number of bytes.
func (d *directory) limited(e *entry, most int64) error {
	if e.size > most {
		return tensor.Errorf(tensor.ErrLimit, d.file, e.at, quoted(e.name), "%d bytes, at most %d", e.size, most)
	}
	return nil
}
