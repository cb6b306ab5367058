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

	mu     sync.Mutex
	commit string
	names  []string // nil until listed
	err    error    // of listing
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
	return &hubRepo{client: c, ref: r, folder: folder, commit: commit, kept: newCache(o.CacheBytes)}, nil
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
	if h.names != nil || h.err != nil {
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
	b, err := h.client.whole(ctx, h.address("api", "models", h.ref.org, h.ref.name, "revision", rev), label, maxListing)
	if err != nil {
		return err
	}
	var listing struct {
		SHA      string
		Siblings []struct {
			Name string `json:"rfilename"`
		}
	}
	if err := json.Unmarshal(b, &listing); err != nil {
		return tensor.Errorf(ErrAnswer, label, -1, "listing", "the hub's answer is no listing of a repository")
	}
	if !hexCommit.MatchString(listing.SHA) || h.commit != "" && listing.SHA != h.commit {
		return tensor.Errorf(ErrAnswer, label, -1, "sha", "the hub names no commit, or another one than was asked for")
	}
	h.commit, h.names = listing.SHA, []string{}
	for _, s := range listing.Siblings {
		dir, name := path.Split(s.Name)
		if strings.TrimSuffix(dir, "/") == h.folder && filepath.IsLocal(name) {
			h.names = append(h.names, name)
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

// Names lists what the hub says lies in the folder.
func (h *hubRepo) Names(ctx context.Context) ([]string, error) {
	if err := h.list(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(h.names), nil
}

// Has looks into the listing.
func (h *hubRepo) Has(ctx context.Context, name string) bool {
	return h.list(ctx) == nil && slices.Contains(h.names, name)
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
