package source

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// cutting is content that is asked for by ranges only, and of which the first answers
// behind the beginning break off after so many bytes.
type cutting struct {
	data []byte
	cut  int
	cuts int

	mu     sync.Mutex
	ranges []string
}

func (c *cutting) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	c.ranges = append(c.ranges, r.Header.Get("Range"))
	broken := c.cuts > 0 && len(c.ranges) > 1
	if broken {
		c.cuts--
	}
	c.mu.Unlock()
	w.Header().Set("ETag", `"v1"`)
	if !broken {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(c.data))
		return
	}
	var lo, hi int
	fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &lo, &hi)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", lo, hi, len(c.data)))
	w.Header().Set("Content-Length", fmt.Sprint(hi+1-lo))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(c.data[lo : lo+c.cut])
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func openSpooled(t *testing.T, c *cutting, dir string) *Remote {
	w := newWorld(t)
	w.serve("cdn.example:443", false, c.ServeHTTP)
	o := w.options()
	o.Spool = dir
	places, err := Find(context.Background(), "https://cdn.example/m.gguf", o)
	require.NoError(t, err)
	b, err := places[0].Folder.Open(context.Background(), "m.gguf")
	require.NoError(t, err)
	return b.(*Remote)
}

// A file that is spooled is asked for twice, whatever is read of it in whatever order,
// and where the connection breaks once more for what is missing.
func TestSpooledFilesAreAskedForTwice(t *testing.T) {
	data := pattern(3<<20 + 5)
	for cuts, want := range [][]string{
		{"bytes=0-66559", "bytes=66560-3145732"},
		{"bytes=0-66559", "bytes=66560-3145732", "bytes=166560-3145732"},
	} {
		dir := t.TempDir()
		c := &cutting{data: data, cut: 100_000, cuts: cuts}
		b := openSpooled(t, c, dir)
		require.NoError(t, b.Fetch(context.Background(), []tensor.Span{{Lo: 1 << 20, Hi: 2 << 20}}))
		var wg sync.WaitGroup
		for i := range 4 {
			r := rand.New(rand.NewPCG(uint64(i), 9))
			wg.Go(func() {
				for range 40 {
					lo := firstBytes - 100 + r.IntN(len(data)-firstBytes+100)
					p := make([]byte, r.IntN(min(200_000, len(data)-lo)+1))
					if n, err := b.ReadAt(p, int64(lo)); err != nil || !bytes.Equal(p[:n], data[lo:lo+len(p)]) {
						t.Errorf("reading %d at %d: %d, %v", len(p), lo, n, err)
					}
				}
			})
		}
		wg.Wait()
		n, err := b.ReadAt(make([]byte, 10), int64(len(data)-3))
		require.Equal(t, 3, n)
		require.ErrorIs(t, err, io.EOF)
		require.NoError(t, b.Close())
		require.Equal(t, want, c.ranges)
		_, err = b.ReadAt(make([]byte, 10), 1<<20)
		require.ErrorIs(t, err, context.Canceled)
		left, err := os.ReadDir(dir)
		require.NoError(t, err)
		require.Empty(t, left)
	}
}

// What the disk or the server refuses ends the reading with its reason.
func TestSpoolsThatFail(t *testing.T) {
	b := openSpooled(t, &cutting{data: pattern(1 << 20)}, "/no/such/folder")
	_, err := b.ReadAt(make([]byte, 10), 1<<19)
	require.ErrorContains(t, err, "spool")
	require.ErrorIs(t, err, os.ErrNotExist)
	require.NoError(t, b.Close())

	c := &cutting{data: pattern(1 << 20), cut: 0, cuts: 1 << 20} // nothing ever comes
	b = openSpooled(t, c, t.TempDir())
	_, err = b.ReadAt(make([]byte, 10), 1<<19)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.Len(t, c.ranges, 1+attempts)
	require.NoError(t, b.Close())

	b = openSpooled(t, &cutting{data: pattern(1 << 20)}, t.TempDir()) // closed before anything was read
	require.NoError(t, b.Close())
	_, err = b.ReadAt(make([]byte, 10), 1<<19)
	require.Error(t, err)
	require.False(t, strings.Contains(err.Error(), "nil"))
}
