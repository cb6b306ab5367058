package hdf5

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// patch overwrites bytes at a place, or some bytes behind the n-th of a
// signature.
type patch struct {
	name   string
	file   string
	magic  string
	nth    int
	offset int
	with   []byte
	class  error
	text   string
}

func u16(n uint16) []byte { return le.AppendUint16(nil, n) }
func u32(n uint32) []byte { return le.AppendUint32(nil, n) }
func u64(n uint64) []byte { return le.AppendUint64(nil, n) }

// at finds the place of a patch.
func (p patch) at(t testing.TB, b []byte) int {
	at := 0
	for i := range p.nth {
		next := bytes.Index(b[at:], []byte(p.magic))
		require.GreaterOrEqual(t, next, 0, p.name)
		if at += next; i < p.nth-1 {
			at += len(p.magic)
		}
	}
	return at + p.offset
}

var patches = []patch{
	{"magic", "layouts.h5", "", 0, 0, []byte("x"), tensor.ErrNotModel, "no HDF5 file"},
	{"superblock of version 9", "layouts.h5", "", 0, 8, []byte{9}, tensor.ErrUnsupported, "version 9"},
	{"addresses of four bytes", "layouts.h5", "", 0, 13, []byte{4}, tensor.ErrUnsupported, "addresses of 4"},
	{"base address", "layouts.h5", "", 0, 24, u64(8), tensor.ErrFormat, "base address"},
	{"longer than the file", "layouts.h5", "", 0, 40, u64(1 << 40), io.ErrUnexpectedEOF, "cut short"},
	{"root beyond the file", "layouts.h5", "", 0, 64, u64(1 << 40), io.ErrUnexpectedEOF, "object header"},
	{"root at 2^64-1", "layouts.h5", "", 0, 64, u64(math.MaxUint64), io.ErrUnexpectedEOF, "object header"},
	{"root in the superblock", "layouts.h5", "", 0, 64, u64(0), tensor.ErrUnsupported, "version"},
	{"superblock 3, checksum", "latest.h5", "", 0, 44, u32(1), tensor.ErrFormat, "checksum"},
	{"header checksum", "latest.h5", "OHDR", 1, 6, []byte{7}, tensor.ErrFormat, ""},
	{"header of 4 GB", "latest.h5", "OHDR", 1, 5, []byte{0x03, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, tensor.ErrLimit, "bytes, at most"},
	{"heap signature", "layouts.h5", "HEAP", 1, 0, []byte("x"), tensor.ErrFormat, "the signature HEAP"},
	{"heap of version 1", "layouts.h5", "HEAP", 1, 4, []byte{1}, tensor.ErrUnsupported, "version 1"},
	{"heap of 2^60 bytes", "layouts.h5", "HEAP", 1, 8, u64(1 << 60), io.ErrUnexpectedEOF, "local heap"},
	{"heap elsewhere", "layouts.h5", "HEAP", 1, 24, u64(1 << 60), io.ErrUnexpectedEOF, "local heap"},
	{"tree signature", "layouts.h5", "TREE", 1, 0, []byte("x"), tensor.ErrFormat, "the signature TREE"},
	{"tree of chunks as group", "layouts.h5", "TREE", 1, 4, []byte{1}, tensor.ErrFormat, "a tree of kind 1"},
	{"tree of 200 levels", "layouts.h5", "TREE", 1, 5, []byte{200}, tensor.ErrFormat, "level 200"},
	{"tree of 65535 entries", "layouts.h5", "TREE", 1, 6, u16(65535), io.ErrUnexpectedEOF, "B-tree"},
	{"tree within itself", "layouts.h5", "TREE", 1, 5, []byte{1}, tensor.ErrFormat, ""},
	{"symbols signature", "layouts.h5", "SNOD", 1, 0, []byte("x"), tensor.ErrFormat, "the signature SNOD"},
	{"65535 symbols", "layouts.h5", "SNOD", 1, 6, u16(65535), io.ErrUnexpectedEOF, "symbol table node"},
	{"a name beyond the heap", "layouts.h5", "SNOD", 1, 8, u64(1 << 40), tensor.ErrFormat, "a name at"},
	{"a member beyond the file", "layouts.h5", "SNOD", 1, 16, u64(1 << 40), io.ErrUnexpectedEOF, "object header"},
	{"a member that is the root", "layouts.h5", "SNOD", 1, 16, u64(96), tensor.ErrFormat, "lies within itself"},
	{"a link to a path", "tf_model.h5", "SNOD", 1, 24, u32(2), tensor.ErrNotModel, "no dataset"},
	{"chunk tree within itself", "layouts.h5", "TREE\x01", 1, 5, []byte{1}, tensor.ErrFormat, ""},
	{"chunk off the grid", "layouts.h5", "TREE\x01", 1, 32, u64(1), tensor.ErrFormat, "a chunk at"},
	{"chunk inside an element", "layouts.h5", "TREE\x01", 1, 48, u64(1), tensor.ErrFormat, "begins inside an element"},
	{"chunk beyond the file", "layouts.h5", "TREE\x01", 1, 56, u64(1 << 40), io.ErrUnexpectedEOF, "chunk"},
	{"chunk of 4 GB", "layouts.h5", "TREE\x01", 1, 24, u32(math.MaxUint32), io.ErrUnexpectedEOF, "chunk"},
	{"two chunks of one place", "layouts.h5", "TREE\x01", 1, 32 + 40, append(u64(0), u64(0)...), tensor.ErrFormat, "stands twice"},
	{"fractal heap signature", "latest.h5", "FRHP", 1, 0, []byte("x"), tensor.ErrFormat, "the signature FRHP"},
	{"fractal heap checksum", "latest.h5", "FRHP", 1, 20, []byte{9}, tensor.ErrFormat, ""},
	{"fractal block signature", "latest.h5", "FHDB", 1, 0, []byte("x"), tensor.ErrFormat, "the signature FHDB"},
	{"tree 2 signature", "latest.h5", "BTHD", 1, 0, []byte("x"), tensor.ErrFormat, "the signature BTHD"},
	{"tree 2 checksum", "latest.h5", "BTHD", 1, 6, []byte{9}, tensor.ErrFormat, "checksum"},
	{"leaf checksum", "latest.h5", "BTLF", 1, 8, []byte{9}, tensor.ErrFormat, "checksum"},
}

// Every hostile file is refused with a typed error, and little is allocated.
func TestHostile(t *testing.T) {
	for _, p := range patches {
		t.Run(p.name, func(t *testing.T) {
			b := load(t, filepath.Join("testdata", p.file))
			copy(b[p.at(t, b):], p.with)
			p.refused(t, b)
		})
	}
	for name, b := range map[string][]byte{"empty": nil, "magic alone": []byte(Magic), "magic and zeros": append([]byte(Magic), make([]byte, 200)...)} {
		t.Run(name, func(t *testing.T) {
			_, err := read(b)
			var fe *tensor.FormatError
			require.ErrorAs(t, err, &fe)
		})
	}
}

func (p patch) refused(t *testing.T, b []byte) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := read(b)
	runtime.ReadMemStats(&after)
	require.ErrorIs(t, err, p.class)
	var fe *tensor.FormatError
	require.ErrorAs(t, err, &fe)
	require.ErrorContains(t, err, p.text)
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(8<<20))
}

// What filters give back must be exactly a chunk.
func TestFilters(t *testing.T) {
	gzip := filter{id: filterDeflate}
	for name, c := range map[string]struct {
		p    pipeline
		b    []byte
		want string
	}{
		"no zlib":          {pipeline{gzip}, []byte("xxxxxxxx"), "broken"},
		"another size":     {nil, make([]byte, 7), "another size"},
		"no element size":  {pipeline{{id: filterShuffle}}, make([]byte, 8), "how long elements are"},
		"element of 0":     {pipeline{{filterShuffle, []uint32{0}}}, make([]byte, 8), "how long elements are"},
		"no checksum":      {pipeline{{id: filterFletcher}}, make([]byte, 3), "without its checksum"},
		"a wrong checksum": {pipeline{{id: filterFletcher}}, append(make([]byte, 8), 1, 2, 3, 4), "checksum of a chunk is wrong"},
		"a bomb":           {pipeline{gzip}, bomb(), "more than the chunk"},
	} {
		_, why := c.p.undo(c.b, 0, 8)
		require.Contains(t, why, c.want, name)
	}
	b, why := pipeline{gzip}.undo(make([]byte, 8), 1, 8)
	require.Empty(t, why)
	require.Equal(t, make([]byte, 8), b, "a filter that was skipped")
}

// bomb is a megabyte of zeros in a kilobyte.
func bomb() []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(make([]byte, 1<<20))
	w.Close()
	return out.Bytes()
}

// No changed byte makes the reader panic, and what it accepts can be read or
// says why not. No cut file is accepted.
func TestCutsAndFlips(t *testing.T) {
	for _, name := range []string{"v110.h5", "tf_model.h5", "layouts.h5", "latest.h5", "model.keras"} {
		good := load(t, "testdata/"+name)
		step := max(1, len(good)/300)
		for i := 0; i < len(good); i += step {
			b := bytes.Clone(good)
			b[i] ^= 1 << (i % 8)
			accepted(t, b)
			_, err := read(good[:i])
			require.Error(t, err, "%s cut to %d", name, i)
		}
	}
}

func accepted(t testing.TB, b []byte) {
	t.Helper()
	var fe *tensor.FormatError
	f, err := read(b)
	if err != nil {
		require.ErrorAs(t, err, &fe)
		return
	}
	left := int64(1 << 16)
	for _, x := range f.Tensors() {
		n := min(x.Len(), left, 1<<12)
		if left -= n; n == 0 {
			continue
		}
		values := make([]float32, n)
		for _, first := range []int64{0, x.Len() - n} {
			if err := x.Data.ReadValues(context.Background(), values, first); err != nil {
				require.ErrorAs(t, err, &fe)
			}
		}
	}
}

// Archives that are no .keras files are refused.
func TestKerasArchives(t *testing.T) {
	weights := load(t, "testdata/v110.h5")
	archive := func(method uint16, names ...string) []byte {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, n := range names {
			w, err := z.CreateHeader(&zip.FileHeader{Name: n, Method: method})
			require.NoError(t, err)
			_, err = w.Write(weights)
			require.NoError(t, err)
		}
		require.NoError(t, z.Close())
		return b.Bytes()
	}
	_, err := read(archive(zip.Store, "config.json", kerasWeights))
	require.NoError(t, err)
	for want, b := range map[string][]byte{
		"compressed":   archive(zip.Deflate, "config.json", kerasWeights),
		"stands twice": archive(zip.Store, kerasWeights, kerasWeights),
		"no entry":     archive(zip.Store, "config.json"),
		"not a valid":  archive(zip.Store, "config.json", kerasWeights)[:1000],
	} {
		_, err := read(b)
		require.ErrorContains(t, err, want)
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
	}
}

// Reading any rows of a dataset in chunks gives the same as reading all.
func TestRows(t *testing.T) {
	f, err := read(load(t, "testdata/layouts.h5"))
	require.NoError(t, err)
	for _, x := range f.Tensors() {
		all := make([]float32, x.Len())
		require.NoError(t, x.Data.ReadValues(context.Background(), all, 0))
		for first := x.Rows() - 1; first >= 0; first -= 3 {
			row := make([]float32, x.Cols())
			require.NoError(t, x.ReadRows(context.Background(), row, first, 1))
			require.Equal(t, all[first*x.Cols():][:x.Cols()], row, fmt.Sprint(x.Name, first))
		}
	}
}

// The published value of lookup3 for a text (Jenkins, lookup3.c).
func TestChecksum(t *testing.T) {
	require.Equal(t, uint32(0x17770551), checksum([]byte("Four score and seven years ago")))
	require.Equal(t, uint32(0xdeadbeef), checksum(nil))
}

// FuzzRead reads any bytes.
func FuzzRead(f *testing.F) {
	for _, pattern := range []string{"testdata/*.h5", "testdata/*.keras", "testdata/refused/*.h5"} {
		files, err := filepath.Glob(pattern)
		require.NoError(f, err)
		for _, path := range files {
			f.Add(load(f, path))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		accepted(t, b)
		accepted(t, resum(b))
	})
}

// resum rights the checksums of headers, so that what lies behind them is
// reached.
func resum(b []byte) []byte {
	out := bytes.Clone(b)
	for at := 0; at+8 < len(out); at++ {
		if string(out[at:at+4]) == "OHDR" && out[at+5]&0x30 == 0 {
			n := 1 << (out[at+5] & 3)
			if at+6+n > len(out) {
				continue
			}
			var wide [8]byte
			copy(wide[:], out[at+6:at+6+n])
			end := uint64(at+6+n) + le.Uint64(wide[:])
			if end+4 <= uint64(len(out)) && end > uint64(at) {
				binary.LittleEndian.PutUint32(out[end:], checksum(out[at:end]))
			}
		}
	}
	return out
}
