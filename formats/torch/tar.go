package torch

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxTarEntries is far beyond what either layout holds.
const maxTarEntries = 1 << 14

// tarEntry is one plain file of a tar archive.
type tarEntry struct{ at, size int64 }

// readTar reads the two layouts of checkpoints that are tar archives: torch
// 0.1's, and NeMo's, whose weights are a checkpoint of their own.
func (f *File) readTar(ctx context.Context, r io.ReaderAt, size int64) error {
	entries, err := tarEntries(ctx, f.name, r, size)
	if err != nil {
		return err
	}
	if _, ok := entries["pickle"]; ok {
		return f.readOldTar(ctx, r, entries)
	}
	weights, ok := entries["model_weights.ckpt"]
	if !ok {
		return tensor.Errorf(notNemo(entries), f.name, 0, "tar", "a checkpoint of torch 0.1 holds pickle, one of NeMo model_weights.ckpt; this archive holds %s", some(sortedNames(entries)))
	}
	head := make([]byte, min(HeadBytes, weights.size))
	if n, _ := r.ReadAt(head, weights.at); isTar(head[:n]) {
		return tensor.Errorf(tensor.ErrUnsupported, f.name, weights.at, "entry model_weights.ckpt", "a tar archive within one")
	}
	inner, err := Read(ctx, f.name+"/model_weights.ckpt", newSection(r, weights.at, weights.size), weights.size, &Options{Lenient: f.lenient})
	if err != nil {
		return err
	}
	name, lenient := f.name, f.lenient
	*f = *inner
	f.name, f.lenient = name, lenient
	f.meta["torch.container"] = "nemo"
	return nil
}

// notNemo tells NeMo's other layouts, which hold the weights in several parts,
// from archives of anything else.
func notNemo(entries map[string]tarEntry) error {
	for name := range entries {
		if name == "model_config.yaml" || strings.HasSuffix(name, "/model_weights.ckpt") {
			return tensor.ErrUnsupported
		}
	}
	return tensor.ErrNotModel
}

func sortedNames(entries map[string]tarEntry) []string {
	var names []string
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// tarEntries lists the plain files of an archive by their clean names. Folders
// are passed over; links and devices are refused, and names that stand twice.
func tarEntries(ctx context.Context, file string, r io.ReaderAt, size int64) (map[string]tarEntry, error) {
	s := io.NewSectionReader(r, 0, size)
	t := tar.NewReader(s)
	out := map[string]tarEntry{}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		h, err := t.Next()
		if err == io.EOF {
			return out, nil
		}
		at, _ := s.Seek(0, io.SeekCurrent)
		if err != nil {
			return nil, tarFault(file, at, err)
		}
		name := path.Clean(h.Name)
		switch {
		case h.Typeflag == tar.TypeDir:
			continue
		case h.Typeflag != tar.TypeReg || name == ".." || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") || h.PAXRecords["GNU.sparse.major"] != "":
			return nil, tensor.Errorf(tensor.ErrUnsupported, file, at, quoted(h.Name), "an entry that is no plain file within the archive")
		case out[name] != (tarEntry{}):
			return nil, tensor.Errorf(tensor.ErrFormat, file, at, quoted(h.Name), "the name stands twice in the archive")
		case h.Size > size-at:
			return nil, tensor.Errorf(io.ErrUnexpectedEOF, file, at, quoted(h.Name), "%d bytes, %d are left", h.Size, size-at)
		case len(out) == maxTarEntries:
			return nil, tensor.Errorf(tensor.ErrLimit, file, at, quoted(h.Name), "more than %d entries", maxTarEntries)
		}
		out[name] = tarEntry{at, h.Size}
	}
}

// tarFault types an error of the archive's headers.
func tarFault(file string, at int64, err error) error {
	class := err
	if errors.Is(err, tar.ErrHeader) {
		class = tensor.ErrFormat
	}
	return tensor.Errorf(class, file, at, "tar", "reading the next entry: %v", err)
}
