package sourcetest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Commit is the only revision of every repository of a Hub.
const Commit = "c0ffee42c0ffee42c0ffee42c0ffee42c0ffee42"

// Hub is a model hub: repositories are the folders ORG/NAME of a folder, small
// files are sent by the hub itself, weights by a second server that the hub
// redirects to.
type Hub struct {
	URL     string // what HF_ENDPOINT is set to
	Weights *Server

	dir  string
	http *http.Server
	mu   sync.Mutex
	seen []string
}

// ServeHub begins to serve a folder of repositories. Close it after use.
func ServeHub(dir string) (*Hub, error) {
	weights, err := Serve(dir)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		weights.Close()
		return nil, err
	}
	h := &Hub{URL: "http://" + l.Addr().String(), Weights: weights, dir: dir}
	h.http = &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	go h.http.Serve(l) // returns when closed
	return h, nil
}

// Close ends both servers.
func (h *Hub) Close() error {
	h.Weights.Close()
	return h.http.Close()
}

// Tokens lists the Authorization headers that the hub was sent.
func (h *Hub) Tokens() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.seen...)
}

// ServeHTTP answers as a hub does.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	h.seen = append(h.seen, r.Header.Get("Authorization"))
	h.mu.Unlock()
	p := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch {
	case len(p) == 6 && p[0] == "api" && p[1] == "models" && p[4] == "revision" && (p[5] == "main" || p[5] == Commit):
		h.list(w, r, filepath.Join(h.dir, filepath.Base(p[2]), filepath.Base(p[3])))
	case len(p) >= 5 && p[2] == "resolve" && p[3] == Commit && filepath.IsLocal(path.Join(p[4:]...)):
		h.resolve(w, r, filepath.Base(p[0])+"/"+filepath.Base(p[1])+"/"+path.Join(p[4:]...))
	default:
		http.NotFound(w, r)
	}
}

func (h *Hub) list(w http.ResponseWriter, r *http.Request, dir string) {
	type lfs struct {
		SHA256 string `json:"sha256"`
	}
	type sibling struct {
		Name string `json:"rfilename"`
		LFS  *lfs   `json:"lfs,omitempty"`
	}
	var names []sibling
	err := filepath.WalkDir(dir, func(at string, e fs.DirEntry, err error) error {
		name, inside := filepath.Rel(dir, at)
		if err != nil || inside != nil || e.IsDir() {
			return err
		}
		s := sibling{Name: filepath.ToSlash(name)}
		if large(name) && r.URL.Query().Get("blobs") == "true" {
			b, err := os.ReadFile(at)
			if err != nil {
				return err
			}
			digest := sha256.Sum256(b)
			s.LFS = &lfs{hex.EncodeToString(digest[:])}
		}
		names = append(names, s)
		return nil
	})
	if err != nil || len(names) == 0 {
		http.NotFound(w, r)
		return
	}
	json.NewEncoder(w).Encode(map[string]any{"sha": Commit, "siblings": names})
}

func (h *Hub) resolve(w http.ResponseWriter, r *http.Request, name string) {
	f, err := os.Open(filepath.Join(h.dir, filepath.FromSlash(name)))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	w.Header().Set("X-Repo-Commit", Commit)
	if !large(name) {
		io.Copy(w, f)
		return
	}
	digest := sha256.New()
	n, err := io.Copy(digest, f)
	if err != nil {
		http.Error(w, "unreadable", http.StatusInternalServerError)
		return
	}
	w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(digest.Sum(nil))+`"`)
	w.Header().Set("X-Linked-Size", fmt.Sprint(n))
	http.Redirect(w, r, h.Weights.URL+name, http.StatusFound)
}

// large tells the files that a hub keeps in a store of their own.
func large(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".safetensors" || ext == ".gguf"
}
