package formats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/escape"
)

// Open opens the checkpoint that ref names: a safetensors, GGUF or PyTorch file, any
// shard of a set, an index of shards, a folder that holds one of these, a
// model in a local store or on a hub, or a web address (source.Find). Of
// remote files only what is asked for is fetched; ctx then also ends later
// reads. Close it after use.
func Open(ctx context.Context, ref string, o *Options) (*Checkpoint, error) {
	if o == nil {
		o = &Options{}
	}
	places, err := source.Find(ctx, ref, &source.Options{MaxOpenFiles: o.MaxOpenFiles, AllowPrivate: o.AllowPrivate, Offline: o.Offline, Log: o.Log})
	if err != nil {
		return nil, err
	}
	var failed error
	for _, p := range places {
		c, err := openAt(ctx, p, o)
		if err == nil {
			return c, nil
		}
		if failed == nil {
			failed = err
		} else {
			failed = fmt.Errorf("%w; %w", err, failed)
		}
		if !errors.Is(err, tensor.ErrNotModel) && !errors.Is(err, fs.ErrNotExist) {
			break // there is a model, but it cannot be opened
		}
	}
	return nil, failed
}

// openAt opens what lies in one place.
func openAt(ctx context.Context, p source.Found, o *Options) (*Checkpoint, error) {
	op := &opener{ctx: ctx, o: o, place: p.Folder, dir: p.Folder.Label(""), c: &Checkpoint{Ref: p.Ref, Revision: p.Revision, Warnings: p.Warnings, place: p.Folder, byName: map[string]*tensor.Tensor{}, meta: tensor.Metadata{}}}
	var err error
	if p.File == "" {
		err = op.folder()
	} else {
		err = op.file(p.File)
	}
	if err == nil {
		err = op.surroundings()
	}
	if err == nil {
		err = op.unpack()
	}
	if err != nil {
		op.c.Close()
		return nil, err
	}
	if r, ok := p.Folder.(interface{ Revision() string }); ok {
		op.c.Revision = r.Revision()
	}
	return op.c, nil
}

func quote(s string) string { return strconv.QuoteToASCII(s) }

// opener carries what the steps of Open share.
type opener struct {
	ctx   context.Context
	o     *Options
	place source.Folder
	dir   string // what errors call the folder
	c     *Checkpoint
}

// numbered matches the names of shards: prefix, number, count, ending.
var numbered = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.(safetensors|gguf|bin)$`)

// file opens by the name of one file.
func (op *opener) file(name string) error {
	if strings.HasSuffix(name, ".index.json") {
		return op.index(name)
	}
	m := numbered.FindStringSubmatch(name)
	switch {
	case m == nil:
		return op.single(name)
	case m[4] == "gguf":
		return op.split(name)
	}
	if index := m[1] + "." + m[4] + ".index.json"; op.exists(index) {
		return op.index(index)
	}
	return op.set(m)
}

func (op *opener) exists(name string) bool { return op.place.Has(op.ctx, name) }

// folder chooses what to open in a folder: a single file before an index,
// safetensors before GGUF before torch, weights before adapters.
func (op *opener) folder() error {
	names, err := op.place.Names(op.ctx)
	if err != nil {
		return err
	}
	var singles, indexes, shards, ggufs []string
	pickled := torchFiles(names)
	for _, name := range names {
		m := numbered.FindStringSubmatch(name)
		switch {
		case strings.HasSuffix(name, ".safetensors.index.json"):
			indexes = append(indexes, name)
		case m != nil && m[2] == "00001" && m[4] == "safetensors":
			shards = append(shards, name)
		case m != nil && m[2] == "00001" && m[4] == "gguf":
			ggufs = append(ggufs, name)
		case m != nil: // another shard of a set
		case strings.HasSuffix(name, ".safetensors"):
			singles = append(singles, name)
		case strings.HasSuffix(name, ".gguf"):
			ggufs = append(ggufs, name)
		}
	}
	if len(singles) > 1 {
		singles = slices.DeleteFunc(singles, func(n string) bool { return n == "adapter_model.safetensors" })
	}
	if slices.Contains(singles, "model.safetensors") {
		if len(indexes) > 0 {
			op.c.Warnings = append(op.c.Warnings, "the folder holds model.safetensors and an index; the single file was opened")
		}
		singles, indexes = []string{"model.safetensors"}, nil
	}
	if slices.Contains(indexes, "model.safetensors.index.json") {
		indexes = []string{"model.safetensors.index.json"}
	}
	for _, found := range [][]string{singles, indexes, shards, ggufs} {
		if len(found) == 1 {
			op.beside(pickled, found[0])
			return op.file(found[0])
		}
		if len(found) > 1 {
			return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "several checkpoints lie here, name one of them: %s", strings.Join(quoted(found), ", "))
		}
	}
	if len(pickled) > 0 {
		return op.torchFolder(pickled)
	}
	return tensor.Errorf(tensor.ErrNotModel, op.dir, -1, "folder", "no safetensors, GGUF or PyTorch file lies here%s", op.hint(names))
}

// hint says what lies in a folder instead.
func (op *opener) hint(names []string) string {
	for _, name := range names {
		switch filepath.Ext(name) {
		case ".h5", ".msgpack", ".onnx", ".npz":
			return fmt.Sprintf("; %s is of a format that is not read", escape.Printable(name))
		case ".bin", ".pt", ".pth", ".ckpt":
			return fmt.Sprintf("; %s may be one, name it", escape.Printable(name))
		}
	}
	return ""
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = escape.Printable(n)
	}
	return out
}

// single opens a checkpoint of one file, by what it holds, not by its name.
func (op *opener) single(name string) error {
	f, err := op.blob(name)
	if err != nil {
		return err
	}
	head := make([]byte, min(f.Size(), torch.HeadBytes))
	n, _ := f.ReadAt(head, 0)
	if torch.Recognises(head[:n]) || claimsTorch(name, head[:n]) {
		m, err := op.torch(f)
		if err != nil {
			return err
		}
		return op.c.join(m, f.label(op))
	}
	if bytes.HasPrefix(head[:n], []byte("GGUF")) || strings.HasSuffix(name, ".gguf") {
		g, err := op.gguf(f)
		if err != nil {
			return err
		}
		if _, count, _, ok, err := g.Split(); err != nil {
			return err
		} else if ok && count != 1 {
			return tensor.Errorf(tensor.ErrFormat, f.label(op), 0, "split.count", "the file is one of %d, but its name carries no shard number", count)
		}
		return op.c.join(g, f.label(op))
	}
	s, err := op.safetensors(f)
	if err != nil {
		return err
	}
	return op.c.join(s, f.label(op))
}

// label is how errors name a file: the folder as given, then the file.
func (f *File) label(op *opener) string { return op.place.Label(f.Path) }

// blob opens one file of the checkpoint.
func (op *opener) blob(name string) (*File, error) {
	x, err := op.place.Open(op.ctx, name)
	if err != nil {
		return nil, err
	}
	f := &File{Path: filepath.ToSlash(name), Counted: source.Count(x)}
	if v, ok := x.(interface{ Verify() error }); ok {
		f.verify = v.Verify
	}
	if i, ok := x.(source.Identified); ok {
		f.Identity = i.Identity()
	}
	op.c.files = append(op.c.files, f)
	return f, nil
}

func (op *opener) gguf(f *File) (*gguf.File, error) {
	g, err := gguf.Read(op.ctx, f.label(op), f, f.Size())
	if g == nil || err != nil && (!errors.Is(err, tensor.ErrUnsupported) || !op.o.UnknownTypes) {
		return nil, err
	}
	if err != nil {
		op.c.Warnings = append(op.c.Warnings, err.Error())
	}
	op.c.Format = "gguf"
	op.c.Warnings = append(op.c.Warnings, g.Warnings...)
	return g, nil
}

func (op *opener) safetensors(f *File) (*safetensors.File, error) {
	s, err := safetensors.Read(op.ctx, f.label(op), f, f.Size(), &safetensors.Options{Lenient: op.o.Lenient})
	if err != nil {
		return nil, err
	}
	op.c.Format = "safetensors"
	op.c.Warnings = append(op.c.Warnings, s.Warnings...)
	return s, nil
}

// unpack puts logical tensors in place of those that are stored in several.
// GGUF files hold every tensor in one.
func (op *opener) unpack() error {
	if op.c.Format == "gguf" {
		return nil
	}
	m, err := packed.Unpack(op.ctx, op.c)
	switch {
	case err != nil && errors.Is(err, tensor.ErrUnsupported) && op.o.UnknownTypes:
		op.c.Warnings = append(op.c.Warnings, err.Error())
		return nil
	case m == nil || err != nil:
		return err
	}
	op.c.Layout = strings.Join(m.Layouts, "+")
	op.c.Warnings = append(op.c.Warnings, m.Warnings...)
	op.c.tensors = m.Tensors()
	clear(op.c.byName)
	for _, t := range op.c.tensors {
		op.c.byName[t.Name] = t
	}
	return nil
}

// forgive turns a breach into a warning where the caller asked for it.
func (op *opener) forgive(err error) error {
	if !op.o.Lenient {
		return err
	}
	op.c.Warnings = append(op.c.Warnings, err.Error())
	return nil
}
