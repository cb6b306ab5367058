//go:build !nonet && !js

package source

import (
	"context"
	"encoding/json"
	"net/url"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxListing bounds what a hub may say of a repository.
const maxListing = 32 << 20

// hubRepo is one revision of a model's repository on a hub, or a folder in it.
type hubRepo struct {
	client *client
	ref    hubRef
	folder string // within the repository, "" for its top
	kept   *cache
	*listing
}

// listing is what the hub says of a revision, for all folders in it.
type listing struct {
	mu     sync.Mutex
	commit string
	files  []hubFile // nil until listed
	err    error     // of listing
}

// hubFile is one file of a revision.
type hubFile struct {
	path   string
	sha256 string // of the content of a large file, as the hub states; "" for others
}

// newHubRepo prepares reading; nothing is asked yet. commit is the revision,
// "" where the hub has to say.
func newHubRepo(r hubRef, commit string, o Options) (*hubRepo, error) {
	c, err := hubClient(o)
	if err != nil {
		return nil, err
	}
	folder := ""
	if i := strings.LastIndexByte(r.file, '/'); i >= 0 {
		folder = r.file[:i]
	}
	return &hubRepo{client: c, ref: r, folder: folder, kept: newCache(o.CacheBytes), listing: &listing{commit: commit}}, nil
}

// Below is a folder within.
func (h *hubRepo) Below(name string) Folder {
	below := *h
	below.folder = path.Join(h.folder, name)
	return &below
}

// address builds an address of the hub from escaped segments.
func (h *hubRepo) address(segments ...string) *url.URL {
	escaped := make([]string, len(segments))
	for i, s := range segments {
		escaped[i] = url.PathEscape(s)
	}
	at := h.client.guard.endpoint
	return escapedURL(at, at.EscapedPath()+"/"+strings.Join(escaped, "/"))
}

// list asks the hub, once, which commit the revision is and which files it has.
func (h *hubRepo) list(ctx context.Context) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.files != nil || h.err != nil {
		return h.err
	}
	rev := h.commit
	if rev == "" {
		rev = h.ref.revision
	}
	if rev == "" {
		rev = "main"
	}
	err := h.ask(ctx, rev)
	if ctx.Err() == nil {
		h.err = err
	}
	return err
}

// ask makes the request. The caller holds the lock.
func (h *hubRepo) ask(ctx context.Context, rev string) error {
	label := h.ref.String()
	at := h.address("api", "models", h.ref.org, h.ref.name, "revision", rev)
	at.RawQuery = "blobs=true" // with the digests of large files
	b, err := h.client.whole(ctx, at, label, maxListing)
	if err != nil {
		return err
	}
	var answer struct {
		SHA      string
		Siblings []struct {
			Name string `json:"rfilename"`
			LFS  struct {
				SHA256 string
			}
		}
	}
	if err := json.Unmarshal(b, &answer); err != nil {
		return tensor.Errorf(ErrAnswer, label, -1, "listing", "the hub's answer is no listing of a repository")
	}
	if !hexCommit.MatchString(answer.SHA) || h.commit != "" && answer.SHA != h.commit {
		return tensor.Errorf(ErrAnswer, label, -1, "sha", "the hub names no commit, or another one than was asked for")
	}
	h.commit, h.files = answer.SHA, []hubFile{}
	for _, s := range answer.Siblings {
		f := hubFile{path: s.Name, sha256: s.LFS.SHA256}
		if !hexSHA256.MatchString(f.sha256) {
			f.sha256 = ""
		}
		if filepath.IsLocal(filepath.FromSlash(s.Name)) && path.Clean(s.Name) == s.Name {
			h.files = append(h.files, f)
		}
	}
	return nil
}

// Label is the reference with the file.
func (h *hubRepo) Label(name string) string {
	r := h.ref
	if r.file = path.Join(h.folder, name); name == "" {
		r.file = h.folder
	}
	return r.String()
}

// Names lists what the hub says lies in the folder: files, and folders within.
func (h *hubRepo) Names(ctx context.Context) ([]string, error) {
	if err := h.list(ctx); err != nil {
		return nil, err
	}
	names, seen := []string{}, map[string]bool{}
	for _, f := range h.files {
		rest := f.path
		if h.folder != "" {
			var within bool
			if rest, within = strings.CutPrefix(rest, h.folder+"/"); !within {
				continue
			}
		}
		if name, _, _ := strings.Cut(rest, "/"); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	return names, nil
}

// Has looks for a file in the listing.
func (h *hubRepo) Has(ctx context.Context, name string) bool {
	return h.list(ctx) == nil && h.find(name) != nil
}

// find is what the listing says of a file, nil if nothing.
func (h *hubRepo) find(name string) *hubFile {
	p := path.Join(h.folder, name)
	if i := slices.IndexFunc(h.files, func(f hubFile) bool { return f.path == p }); i >= 0 {
		return &h.files[i]
	}
	return nil
}

// Strays is false: a repository has no links.
func (h *hubRepo) Strays(string) bool { return false }

// Revision is the commit, once the hub was asked.
func (h *hubRepo) Revision() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.commit
}

// file is where one file of the commit is had.
func (h *hubRepo) file(ctx context.Context, name string) (*url.URL, error) {
	if err := h.list(ctx); err != nil {
		return nil, err
	}
	segments := append([]string{h.ref.org, h.ref.name, "resolve", h.commit}, strings.Split(path.Join(h.folder, name), "/")...)
	return h.address(segments...), nil
}

// Open opens one file by ranges.
func (h *hubRepo) Open(ctx context.Context, name string) (Blob, error) {
	u, err := h.file(ctx, name)
	if err != nil {
		return nil, err
	}
	label := h.Label(name)
	r, err := h.client.openRemote(ctx, u, label, h.kept)
	if err != nil {
		return nil, err
	}
	if c := r.id.Commit; c != "" && c != h.commit {
		r.Close()
		return nil, tensor.Errorf(ErrAnswer, label, -1, "X-Repo-Commit", "the file is of commit %s, not %s", c, h.commit)
	}
	if f := h.find(name); f != nil && f.sha256 != "" {
		if r.id.SHA256 != "" && r.id.SHA256 != f.sha256 {
			r.Close()
			return nil, tensor.Errorf(ErrAnswer, label, -1, "X-Linked-Etag", "the file is named %s, the listing says %s", r.id.SHA256, f.sha256)
		}
		r.id.SHA256, r.id.Listed = f.sha256, true
	}
	return r, nil
}

// Read gets a small file whole.
func (h *hubRepo) Read(ctx context.Context, name string, most int64) ([]byte, error) {
	u, err := h.file(ctx, name)
	if err != nil {
		return nil, err
	}
	return h.client.whole(ctx, u, h.Label(name), most)
}

// Transferred counts the bytes of all files and listings.
func (h *hubRepo) Transferred() int64 { return h.client.received.Load() }

// Close drops idle connections.
func (h *hubRepo) Close() error {
	h.client.http.CloseIdleConnections()
	return nil
}
