package formats

import (
	"context"
	"errors"
	"log/slog"
	"slices"

	"github.com/weightprint/weightprint/formats/packed"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Options changes how Open works; nil is the defaults.
type Options struct {
	// Lenient turns breaches that real writers commit, and that cannot hide
	// or swap a tensor, into warnings.
	Lenient bool
	// UnknownTypes opens GGUF files that hold tensors of unknown type, and
	// checkpoints packed in a layout that is not read. The tensors can be
	// listed as stored; they are no weights to compare.
	UnknownTypes bool
	// Formats are formats of the caller's own. They are asked before the
	// built-in ones.
	Formats []Format
	// Component names the part of a pipeline that is to be opened, as diffusers
	// calls its folder: "unet", "transformer", "vae", "text_encoder". It is taken
	// from a folder of components, or out of one file that holds several. A model
	// without components is opened whole, with a warning.
	Component string
	// MaxOpenFiles bounds the descriptors in use; 64 if zero.
	MaxOpenFiles int
	// AllowPrivate lets remote references lead to loopback and private
	// addresses.
	AllowPrivate bool
	// Offline opens only what lies on this machine.
	Offline bool
	// NearBytes is the gap between two ranges of a remote file below which one request
	// fetches both, with what lies between; 1 KiB if zero. Who is granted few requests
	// sets it higher. It changes nothing of what is found.
	NearBytes int64
	// Spool is a folder in which remote files lie while they are read, "" for none: then
	// a file is asked for twice, its beginning and the rest, whatever is read of it.
	Spool string
	// Log is told of what delays remote reads; silent if nil.
	Log *slog.Logger
}

// Checkpoint is an open model. It is safe for concurrent use.
type Checkpoint struct {
	Ref       string // as given to Open, without anything secret
	Format    string // the Name of a Format, such as "safetensors"
	Layout    string // how matrices are packed, such as "gptq"; "" where none is
	Component string // of a pipeline that this is, such as "unet"; "" for a model of its own
	Revision  string // commit of the hub's repository it is from; "" if unknown
	Warnings  []string

	place     source.Folder
	files     []*File
	tensors   []*tensor.Tensor
	byName    names
	meta      tensor.Metadata
	tokens    func(context.Context) ([]string, error)
	auxiliary []packed.Auxiliary
	storage   int64 // bytes of the tensors with those that share theirs counted once; 0 where none can
}

// File is one file that holds tensors of a checkpoint.
type File struct {
	Path     string          // relative to the checkpoint's folder
	Identity source.Identity // how its store or server names the content
	*source.Counted
	verify func() error
}

// FileOf is the file that a tensor of a checkpoint is stored in, nil for one that
// is made of several or unpacked in memory.
func FileOf(t *tensor.Tensor) *File {
	s, ok := tensor.StoredOf(t.Data)
	if !ok {
		return nil
	}
	r := s.R
	if in, ok := r.(*Input); ok { // as its format was given it
		r = in.ReaderAt
	}
	f, _ := r.(*File)
	return f
}

// Tensors lists the tensors of all shards, shard by shard in stored order.
func (c *Checkpoint) Tensors() []*tensor.Tensor { return c.tensors }

// Tensor returns the tensor of that name.
func (c *Checkpoint) Tensor(name string) (*tensor.Tensor, bool) {
	t := c.byName.find(name)
	return t, t != nil
}

// Auxiliary lists the stored tensors that are no weights and are not among
// Tensors, each with the reason.
func (c *Checkpoint) Auxiliary() []packed.Auxiliary { return c.auxiliary }

// Metadata returns what the files declare: a GGUF file's pairs under their
// own keys, a safetensors header's under "safetensors.", what stands beside a
// PyTorch checkpoint's model under "torch.", config.json under "config.",
// adapter_config.json under "adapter.", quantize_config.json under "quantize.",
// hf_quant_config.json under "hf_quant.", a model card's front matter under
// "card.".
func (c *Checkpoint) Metadata() tensor.Metadata { return c.meta }

// Files lists the files that hold tensors.
func (c *Checkpoint) Files() []*File { return c.files }

// Remote tells whether the files lie on a server.
func (c *Checkpoint) Remote() bool {
	_, ok := c.place.(source.Metered)
	return ok
}

// BytesRead is how many bytes of these files were read at least once; of a
// remote checkpoint, how many bytes were transferred for it in all, those of
// small files beside the weights included.
func (c *Checkpoint) BytesRead() int64 {
	if m, ok := c.place.(source.Metered); ok {
		return m.Transferred()
	}
	n := int64(0)
	for _, f := range c.files {
		n += f.BytesRead()
	}
	return n
}

// BytesTotal is the size of these files together.
func (c *Checkpoint) BytesTotal() int64 {
	n := int64(0)
	for _, f := range c.files {
		n += f.Size()
	}
	return n
}

// Vocabulary returns the token strings by row of the embedding, or nil where
// the checkpoint does not hold them.
func (c *Checkpoint) Vocabulary(ctx context.Context) ([]string, error) {
	if c.tokens == nil {
		return nil, nil
	}
	return c.tokens(ctx)
}

// Verify requires that no file has changed since it was opened.
func (c *Checkpoint) Verify() error {
	for _, f := range c.files {
		if f.verify == nil {
			continue
		}
		if err := f.verify(); err != nil {
			return err
		}
	}
	return nil
}

// Close releases the files.
func (c *Checkpoint) Close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	errs = append(errs, c.place.Close())
	return errors.Join(errs...)
}

// join adds a shard's tensors. A name must not stand in two shards.
func (c *Checkpoint) join(m tensor.Model, file string) error {
	var twice *tensor.Tensor
	if c.byName, twice = c.byName.with(m.Tensors()); twice != nil {
		return tensor.Errorf(tensor.ErrFormat, file, 0, "tensor "+quote(twice.Name), "two shards hold a tensor of this name")
	}
	if more := m.Tensors(); len(c.tensors) == 0 {
		c.tensors = slices.Clip(more)
	} else {
		c.tensors = append(c.tensors, more...)
	}
	for k, v := range m.Metadata() {
		if _, ok := c.meta[k]; !ok {
			c.meta[k] = v
		}
	}
	return nil
}
