package formats

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Format is one way to store a model. Open knows the rows of Builtin and those
// of Options.Formats; adding one is adding a row.
type Format struct {
	// Name is what Checkpoint.Format says, such as "gguf".
	Name string
	// Endings are those of the files' names, such as ".gguf". They choose
	// among the files of a folder, and they say which reader refuses a file
	// whose content no format recognises. They never overrule the content.
	Endings []string
	// Recognise tells by its content whether a file is of this format. Most
	// need in.Head only. It must not claim files of other formats: the first
	// row that recognises a file reads it.
	Recognise func(in *Input) bool
	// Read finds the tensors of one file. Errors are those of package tensor.
	Read func(ctx context.Context, in *Input) (tensor.Model, error)

	// Choose names those files of a folder that may hold its model, for a
	// format of Options.Formats. nil chooses all files of one of the Endings.
	// Of the built-in formats a table of names decides.
	Choose func(names []string) []string
	// Whole says that no tensor is packed into several (package packed).
	Whole bool
}

// HeadBytes is how much of a file's beginning Input.Head holds.
const HeadBytes = 1024

// Input is one file as a Format sees it.
type Input struct {
	Label   string // how errors name the file
	Path    string // within the checkpoint's folder
	Size    int64  // bytes
	Head    []byte // the first HeadBytes, or the whole file if it is shorter
	Options *Options
	io.ReaderAt

	op *opener
}

// Fetches tells whether announcing reads makes a difference.
func (in *Input) Fetches() bool {
	f, ok := in.ReaderAt.(interface{ Fetches() bool })
	return ok && f.Fetches()
}

// Fetch announces reads of the file.
func (in *Input) Fetch(ctx context.Context, spans []tensor.Span) error {
	if f, ok := in.ReaderAt.(tensor.Fetcher); ok {
		return f.Fetch(ctx, spans)
	}
	return nil
}

// Warn adds a warning to the checkpoint, once if it is repeated.
func (in *Input) Warn(warning string) {
	if !slices.Contains(in.op.c.Warnings, warning) {
		in.op.c.Warnings = append(in.op.c.Warnings, warning)
	}
}

// Forgive returns a breach that real writers commit, or makes it a warning
// where Options.Lenient asks for that.
func (in *Input) Forgive(err *tensor.FormatError) error {
	if in.Options.Lenient {
		in.Warn(err.Error())
		return nil
	}
	return err.Forgivable()
}

// Beside opens another file of the same folder: one that holds weights too. It
// must be a plain name; links that leave the folder are refused. field says
// what names it.
func (in *Input) Beside(name, field string) (*Input, error) {
	if !plainName(name) {
		return nil, tensor.Errorf(tensor.ErrFormat, in.Label, -1, field, "%s is no plain name of a file of the same folder", quote(name))
	}
	if in.op.place.Strays(name) {
		return nil, tensor.Errorf(tensor.ErrFormat, in.Label, -1, field, "%s is a link that leaves the folder", quote(name))
	}
	f, err := in.op.blob(name)
	if err != nil {
		return nil, err
	}
	return in.op.input(f), nil
}

// Names lists the files of the folder, as far as they can be known.
func (in *Input) Names(ctx context.Context) ([]string, error) { return in.op.place.Names(ctx) }

// formats are the caller's rows, then the built-in ones.
func (op *opener) formats() []Format { return append(slices.Clone(op.o.Formats), Builtin()...) }

// input is a file of the checkpoint as a format sees it.
func (op *opener) input(f *File) *Input { return op.inputOf(f.Path, f) }

func (op *opener) inputOf(path string, x sized) *Input {
	head := make([]byte, min(x.Size(), HeadBytes))
	n, _ := x.ReadAt(head, 0) // what cannot be read is an error of the reader
	return &Input{Label: op.place.Label(path), Path: path, Size: x.Size(), Head: head[:n], Options: op.o, ReaderAt: x, op: op}
}

// sized is a file of known size.
type sized interface {
	io.ReaderAt
	Size() int64
}

// formatOf finds a file's format by its content. Where there is none, a refusal
// speaks of what the file is, or else of the format that its name ends as.
func (op *opener) formatOf(in *Input) (Format, error) {
	rows := op.formats()
	for _, f := range rows {
		if f.Recognise(in) {
			return f, nil
		}
	}
	if what := lies(in.Head); what != "" {
		return Format{}, tensor.Errorf(tensor.ErrNotModel, in.Label, 0, "content", "this is %s", what)
	}
	for _, f := range rows {
		if f.names(in.Path) {
			return f, nil
		}
	}
	return Format{}, tensor.Errorf(tensor.ErrNotModel, in.Label, 0, "magic", "the file begins as none of the formats that are read (%s)", namesOf(rows))
}

// choose lists the files of a folder that may hold a model of this format.
func (f *Format) choose(names []string) []string {
	if f.Choose != nil {
		return f.Choose(names)
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !f.names(n) })
}

// names tells whether a file's name has one of the endings.
func (f *Format) names(path string) bool {
	return slices.ContainsFunc(f.Endings, func(e string) bool { return strings.HasSuffix(strings.ToLower(path), e) })
}

// namesOf lists the names of formats.
func namesOf(rows []Format) string {
	names := make([]string, len(rows))
	for i, f := range rows {
		names[i] = f.Name
	}
	return strings.Join(slices.Compact(names), ", ")
}

// read reads one file of a format and adds its tensors.
func (op *opener) read(f Format, in *Input) (tensor.Model, error) {
	m, err := f.Read(op.ctx, in)
	if err != nil {
		return nil, err
	}
	op.c.Format, op.whole = f.Name, f.Whole
	return m, nil
}

// single opens a checkpoint of one file, by what it holds, not by its name.
func (op *opener) single(name string) error {
	file, err := op.blob(name)
	if err != nil {
		return err
	}
	in := op.input(file)
	f, err := op.formatOf(in)
	if err != nil {
		return err
	}
	m, err := op.read(f, in)
	if err != nil {
		return err
	}
	return op.c.join(m, in.Label)
}
