// Package sourcetest serves folders over HTTP on loopback, with ranges and
// ETags, and counts what is asked for and sent: for tests and measurements of
// whatever reads remote checkpoints.
package sourcetest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"
)

// Server serves one folder. Its counters grow while it runs.
type Server struct {
	URL      string        // ends in "/"
	Requests atomic.Int64  // that were answered
	Bytes    atomic.Int64  // of bodies
	Delay    time.Duration // before each answer, as a distant server has

	dir  string
	http *http.Server
}

// Serve begins to serve a folder on a free port of 127.0.0.1. Close it after
// use.
func Serve(dir string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &Server{URL: "http://" + l.Addr().String() + "/", dir: dir}
	s.http = &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	go s.http.Serve(l) // returns when closed
	return s, nil
}

// Close ends the server and its connections.
func (s *Server) Close() error { return s.http.Close() }

// ServeHTTP sends a file, or the part that is asked for.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	time.Sleep(s.Delay)
	s.Requests.Add(1)
	name := filepath.FromSlash(strings.TrimPrefix(r.URL.Path, "/"))
	f, err := os.Open(filepath.Join(s.dir, name))
	if err != nil || !filepath.IsLocal(name) {
		http.NotFound(w, r)
		return
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("ETag", fmt.Sprintf(`"%x-%x"`, info.Size(), info.ModTime().UnixNano()))
	http.ServeContent(&counted{w, s}, r, "", info.ModTime(), f)
}

// counted counts the bytes of a body.
type counted struct {
	http.ResponseWriter
	s *Server
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.ResponseWriter.Write(p)
	c.s.Bytes.Add(int64(n))
	return n, err
}
