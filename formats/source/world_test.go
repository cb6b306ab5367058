package source

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const token = "hf_SecretSecretSecretSecret"

// world is a small internet on loopback: hosts by name, each a server of its
// own, and a note of everything that any of them was asked.
type world struct {
	t      *testing.T
	hosts  map[string]string // "name:443" to the listener's address
	public map[string]bool
	roots  *x509.CertPool
	cert   tls.Certificate
	log    bytes.Buffer
	http2  bool // of servers from now on

	mu    sync.Mutex
	asked []request
	slept []time.Duration
}

// request is what a server saw.
type request struct{ host, path, authorization string }

func newWorld(t *testing.T) *world {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		DNSNames: []string{"hub.example", "*.hub.example", "cdn.example", "evil.example", "hub.example.evil.example", "xhub.example", "rebound.example", "localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	w := &world{t: t, hosts: map[string]string{}, public: map[string]bool{}, roots: x509.NewCertPool(), cert: tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}}
	w.roots.AddCert(leaf)
	return w
}

// serve starts a server under a name with port. Encrypted unless plain.
func (w *world) serve(name string, plain bool, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked = append(w.asked, request{name, r.URL.RequestURI(), r.Header.Get("Authorization") + r.Header.Get("Cookie") + r.Header.Get("Referer")})
		w.mu.Unlock()
		h(rw, r)
	}))
	if plain {
		s.Start()
	} else {
		s.TLS = &tls.Config{Certificates: []tls.Certificate{w.cert}}
		s.Config.ErrorLog = log.New(io.Discard, "", 0)
		s.EnableHTTP2 = w.http2
		s.StartTLS()
	}
	w.t.Cleanup(s.Close)
	w.hosts[name], w.public[s.Listener.Addr().String()] = s.Listener.Addr().String(), true
	return s
}

// options opens the world's hosts as if they were far away.
func (w *world) options() *Options {
	return &Options{tls: &tls.Config{RootCAs: w.roots}, hosts: w.hosts, public: w.public, Timeout: 2 * time.Second, Log: slog.New(slog.NewTextHandler(&w.log, nil)),
		sleep: func(_ context.Context, d time.Duration) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.slept = append(w.slept, d)
			return nil
		}}
}

// hub makes hub.example the hub, and sets the token.
func (w *world) hub() {
	w.t.Setenv("HF_ENDPOINT", "https://hub.example")
	w.t.Setenv("HF_TOKEN", token)
	w.t.Setenv("HF_HUB_CACHE", w.t.TempDir())
	w.t.Setenv("HF_HUB_OFFLINE", "")
}

// leaks lists the requests in which a host other than the given ones saw
// anything secret.
func (w *world) leaks(trusted ...string) (out []request) {
	w.mu.Lock()
	defer w.mu.Unlock()
asked:
	for _, r := range w.asked {
		for _, t := range trusted {
			if r.host == t {
				continue asked
			}
		}
		if r.authorization != "" || strings.Contains(r.path, token) {
			out = append(out, r)
		}
	}
	return out
}

// count is how many requests a host got.
func (w *world) count(host string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, r := range w.asked {
		if r.host == host {
			n++
		}
	}
	return n
}

var commit = strings.Repeat("c0ffee42", 5)

// pattern is n bytes that tell their place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13 + i>>16*31)
	}
	return b
}

// content serves bytes with an ETag and ranges.
func content(b []byte, etag string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("ETag", etag)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// repo is a hub that knows one model, whose large file lies elsewhere.
func repo(large []byte, location string) http.HandlerFunc {
	digest := sha256.Sum256(large)
	return func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/models/org/name/revision/main", "/api/models/org/name/revision/" + commit, "/api/models/org/name/revision/refs/pr/1":
			fmt.Fprintf(w, `{"sha":%q,"siblings":[{"rfilename":"config.json"},{"rfilename":"model.safetensors"},{"rfilename":"sub/x.gguf"},{"rfilename":"../evil"}]}`, commit)
		case "/org/name/resolve/" + commit + "/model.safetensors", "/org/name/resolve/" + commit + "/sub/x.gguf":
			w.Header().Set("X-Repo-Commit", commit)
			w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(digest[:])+`"`)
			w.Header().Set("X-Linked-Size", fmt.Sprint(len(large)))
			w.Header().Set("Location", location)
			w.WriteHeader(http.StatusFound)
		case "/org/name/resolve/" + commit + "/config.json":
			w.Header().Set("X-Repo-Commit", commit)
			fmt.Fprint(w, `{"model_type":"llama"}`)
		default:
			http.NotFound(w, r)
		}
	}
}
