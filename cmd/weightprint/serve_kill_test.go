//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// served starts the program as a service of an index.
func served(t *testing.T, program, file string) (c *exec.Cmd, url string) {
	t.Helper()
	var errs watchedBuffer
	c = exec.Command(program, "serve", "--index", file, "--listen", "127.0.0.1:0", "--rate", "100000", "--burst", "100000")
	c.Stderr = &errs
	require.NoError(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill() })
	address := regexp.MustCompile(`listening on (http://127\.0\.0\.1:\d+)`)
	require.Eventually(t, func() bool { return address.MatchString(errs.String()) }, time.Minute, time.Millisecond, "%s", &errs)
	return c, address.FindStringSubmatch(errs.String())[1]
}

// asked sends an upload until the service is gone, and returns what it answered whole.
func asked(url string, upload []byte, count *atomic.Int64) (answers []string) {
	client := http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for {
		r, err := client.Post(url+"/v1/search", "application/octet-stream", bytes.NewReader(upload))
		if err != nil {
			return answers
		}
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		switch {
		case err != nil:
			return answers
		case r.StatusCode == http.StatusServiceUnavailable:
			continue // it is ending, or busy
		}
		answers = append(answers, string(b))
		count.Add(1)
	}
}

// A loaded service that is killed, or told to end, has given
// no wrong answer, and its index holds what was committed.
func TestServeKilledUnderLoad(t *testing.T) {
	program, err := built()
	require.NoError(t, err)
	points := 2
	if os.Getenv("WEIGHTPRINT_LONG") != "" {
		points = 20
	}
	dir := demoModels(t)
	base, file, print := filepath.Join(dir, "base"), filepath.Join(dir, "x.wpi"), filepath.Join(dir, "f.wfp")
	exits(t, 0, "index", "add", "--index", file, base, filepath.Join(dir, "fine-tune"))
	exits(t, 0, "fingerprint", base, "-o", print)
	upload, err := os.ReadFile(print)
	require.NoError(t, err)
	for point := range points {
		want := exits(t, 0, "index", "search", "--index", file, "--json", print)
		c, url := served(t, program, file)
		var clients sync.WaitGroup
		var count atomic.Int64
		var mu sync.Mutex
		all := map[string]int{}
		for range 4 {
			clients.Go(func() {
				for _, a := range asked(url, upload, &count) {
					mu.Lock()
					all[a]++
					mu.Unlock()
				}
			})
		}
		require.Eventually(t, func() bool { return count.Load() >= int64(20+7*point) }, time.Minute, time.Millisecond)
		signal := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM}[point%2]
		require.NoError(t, c.Process.Signal(signal))
		err := c.Wait()
		clients.Wait()
		if signal == syscall.SIGTERM {
			require.NoError(t, err, "it ends in order")
		}
		require.Equal(t, map[string]int{want: int(count.Load())}, all)
		exits(t, 0, "index", "check", "--index", file)
		require.Equal(t, want, exits(t, 0, "index", "search", "--index", file, "--json", print))
		exits(t, 0, "index", "add", "--index", file, filepath.Join(dir, "other-seed")) // of which an index keeps one
	}
}
