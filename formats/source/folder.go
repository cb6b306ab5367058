package source

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"regexp"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Folder is where the files of one checkpoint lie: a folder of this machine,
// a repository of a hub, or an address. It is safe for concurrent use.
type Folder interface {
	// Label is how errors name a file; "" names the folder.
	Label(name string) string
	// Names lists the files, as far as it can be known.
	Names(ctx context.Context) ([]string, error)
	// Has tells whether there is a file of that name.
	Has(ctx context.Context, name string) bool
	// Strays tells whether a file is a link that leaves the folder.
	Strays(name string) bool
	// Open opens one file. For remote files ctx also ends later reads.
	Open(ctx context.Context, name string) (Blob, error)
	// Read returns a whole file of at most that many bytes.
	Read(ctx context.Context, name string, most int64) ([]byte, error)
	// Close releases what the folder holds besides the files.
	Close() error
}

// Metered is a Folder that pays for bytes: one on a server.
type Metered interface {
	// Transferred is how many bytes of bodies were received, those of small
	// files and of failed attempts included.
	Transferred() int64
}

// dir is a folder of this machine.
type dir struct {
	path  string
	files *Files
}

func (d *dir) Label(name string) string { return filepath.Join(d.path, name) }

func (d *dir) Names(context.Context) ([]string, error) {
	entries, err := os.ReadDir(d.path)
	if err != nil {
		return nil, tensor.Errorf(cause(err), d.path, -1, "folder", "cannot be listed: %v", cause(err))
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

// Below is a folder within.
func (d *dir) Below(name string) Folder { return &dir{path: d.Label(name), files: d.files} }

func (d *dir) Has(_ context.Context, name string) bool {
	_, err := os.Stat(d.Label(name))
	return err == nil
}

// Strays follows links. Hub caches keep the files elsewhere and link to them:
// a link into the blobs of the same repository stays inside.
func (d *dir) Strays(name string) bool {
	path, err := filepath.EvalSymlinks(d.Label(name))
	if err != nil {
		return false // opening it will say why
	}
	folder, err := filepath.EvalSymlinks(d.path)
	if err != nil {
		return false
	}
	return filepath.Dir(path) != folder && !cachedBlob(path, folder)
}

// cachedBlob tells whether a file is a blob of the repository of a hub's cache in
// one of whose snapshots, or in a folder within, the given folder lies.
func cachedBlob(path, folder string) bool {
	for snapshot := folder; ; snapshot = filepath.Dir(snapshot) {
		switch above := filepath.Dir(snapshot); {
		case above == snapshot:
			return false
		case filepath.Base(above) == "snapshots":
			return filepath.Dir(path) == filepath.Join(filepath.Dir(above), "blobs")
		}
	}
}

func (d *dir) Open(_ context.Context, name string) (Blob, error) {
	f, err := d.files.Open(d.Label(name), d.Label(name))
	if err != nil {
		return nil, err
	}
	f.id = Identity{SHA256: storedName(d.Label(name))}
	return f, nil
}

func (d *dir) Read(_ context.Context, name string, most int64) ([]byte, error) {
	f, err := d.files.Open(d.Label(name), d.Label(name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, d.Label(name), most)
}

func (d *dir) Close() error { return nil }

// readAll reads a blob of at most that many bytes.
func readAll(b Blob, label string, most int64) ([]byte, error) {
	if b.Size() > most {
		return nil, tensor.Errorf(tensor.ErrLimit, label, 0, "file", "%d bytes, at most %d", b.Size(), most)
	}
	p := make([]byte, b.Size())
	if _, err := b.ReadAt(p, 0); err != nil && err != io.EOF {
		return nil, err
	}
	return p, nil
}

var blobName = regexp.MustCompile(`^(?:sha256-)?([0-9a-f]{64})$`)

// storedName is the SHA-256 after which stores call a file: hub caches link to
// blobs named so, Ollama puts "sha256-" before it. "" for other files.
func storedName(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if m := blobName.FindStringSubmatch(filepath.Base(path)); m != nil {
		return m[1]
	}
	return ""
}
