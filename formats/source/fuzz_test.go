package source

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// No reference leads out of the stores, panics, or gives an error with control
// characters.
func FuzzReference(f *testing.F) {
	for _, s := range []string{"hf:org/name", "hf:org/name@rev:file", "hf://x", "ollama:a/b/c:d", "lmstudio:a/b:c", "https://host/a?b#c", "http://[::1]:99/", "https://u:p@h/", "x:y", "hf:a/b:../c", "https:%zz", "org/name"} {
		f.Add(s)
	}
	home := f.TempDir()
	f.Setenv("HOME", home)
	f.Setenv("HF_HUB_CACHE", filepath.Join(home, "hub"))
	f.Setenv("OLLAMA_MODELS", filepath.Join(home, "ollama"))
	f.Fuzz(func(t *testing.T, ref string) {
		if strings.ContainsAny(ref, "\x00") || !schemeLike.MatchString(ref) {
			return // paths of this machine are what they are
		}
		places, err := Find(context.Background(), ref, nil)
		if err != nil {
			for _, r := range err.Error() {
				if r < ' ' || r == 0x7f {
					t.Fatalf("%q: %q", ref, err)
				}
			}
			return
		}
		for _, p := range places {
			if s, ok := p.Folder.(*site); ok {
				u := s.at(s.file)
				if origin(u) != origin(s.base) || u.User != nil || s.client.token.value != "" {
					t.Fatalf("%q leads to %v", ref, u)
				}
				if _, err := url.Parse(u.String()); err != nil {
					t.Fatalf("%q: %v", ref, err)
				}
			}
			if h, ok := p.Folder.(*hubRepo); ok {
				u := h.address("api", "models", h.ref.org, h.ref.name)
				if origin(u) != origin(h.client.guard.endpoint) || strings.Contains(u.Path, "/../") {
					t.Fatalf("%q leads to %v", ref, u)
				}
			}
		}
	})
}

// Whatever headers say, what is understood of them is consistent.
func FuzzHeaders(f *testing.F) {
	f.Add("bytes 0-9/10", `"etag"`, "7", `"x";r=0;t=5`, strings.Repeat("a", 64))
	f.Add("bytes 5-4/3", "W/\"", "-1", "r=", "")
	f.Fuzz(func(t *testing.T, contentRange_, etag, after, limit, linked string) {
		h := http.Header{"Content-Range": {contentRange_}, "Etag": {etag}, "Retry-After": {after}, "Ratelimit": {limit}, "X-Linked-Etag": {linked}, "X-Repo-Commit": {linked}}
		if s, total, err := contentRange(h); err == nil && (s.Lo < 0 || s.Lo >= s.Hi || s.Hi > total) {
			t.Fatalf("%q gives %v of %d", contentRange_, s, total)
		}
		if d := retryAfter(h, time.Unix(0, 0)); d < 0 {
			t.Fatalf("negative wait %v", d)
		}
		c := &client{token: secret{token}}
		id, err := c.identity(&answer{Response: &http.Response{Header: h}}, 1)
		if err != nil {
			return
		}
		for _, s := range []string{id.ETag, id.SHA256, id.Commit} {
			for _, r := range s {
				if r <= ' ' || r > '~' {
					t.Fatalf("%q", s)
				}
			}
		}
	})
}

// No manifest leads out of the store.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:00","size":1}]}`))
	f.Add([]byte(`{"layers":null}`))
	store := f.TempDir()
	f.Fuzz(func(t *testing.T, raw []byte) {
		places, err := ollamaBlob(store, "manifest", raw, "ollama:x", Options{})
		if err == nil || len(places) > 0 {
			t.Fatalf("nothing is stored: %v", places)
		}
		if json.Valid(raw) && strings.Contains(err.Error(), "..") {
			t.Fatal(err)
		}
	})
}
