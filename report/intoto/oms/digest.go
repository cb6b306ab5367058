package oms

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/zeebo/blake3"
	"golang.org/x/crypto/blake2b"

	"github.com/weightprint/weightprint/formats/source"
)

// hashes are the algorithms of the specification.
var hashes = map[string]struct {
	size int
	new  func() hash.Hash
}{
	"sha256":  {sha256.Size, sha256.New},
	"blake2b": {blake2b.Size, func() hash.Hash { h, _ := blake2b.New512(nil); return h }}, // without a key it cannot fail
	"blake3":  {32, func() hash.Hash { return blake3.New() }},
}

// Options changes what Make lists; nil is the defaults: whole files by SHA-256,
// links refused.
type Options struct {
	HashType      string   // "sha256" unless set
	ShardSize     int64    // digests of ranges of so many bytes; 0: of whole files
	AllowSymlinks bool     // follow symbolic links, as a cache of models needs
	Ignore        []string // relative paths to leave out
	Without       []string // files to leave out wherever they lie, such as the signature

	// Progress is told how many bytes have been digested, of how many in all.
	Progress func(read, total int64)
}

// Make lists the files of the model at path, a folder or a file.
func Make(ctx context.Context, path string, o *Options) (*Manifest, error) {
	if o == nil {
		o = &Options{}
	}
	m := &Manifest{Name: modelName(path), Serialization: Serialization{Method: "files", HashType: o.HashType, ShardSize: whole(o.ShardSize), AllowSymlinks: o.AllowSymlinks}}
	if o.HashType == "" {
		m.Serialization.HashType = "sha256"
	}
	if o.ShardSize > 0 {
		m.Serialization.Method = "shards"
	}
	m.Serialization.IgnorePaths = slices.Concat(o.Ignore, gitPaths)
	var err error
	if m.Resources, err = m.Serialization.digest(ctx, path, o.Without, o.Progress); err != nil {
		return nil, err
	}
	slices.SortFunc(m.Resources, func(a, b Resource) int { return strings.Compare(a.Name, b.Name) })
	return m, m.check()
}

func modelName(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return filepath.Base(path)
}

// digest lists and digests the files of a model.
func (s *Serialization) digest(ctx context.Context, path string, without []string, tell func(read, total int64)) (out []Resource, err error) {
	h, ok := hashes[s.HashType]
	if !ok {
		return nil, fmt.Errorf("%w: hash type %.40q is not sha256, blake2b or blake3", ErrManifest, s.HashType)
	}
	w := &walker{links: s.AllowSymlinks, ignored: slices.Concat(s.IgnorePaths, gitPaths)}
	for _, file := range without {
		if info, err := os.Stat(file); err == nil {
			w.without = append(w.without, info)
		}
	}
	entries, err := w.list(path)
	if err != nil {
		return nil, err
	}
	files, sum := source.NewFiles(0), heard(h.new(), tell, entries)
	for _, e := range entries {
		got, err := s.file(ctx, files, e, sum)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	return out, nil
}

// hearing is a hash that tells how much has been put into it.
type hearing struct {
	hash.Hash
	tell        func(read, total int64)
	read, total int64
}

func (h *hearing) Write(p []byte) (int, error) {
	h.read += int64(len(p))
	h.tell(h.read, h.total)
	return h.Hash.Write(p)
}

// heard tells of what is put into a hash, where somebody asks.
func heard(h hash.Hash, tell func(read, total int64), entries []entry) hash.Hash {
	if tell == nil {
		return h
	}
	total := int64(0)
	for _, e := range entries {
		if info, err := os.Stat(e.path); err == nil { // opening it will say why
			total += info.Size()
		}
	}
	return &hearing{Hash: h, tell: tell, total: total}
}

// file digests one file, whole or range by range.
func (s *Serialization) file(ctx context.Context, files *source.Files, e entry, h hash.Hash) (out []Resource, err error) {
	f, err := files.Open(e.path, e.path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if s.Method == "files" {
		sum, err := sumRange(ctx, f, 0, f.Size(), h)
		out = []Resource{{e.name, sum, s.HashType}}
		return out, firstError(err, f.Verify)
	}
	for start := int64(0); start < f.Size(); {
		end := f.Size()
		if size := int64(s.ShardSize); size < end-start {
			end = start + size
		}
		sum, err := sumRange(ctx, f, start, end, h)
		if err != nil {
			return nil, err
		}
		out = append(out, Resource{fmt.Sprintf("%s:%d:%d", e.name, start, end), sum, s.HashType})
		start = end
	}
	return out, f.Verify()
}

func firstError(err error, then func() error) error {
	if err != nil {
		return err
	}
	return then()
}

// sumRange digests the bytes from start to end.
func sumRange(ctx context.Context, f *source.File, start, end int64, h hash.Hash) (string, error) {
	h.Reset()
	buf := make([]byte, min(1<<20, end-start))
	for off := start; off < end; {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		n, err := f.ReadAt(buf[:min(int64(len(buf)), end-off)], off)
		if n == 0 && err != nil {
			return "", err
		}
		h.Write(buf[:n])
		off += int64(n)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Difference is the first place where a model is not as its manifest says.
type Difference struct {
	Name string // of the file or range
	What string
}

// Verify holds the model at path against the manifest and returns nil when every
// listed file is as stated and no other file lies there. extra allows other
// files; without names files to leave aside, such as the signature.
func (m *Manifest) Verify(ctx context.Context, path string, extra bool, without ...string) (*Difference, error) {
	have, err := m.Serialization.digest(ctx, path, without, nil)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for _, r := range have {
		found[r.Name] = r.Digest
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() && len(m.Resources) == 1 && len(have) == 1 {
		found = onlyFile(m, have[0]) // it may have been renamed
	}
	for _, r := range m.Resources {
		switch digest, ok := found[r.Name]; {
		case !ok:
			return &Difference{r.Name, "is missing"}, nil
		case digest != r.Digest:
			return &Difference{r.Name, fmt.Sprintf("has %s %s, the manifest states %s", m.Serialization.HashType, digest, r.Digest)}, nil
		}
		delete(found, r.Name)
	}
	if extra || len(found) == 0 {
		return nil, nil
	}
	for _, r := range have {
		if _, ok := found[r.Name]; ok {
			return &Difference{r.Name, "is not in the manifest"}, nil
		}
	}
	return nil, nil
}

// onlyFile gives the file of a model of one file the name that the manifest
// has for it.
func onlyFile(m *Manifest, r Resource) map[string]string {
	return map[string]string{m.Resources[0].Name: r.Digest}
}
