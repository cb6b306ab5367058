package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// watchedBuffer is written to by a running command and read by its test.
type watchedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *watchedBuffer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *watchedBuffer) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

// An uploaded fingerprint is answered with the bytes that index search prints;
// the service ends when it is told to.
func TestServe(t *testing.T) {
	dir := demoModels(t)
	base, file, print := filepath.Join(dir, "base"), filepath.Join(dir, "x.wpi"), filepath.Join(dir, "f.wfp")
	exits(t, 0, "index", "add", "--index", file, base, filepath.Join(dir, "fine-tune"))
	exits(t, 0, "fingerprint", base, "-o", print)
	want := exits(t, 0, "index", "search", "--index", file, "--json", print)
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var errs watchedBuffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"serve", "--index", file, "--listen", "127.0.0.1:0"}, io.Discard, &errs)
	}()
	address := regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)`)
	require.Eventually(t, func() bool { return address.MatchString(errs.String()) }, time.Minute, time.Millisecond)
	url := address.FindStringSubmatch(errs.String())[1]
	upload, err := os.Open(print)
	require.NoError(t, err)
	defer upload.Close()
	r, err := http.Post(url+"/v1/search", "application/octet-stream", upload)
	require.NoError(t, err)
	defer r.Body.Close()
	got, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, want, string(got))
	stop()
	require.Zero(t, <-ended)

	for _, line := range [][]string{
		{"serve"},
		{"serve", "--index", file, "--dsn", "postgres://h/d"},
		{"serve", "--dsn", "mysql://h/d"},
		{"serve", "--index", file, "--tls-cert", "c.pem"},
		{"serve", "--index", file, "--listen", "0.0.0.0:0"},
		{"index", "list"},
	} {
		exits(t, exitUsage, line...)
	}
	exits(t, exitError, "serve", "--index", filepath.Join(dir, "none"))
	exits(t, exitError, "serve", "--index", file, "--tokens", filepath.Join(dir, "none"))
}

// What no search will find is said when the service begins: a commit that was lost.
func TestServeSaysWhatWasLost(t *testing.T) {
	dir := demoModels(t)
	file := filepath.Join(dir, "x.wpi")
	exits(t, 0, "index", "add", "--index", file, filepath.Join(dir, "base"))
	older, err := os.ReadFile(file)
	require.NoError(t, err)
	older[16] ^= 1 // the slot of commit 2
	require.NoError(t, os.WriteFile(file, older, 0o600))
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var errs watchedBuffer
	ended := make(chan int)
	go func() {
		ended <- run(ctx, []string{"serve", "--index", file, "--listen", "127.0.0.1:0"}, io.Discard, &errs)
	}()
	require.Eventually(t, func() bool { return strings.Contains(errs.String(), "listening on") }, time.Minute, time.Millisecond)
	require.Contains(t, errs.String(), "the last commit may be lost")
	stop()
	require.Zero(t, <-ended)
}
