package formats

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Open opens the checkpoint that ref names: a file of a format that is read
// (Builtin, Options.Formats), any shard of a set, an index of shards, a folder that holds one of these, a
// model in a local store or on a hub, or a web address (source.Find). Of
// remote files only what is asked for is fetched; ctx then also ends later
// reads. Close it after use.
func Open(ctx context.Context, ref string, o *Options) (*Checkpoint, error) {
	if o == nil {
		o = &Options{}
	}
	places, err := source.Find(ctx, ref, &source.Options{MaxOpenFiles: o.MaxOpenFiles, AllowPrivate: o.AllowPrivate, Offline: o.Offline, NearBytes: o.NearBytes, Spool: o.Spool, Log: o.Log})
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
		if !isMissing(err) || errors.Is(err, ErrComponents) {
			break // there is a model, but it cannot be opened
		}
	}
	return nil, failed
}

// OpenFolder opens a checkpoint in a folder that the caller provides: a store of its
// own, an archive, files in a browser. file names the checkpoint's file; "" leaves the
// choice to what lies there. No other place is looked at.
func OpenFolder(ctx context.Context, place source.Folder, file string, o *Options) (*Checkpoint, error) {
	if o == nil {
		o = &Options{}
	}
	return openAt(ctx, source.Found{Folder: place, File: file, Ref: place.Label(file)}, o)
}

// openAt opens what lies in one place.
func openAt(ctx context.Context, p source.Found, o *Options) (*Checkpoint, error) {
	op := &opener{ctx: ctx, o: o, place: p.Folder, dir: p.Folder.Label(""), c: &Checkpoint{Ref: p.Ref, Revision: p.Revision, Warnings: p.Warnings, place: p.Folder, meta: tensor.Metadata{}}}
	var err error
	if p.File == "" {
		err = op.folder()
	} else {
		err = op.inner(p.File)
	}
	for _, step := range []func() error{op.config, op.unstack, op.einsums, op.unpack, op.furtherModules, op.part} {
		if err == nil {
			err = step()
		}
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
	whole bool // the format keeps every tensor in one piece
}

// numbered matches the names of shards: prefix, number, count, ending.
var numbered = regexp.MustCompile(`^(.*)-(\d{5})-of-(\d{5})\.(safetensors|gguf|bin)$`)

// file opens by the name of one file.
func (op *opener) file(name string) error {
	if strings.HasSuffix(name, ".index.json") {
		return op.index(name)
	}
	if m := cutUp.FindStringSubmatch(name); m != nil {
		return op.together(m)
	}
	m := numbered.FindStringSubmatch(name)
	switch {
	case m == nil:
		return op.single(name)
	case m[4] == "gguf":
		return op.split(name)
	}
	if index := m[1] + "." + m[4] + ".index.json"; op.exists(index) {
		return op.indexOf(index, m)
	}
	return op.set(m)
}

func (op *opener) exists(name string) bool { return op.place.Has(op.ctx, name) }

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

// unpack puts logical tensors in place of those that are stored in several.
func (op *opener) unpack() error {
	if op.whole {
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
	op.c.auxiliary = m.Auxiliary()
	op.c.setTensors(m.Tensors())
	return nil
}

// forgive turns a breach into a warning where the caller asked for it.
func (op *opener) forgive(err *tensor.FormatError) error {
	if !op.o.Lenient {
		return err.Forgivable()
	}
	op.c.Warnings = append(op.c.Warnings, err.Error())
	return nil
}
