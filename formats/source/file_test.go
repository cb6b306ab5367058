package source

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func write(t *testing.T, path string, n int) string {
	t.Helper()
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return path
}

func TestOnlyRegularFiles(t *testing.T) {
	dir := t.TempDir()
	fifo, socket := filepath.Join(dir, "fifo"), filepath.Join(dir, "socket")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close()
	for _, path := range []string{fifo, socket, dir, "/dev/zero", filepath.Join(dir, "absent")} {
		start := time.Now()
		_, err := NewFiles(0).Open(path, path)
		require.Error(t, err, path)
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
		require.Equal(t, path, fe.File)
		require.Less(t, time.Since(start), 10*time.Second, path)
	}
}

func TestChangedFileIsNamed(t *testing.T) {
	for name, change := range map[string]func(path string){
		"cut":      func(path string) { require.NoError(t, os.Truncate(path, 10)) },
		"replaced": func(path string) { write(t, path+".new", 5000); require.NoError(t, os.Rename(path+".new", path)) },
		"removed":  func(path string) { require.NoError(t, os.Remove(path)) },
		"touched":  func(path string) { require.NoError(t, os.Chtimes(path, time.Time{}, time.Unix(1, 0))) },
	} {
		path := write(t, filepath.Join(t.TempDir(), "model"), 5000)
		f, err := NewFiles(0).Open(path, "model")
		require.NoError(t, err)
		require.NoError(t, f.Verify())
		change(path)
		_, err = f.ReadAt(make([]byte, 100), 4000)
		if name == "cut" {
			require.ErrorIs(t, err, tensor.ErrChanged)
			require.ErrorContains(t, err, "model: file: changed while being read: 5000 -> 10 bytes")
		}
		require.ErrorIs(t, f.Verify(), tensor.ErrChanged, name)
		require.NoError(t, f.Close())
		_, err = f.ReadAt(make([]byte, 1), 0)
		require.ErrorIs(t, err, os.ErrClosed)
	}
}

// A thousand files are read side by side through four descriptors.
func TestFewDescriptors(t *testing.T) {
	dir := t.TempDir()
	files := NewFiles(4)
	var all []*File
	for i := range 300 {
		f, err := files.Open(write(t, filepath.Join(dir, fmt.Sprint(i)), i+1), fmt.Sprint(i))
		require.NoError(t, err)
		all = append(all, f)
	}
	var wg sync.WaitGroup
	for w := range 8 {
		r := rand.New(rand.NewPCG(uint64(w), 0))
		wg.Go(func() {
			for range 500 {
				i := r.IntN(len(all))
				b := make([]byte, 1)
				if _, err := all[i].ReadAt(b, int64(i)); err != nil || b[0] != byte(i) {
					t.Errorf("file %d: %v %d", i, err, b[0])
				}
			}
		})
	}
	wg.Wait()
	require.LessOrEqual(t, files.open.Len(), 4+8)
	if runtime.GOOS == "linux" {
		fds, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)
		require.Less(t, len(fds), 60)
	}
	require.NoError(t, os.WriteFile(all[0].path, []byte("other"), 0o600))
	for _, f := range all[1:20] {
		_, err := f.ReadAt(make([]byte, 1), 0)
		require.NoError(t, err)
	}
	_, err := all[0].ReadAt(make([]byte, 1), 0)
	require.ErrorIs(t, err, tensor.ErrChanged, "a file that was closed meanwhile and changed")
}

// The count is of distinct bytes: it equals a plain bitmap's.
func TestCounted(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "f"), 1000)
	f, err := NewFiles(0).Open(path, "f")
	require.NoError(t, err)
	c := Count(f)
	seen := make([]bool, 1000)
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		lo := r.IntN(1000)
		n := r.IntN(min(30, 1000-lo) + 1)
		_, err := c.ReadAt(make([]byte, n), int64(lo))
		require.NoError(t, err)
		want := int64(0)
		for i := range n {
			seen[lo+i] = true
		}
		for _, s := range seen {
			if s {
				want++
			}
		}
		require.Equal(t, want, c.BytesRead())
	}
}

// Scattered, repeated and overlapping reads count every byte once, also where
// they cross the pages of the count.
func TestCountedAgainstABitmap(t *testing.T) {
	const size = 3*pageBytes + 17
	c := Count(zeros(size))
	seen := make([]bool, size)
	r := rand.New(rand.NewPCG(1, 2))
	buf := make([]byte, pageBytes+100)
	for i := range 3000 {
		n := int64(1 + r.IntN(9))
		if i%50 == 0 {
			n = r.Int64N(int64(len(buf)))
		}
		off := r.Int64N(size - n)
		_, err := c.ReadAt(buf[:n], off)
		require.NoError(t, err)
		for k := off; k < off+n; k++ {
			seen[k] = true
		}
		if i%500 == 0 {
			want := int64(0)
			for _, s := range seen {
				if s {
					want++
				}
			}
			require.Equal(t, want, c.BytesRead())
		}
	}
}

// zeros is a blob of zeros.
type zeros int64

func (z zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (z zeros) Size() int64                           { return int64(z) }
func (z zeros) Close() error                          { return nil }

// Ranges do not end where the pages of the counter do.
func TestSpansAcrossPages(t *testing.T) {
	c := Count(zeros(3 * pageBytes))
	for _, r := range [][2]int64{{2*pageBytes + 5, 2*pageBytes + 9}, {pageBytes - 3, pageBytes + 4}, {0, 2}} {
		_, err := c.ReadAt(make([]byte, r[1]-r[0]), r[0])
		require.NoError(t, err)
	}
	require.Equal(t, [][2]int64{{0, 2}, {pageBytes - 3, pageBytes + 4}, {2*pageBytes + 5, 2*pageBytes + 9}}, c.Spans())
	require.Equal(t, int64(13), c.BytesRead())
}
