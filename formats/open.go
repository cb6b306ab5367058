package formats

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
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
)

// Open opens the checkpoint that ref names: a safetensors, GGUF or PyTorch
// file, any shard of a set, an index of shards, a folder that holds one of
// these, or a model in a local store (source.Locate). Close it after use.
func Open(ctx context.Context, ref string, o *Options) (*Checkpoint, error) {
	if o == nil {
		o = &Options{}
	}
	path, err := source.Locate(ref)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, tensor.Errorf(unwrapped(err), ref, -1, "file", "cannot be opened: %v", unwrapped(err))
	}
	op := &opener{ctx: ctx, o: o, files: source.NewFiles(o.MaxOpenFiles), c: &Checkpoint{Ref: ref, Revision: source.Revision(path), byName: map[string]*tensor.Tensor{}, meta: tensor.Metadata{}}}
	if info.IsDir() {
		op.dir = path
		err = op.folder()
	} else {
		op.dir = filepath.Dir(path)
		err = op.file(filepath.Base(path))
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
	return op.c, nil
}

// unwrapped strips the path from an error of package os.
func unwrapped(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func quote(s string) string { return strconv.QuoteToASCII(s) }

// opener carries what the steps of Open share.
type opener struct {
	ctx   context.Context
	o     *Options
	files *source.Files
	dir   string
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

func (op *opener) exists(name string) bool {
	_, err := os.Stat(filepath.Join(op.dir, name))
	return err == nil
}

// folder chooses what to open in a folder: a single file before an index,
// safetensors before GGUF before torch, weights before adapters.
func (op *opener) folder() error {
	entries, err := os.ReadDir(op.dir)
	if err != nil {
		return tensor.Errorf(unwrapped(err), op.dir, -1, "folder", "cannot be listed: %v", unwrapped(err))
	}
	var singles, indexes, shards, ggufs []string
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
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
			return fmt.Sprintf("; %s is of a format that is not read", tensor.Printable(name))
		case ".bin", ".pt", ".pth", ".ckpt":
			return fmt.Sprintf("; %s may be one, name it", tensor.Printable(name))
		}
	}
	return ""
}

func quoted(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = tensor.Printable(n)
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
func (f *File) label(op *opener) string { return filepath.Join(op.dir, f.Path) }

// blob opens one file of the checkpoint.
func (op *opener) blob(name string) (*File, error) {
	label := filepath.Join(op.dir, name)
	x, err := op.files.Open(filepath.Join(op.dir, name), label)
	if err != nil {
		return nil, err
	}
	f := &File{Path: filepath.ToSlash(name), Counted: source.Count(x), verify: x.Verify}
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
