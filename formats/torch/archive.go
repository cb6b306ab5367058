package torch

import (
	"bytes"
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// maxPickle bounds the description of a checkpoint, some 200 bytes a tensor.
const maxPickle = 64 << 20

// archive is a checkpoint's directory with the one folder it consists of.
type archive struct {
	*directory
	root   string
	base   int64 // of an archive within another, in it
	byName map[string]*entry
	script bool // a TorchScript program

	packages bool // of torch.package
	exported bool // of torch.export
	flat     bool // of torch.export, without a folder
	noSums   bool // written without checksums, as torch can
}

// openArchive reads and judges the directory.
func openArchive(ctx context.Context, file string, r io.ReaderAt, size int64, forgive func(error) error) (*archive, error) {
	d, err := readDirectory(ctx, file, r, size)
	if err != nil {
		return nil, err
	}
	if err := d.place(ctx, forgive); err != nil {
		return nil, err
	}
	a := &archive{directory: d, byName: make(map[string]*entry, len(d.entries)), noSums: true}
	for i := range d.entries {
		e := &d.entries[i]
		a.byName[e.name] = e
		a.noSums = a.noSums && (e.crc == 0 || e.size == 0)
		if err := a.rooted(e); err != nil {
			return nil, err
		}
	}
	if a.flat = a.root == "" && a.byName[exportedFlat] != nil; a.flat {
		a.exported = true
		return a, nil
	}
	if a.root == "" {
		return nil, a.foreign()
	}
	for i := range d.entries {
		if e := &d.entries[i]; !strings.HasPrefix(e.name, a.root+"/") {
			if err := forgive(d.fail(e.at, quoted(e.name), "lies outside the checkpoint's folder %s", escape.Printable(a.root))); err != nil {
				return nil, err
			}
		}
	}
	return a, a.kind()
}

// rooted takes note of a folder that holds a description; there is one.
func (a *archive) rooted(e *entry) error {
	root, ok := strings.CutSuffix(e.name, "/data.pkl")
	if of, is := strings.CutSuffix(e.name, packageMark); is {
		root, ok, a.packages = of, true, true
	}
	if of, is := strings.CutSuffix(e.name, exportedMark); is && !strings.Contains(of, "/") {
		root, ok, a.exported = of, true, true
	}
	if !ok || strings.Contains(root, "/") {
		return nil
	}
	if a.root != "" {
		return a.fail(e.at, quoted(e.name), "a second checkpoint beside %s", escape.Printable(a.root+"/data.pkl"))
	}
	a.root = root
	return nil
}

// kind tells programs from plain checkpoints, and refuses unknown versions and
// the other byte order.
func (a *archive) kind() error {
	a.script = a.byName[a.root+"/constants.pkl"] != nil
	version, err := a.text("version")
	if err != nil {
		return err
	}
	if n := len(version); n > 0 && (n > 2 || strings.Trim(version, "0123456789") != "" || n == 2 && version > "10") {
		return tensor.Errorf(tensor.ErrUnsupported, a.file, a.byName[a.root+"/version"].data, "version", "%s is no version from 1 to 10", escape.Printable(version))
	}
	order, err := a.text("byteorder")
	if err != nil {
		return err
	}
	if order != "" && order != "little" {
		return tensor.Errorf(tensor.ErrUnsupported, a.file, a.byName[a.root+"/byteorder"].data, "byteorder", "%s, only little is read", escape.Printable(order))
	}
	return nil
}

// listed is how many entries an error names.
const listed = 3

// contents names the first entries.
func (a *archive) contents() string {
	var names []string
	for _, e := range a.entries[:min(listed, len(a.entries))] {
		names = append(names, escape.Printable(e.name))
	}
	if more := len(a.entries) - listed; more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}

// foreign says what an archive without description is.
func (a *archive) foreign() error {
	what := ""
	for _, e := range a.entries {
		switch {
		case strings.HasSuffix(e.name, ".npy"):
			what = "; it looks like a NumPy archive"
		case e.name == "[Content_Types].xml":
			what = "; it looks like an office document"
		}
	}
	if what == "" && len(a.entries) > 0 {
		what = "; unpack it, and name the file of weights that it holds (" + a.contents() + ")"
	}
	return tensor.Errorf(tensor.ErrNotModel, a.file, a.start, "directory", "a checkpoint holds FOLDER/data.pkl, this archive does not%s", what)
}

// text returns a small entry of the root without white space around it, or ""
// where there is none.
func (a *archive) text(name string) (string, error) {
	e := a.byName[a.root+"/"+name]
	if e == nil {
		return "", nil
	}
	b, err := a.whole(e, 64)
	return string(bytes.TrimSpace(b)), err
}

// whole returns the bytes of an entry of at most so many, whose checksum is right.
func (a *archive) whole(e *entry, most int64) ([]byte, error) {
	if err := a.limited(e, most); err != nil {
		return nil, err
	}
	if err := a.checked(e); err != nil {
		return nil, err
	}
	b := make([]byte, e.size)
	if n, err := a.content(e).ReadAt(b, 0); n < len(b) {
		return nil, a.unreadable(e, err)
	}
	return b, nil
}

// content reads an entry's bytes by position.
func (a *archive) content(e *entry) io.ReaderAt {
	if e.method == methodStored {
		return io.NewSectionReader(a.r, e.data, e.size)
	}
	return &inflater{a: a, e: e}
}

// checked requires that an entry's bytes have its checksum. The description
// and the small entries are checked, tensors are not: they are read in part.
func (a *archive) checked(e *entry) error {
	sum := crc32.NewIEEE()
	buf := make([]byte, min(e.size, 64<<10))
	content := a.content(e)
	for at := int64(0); at < e.size; at += int64(len(buf)) {
		part := buf[:min(int64(len(buf)), e.size-at)]
		if n, err := content.ReadAt(part, at); n < len(part) {
			return a.unreadable(e, err)
		}
		sum.Write(part)
	}
	return a.sum(e, sum.Sum32())
}

func (a *archive) sum(e *entry, got uint32) error {
	if got != e.crc && !a.noSums {
		return a.fail(e.data, quoted(e.name), "checksum %08x, but %08x in the directory", got, e.crc)
	}
	return nil
}

// unreadable keeps an error that is typed already and types others.
func (a *archive) unreadable(e *entry, err error) error {
	if known, ok := err.(*tensor.FormatError); ok {
		return known
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return tensor.Errorf(err, a.file, e.data, quoted(e.name), "reading %d bytes: %v", e.size, err)
}
