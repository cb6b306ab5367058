//go:build !nonet && !js

package source

import (
	"context"
	"errors"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// site is a folder of a web server. It cannot be listed, so it is asked for
// the names that checkpoints usually have.
type site struct {
	client *client
	base   *url.URL // ends in "/"
	file   string   // the file the reference names, "" for none
	query  string   // that goes with it, such as a signature
	kept   *cache

	mu   sync.Mutex
	seen map[string]*seen
}

// seen is what came of asking for a file.
type seen struct {
	once sync.Once
	blob *Remote // until it is opened
	err  error
}

// usual are the names under which checkpoints are published, in the order in
// which they are asked for: the first that is there is taken, a single file
// before an index, as in folders of this machine.
var usual = []string{"model.safetensors", "model.safetensors.index.json", "adapter_model.safetensors", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json",
	"consolidated.safetensors", "model.gguf", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// endings of names that are files whatever else they look like.
var endings = []string{".safetensors", ".gguf", ".json", ".bin", ".pt", ".pth", ".ckpt"}

// findWeb reads an address: of a file where its name has the ending of one or
// a query follows, of a folder where it ends in "/", and of either otherwise.
func findWeb(ctx context.Context, ref string, o Options) ([]Found, error) {
	label := printableURL(ref)
	u, err := url.Parse(ref)
	if err != nil || u.Host == "" {
		advice := ""
		if scheme, rest, _ := strings.Cut(ref, ":"); !strings.HasPrefix(rest, "//") {
			advice = printableURL(scheme + "://" + strings.TrimLeft(rest, "/"))
		}
		return nil, malformed(label, "https://host/path", advice)
	}
	if r, ok := asHubRef(u); ok {
		return findHub(ctx, r.String(), o)
	}
	if o.Offline {
		return nil, tensor.Errorf(ErrNotStored, label, -1, "address", "no server may be asked (--offline)")
	}
	c := newClient(o, nil, secret{})
	if err := c.guard.check(u); err != nil {
		return nil, tensor.Errorf(err, label, -1, "address", "%v", err)
	}
	dir, file := path.Split(u.EscapedPath())
	known := u.RawQuery != "" || slices.ContainsFunc(endings, func(e string) bool { return strings.HasSuffix(strings.ToLower(file), e) })
	var out []Found
	if !known {
		out = append(out, newSite(c, u, strings.TrimSuffix(u.EscapedPath(), "/")+"/", "", o))
	}
	if file != "" {
		out = append(out, newSite(c, u, dir, file, o))
	}
	return out, nil
}

// newSite makes a folder of an address. dir and file are escaped.
func newSite(c *client, u *url.URL, dir, file string, o Options) Found {
	s := &site{client: c, kept: newCache(o.CacheBytes), seen: map[string]*seen{}, base: escapedURL(u, dir)}
	s.file, _ = url.PathUnescape(file) // it is part of a parsed address
	if file != "" {
		s.query = u.RawQuery
	}
	return Found{Folder: s, File: s.file, Ref: printableURL(u.String())}
}

// escapedURL is an address of the same server with another path.
func escapedURL(u *url.URL, escaped string) *url.URL {
	out := &url.URL{Scheme: u.Scheme, Host: u.Host, RawPath: escaped}
	out.Path, _ = url.PathUnescape(escaped) // it was escaped by whoever calls
	return out
}

// at is where a file is had.
func (s *site) at(name string) *url.URL {
	u := escapedURL(s.base, s.base.EscapedPath()+url.PathEscape(name))
	if name == s.file {
		u.RawQuery = s.query
	}
	return u
}

// Label is the address of a file, without query.
func (s *site) Label(name string) string { return printableURL(s.base.String() + name) }

// probe asks for a file, once.
func (s *site) probe(ctx context.Context, name string) *seen {
	s.mu.Lock()
	x := s.seen[name]
	if x == nil {
		x = &seen{}
		s.seen[name] = x
	}
	s.mu.Unlock()
	x.once.Do(func() { x.blob, x.err = s.client.openRemote(ctx, s.at(name), s.Label(name), s.kept) })
	return x
}

// Names asks for the usual names and stops at the first that is there. Where
// the reference names a file it is the one that counts.
func (s *site) Names(ctx context.Context) ([]string, error) {
	if s.file != "" {
		return []string{s.file}, nil
	}
	for _, name := range usual {
		err := s.probe(ctx, name).err
		switch {
		case err == nil, errors.Is(err, ErrNoRanges):
			return []string{name}, nil
		case !absent(err):
			return nil, err
		}
	}
	return nil, tensor.Errorf(tensor.ErrNotModel, s.Label(""), -1, "folder", "the server has no file of a usual name here (%s); name the file itself", strings.Join(usual, ", "))
}

// absent tells that a server has no such file, or does not show it.
func absent(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code >= 400 && status.Code < 500 && status.Code != 429
}

// Has asks for the file.
func (s *site) Has(ctx context.Context, name string) bool {
	err := s.probe(ctx, name).err
	return err == nil || errors.Is(err, ErrNoRanges)
}

// Strays is false: links on a server cannot be seen.
func (s *site) Strays(string) bool { return false }

// Open opens one file by ranges.
func (s *site) Open(ctx context.Context, name string) (Blob, error) {
	x := s.probe(ctx, name)
	if x.err != nil {
		return nil, x.err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := x.blob; r != nil {
		x.blob = nil // it is the caller's to close
		return r, nil
	}
	return s.client.openRemote(ctx, s.at(name), s.Label(name), s.kept)
}

// Read gets a small file whole, also from servers that know no ranges.
func (s *site) Read(ctx context.Context, name string, most int64) ([]byte, error) {
	x := s.probe(ctx, name)
	s.mu.Lock()
	r := x.blob
	s.mu.Unlock()
	if r != nil {
		return readAll(r, s.Label(name), most)
	}
	return s.client.whole(ctx, s.at(name), s.Label(name), most)
}

// Transferred counts the bytes of all files.
func (s *site) Transferred() int64 { return s.client.received.Load() }

// Close closes what was asked for and not opened.
func (s *site) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.seen {
		if x.blob != nil {
			x.blob.Close()
		}
	}
	s.client.http.CloseIdleConnections()
	return nil
}
