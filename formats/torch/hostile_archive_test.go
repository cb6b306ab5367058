package torch

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/weightprint/weightprint/formats/tensor"
)

// archiveCases are archives that two readers could read in two ways, or that
// are larger than they look.
func archiveCases(t testing.TB) (out []hostile) {
	edit := func(name string, class error, text string, change func(m []member) []member) {
		out = append(out, hostile{name, zipped(change(checkpoint(model(ones)))), class, text})
	}
	one := func(name string, class error, text string, change func(m *member)) {
		edit(name, class, text, func(m []member) []member { change(&m[2]); return m })
	}
	rename := func(to string) func(*member) { return func(m *member) { m.name, m.localName = to, to } }
	for _, bad := range []string{"", "/m/data/0", "m/../x", "../x", "m/./0", "m//0", "m\\data\\0", "C:\\x", "C:/x", "m/\x00", "m/\xff", strings.Repeat("a", 5000)} {
		one(fmt.Sprintf("name %.20q", bad), tensor.ErrFormat, "no plain relative path", rename(bad))
	}
	one("encrypted", tensor.ErrUnsupported, "encrypted", func(m *member) { m.flags = 1 })
	one("strongly encrypted", tensor.ErrUnsupported, "encrypted", func(m *member) { m.flags = 1 << 6 })
	one("unknown flag", tensor.ErrUnsupported, "flags", func(m *member) { m.flags = 1 << 5 })
	one("method 12", tensor.ErrUnsupported, "compression method 12", func(m *member) { m.method = 12 })
	one("two sizes", tensor.ErrFormat, "stored as it is", func(m *member) { m.size = 12 })
	one("name of two kinds", tensor.ErrFormat, "differ from the directory's", func(m *member) { m.localName = "m/data/1" })
	one("encrypted locally", tensor.ErrFormat, "differ from the directory's", func(m *member) { m.localFlags = 1 })
	one("local header elsewhere", tensor.ErrFormat, "", func(m *member) { m.at = 1 << 20 })
	one("local header shared", tensor.ErrFormat, "begins inside", func(m *member) { m.at = 0 })
	one("larger than the file", tensor.ErrFormat, "run into the directory", func(m *member) { m.size, m.disk = 1<<30, 1<<30 })
	one("into the next entry", tensor.ErrFormat, "begins inside", func(m *member) { m.size, m.disk = 40, 40 })
	one("smaller than the data", tensor.ErrFormat, "belong to no entry", func(m *member) { m.size, m.disk = 12, 12 })
	one("hidden bytes", tensor.ErrFormat, "belong to no entry", func(m *member) { m.gap = 9 })
	edit("bytes before the archive", tensor.ErrNotModel, "", func(m []member) []member { m[0].gap = 100; return m })
	edit("an entry twice", tensor.ErrFormat, "stands twice", func(m []member) []member { return append(m, m[2]) })
	edit("two checkpoints", tensor.ErrFormat, "a second checkpoint", func(m []member) []member { return append(m, file("n/data.pkl", nil)) })
	edit("an entry outside", tensor.ErrFormat, "outside the checkpoint's folder", func(m []member) []member { return append(m, file("n/data/0", nil)) })
	edit("byte order big", tensor.ErrUnsupported, "only little", func(m []member) []member { m[1] = file("m/byteorder", []byte("big")); return m })
	edit("version 11", tensor.ErrUnsupported, "version", func(m []member) []member { m[3] = file("m/version", []byte("11\n")); return m })
	edit("version of 1 MiB", tensor.ErrLimit, "at most 64", func(m []member) []member { m[3] = file("m/version", make([]byte, 1<<20)); return m })
	edit("no description", tensor.ErrNotModel, "data.pkl", func(m []member) []member { return m[1:] })
	edit("checksum of the pickle", tensor.ErrFormat, "checksum", func(m []member) []member { m[0].crc++; return m })
	edit("checksum of the byte order", tensor.ErrFormat, "checksum", func(m []member) []member { m[1].crc = 0; return m })
	edit("nothing", tensor.ErrNotModel, "empty zip archive", func([]member) []member { return nil })
	out = append(out, deflatedCases()...)
	return append(out, endCases(t)...)
}

func deflated(b []byte) []byte {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 9)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// deflatedCases are zip bombs and lies about sizes.
func deflatedCases() (out []hostile) {
	pack := func(name string, class error, text string, size int, data []byte, change func(*member)) {
		m := checkpoint(model(ones))
		i := 0
		if strings.HasPrefix(name, "storage") {
			i = 2
		}
		m[i].method, m[i].data, m[i].disk, m[i].size = methodDeflated, data, uint32(len(data)), uint32(size)
		if change != nil {
			change(&m[i])
		}
		out = append(out, hostile{name, zipped(m), class, text})
	}
	zeros := deflated(make([]byte, 40<<20))
	pack("storage of zeros", tensor.ErrLimit, "more than 200 to one", 40<<20, zeros, nil)
	pack("storage of 40 GB of zeros", tensor.ErrLimit, "at most 2147483648", 0, zeros, func(m *member) {
		m.size, m.extra = full32, binary.LittleEndian.AppendUint64([]byte{1, 0, 8, 0}, 40<<30)
	})
	pack("storage of 2^63 bytes", tensor.ErrFormat, "a size or offset", 0, zeros, func(m *member) {
		m.size, m.extra = full32, binary.LittleEndian.AppendUint64([]byte{1, 0, 8, 0}, 1<<63)
	})
	pack("pickle of zeros", tensor.ErrLimit, "more than 200 to one", 40<<20, zeros, nil)
	lists := []byte("\x80\x02")
	for i := range 3 << 19 {
		lists = append(lists, "]}"[uint64(i)*uint64(i)/7%2])
	}
	pack("pickle of lists", tensor.ErrLimit, "more than 96 MiB", len(lists), deflated(lists), func(m *member) { *m = resum(*m, lists) })
	pack("pickle that inflates to more", tensor.ErrFormat, "inflates to more", 10, deflated(make([]byte, 1000)), nil)
	pack("pickle that inflates to less", io.ErrUnexpectedEOF, "end after", 2000, deflated(make([]byte, 1000)), nil)
	pack("pickle that does not inflate", tensor.ErrFormat, "broken", 10, []byte("\xff\xff\xff\xff"), nil)
	good := model(ones)
	pack("pickle with bytes behind", tensor.ErrFormat, "broken", len(good), append(deflated(good), 1, 2, 3), func(m *member) { *m = resum(*m, good) })
	pack("pickle of another checksum", tensor.ErrFormat, "checksum", len(good), deflated(good), func(m *member) { m.crc++ })
	return out
}

func resum(m member, b []byte) member {
	m.crc = file("", b).crc
	return m
}

// endCases change the records at the end of an archive that torch wrote, and
// so with zip64 records.
func endCases(t testing.TB) (out []hostile) {
	good := load(t, "testdata/wrapped.pt")
	end, locator := len(good)-endBytes, len(good)-endBytes-locatorBytes
	large := locator - end64Bytes
	patch := func(name string, class error, text string, at int, b ...byte) {
		bad := bytes.Clone(good)
		copy(bad[at:], b)
		out = append(out, hostile{name, bad, class, text})
	}
	ones := bytes.Repeat([]byte{0xff}, 8)
	patch("several disks", tensor.ErrUnsupported, "several disks", large+16, 1)
	patch("end record entries", tensor.ErrFormat, "but", end+8, 3)
	patch("zip64 entries", tensor.ErrFormat, "but", large+32, 3)
	patch("zip64 directory size", tensor.ErrFormat, "but", large+40, 1)
	patch("zip64 directory offset", tensor.ErrFormat, "but", large+48, ones...)
	patch("zip64 record of another size", tensor.ErrFormat, "a record of 56 bytes", large+4, 45)
	patch("zip64 record elsewhere", tensor.ErrFormat, "right before its locator", locator+8, 1)
	patch("zip64 record beyond the end", tensor.ErrFormat, "right before its locator", locator+8, ones...)
	patch("zip64 record on another disk", tensor.ErrFormat, "right before its locator", locator+4, 1)
	patch("comment claimed", tensor.ErrFormat, "behind the end", end+20, 1)
	bad := bytes.Clone(good)
	copy(bad[end+8:], ones[:4])
	copy(bad[large+24:], []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0})
	out = append(out, hostile{"2^40 entries", bad, tensor.ErrLimit, "entries, at most"},
		hostile{"trailing bytes", append(bytes.Clone(good), 0), io.ErrUnexpectedEOF, "cut short, or something follows"},
		hostile{"cut in the middle", good[:len(good)/2], io.ErrUnexpectedEOF, "cut short"},
		hostile{"two archives", append(bytes.Clone(good), good...), tensor.ErrFormat, ""})
	return out
}
