package index

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
)

var template = fingerprinttest.Of(fingerprinttest.Small, 1, &fingerprint.Options{SketchOnly: true})

// some lists entries numbered first to last-1; each has content of its own.
func some(first, last int) []Entry {
	var out []Entry
	for i := first; i < last; i++ {
		f := fingerprinttest.Like(template, rand.New(rand.NewPCG(uint64(i), 5)))
		out = append(out, Entry{fmt.Sprint("entry ", i), f})
	}
	return out
}

func add(fs files, path string, entries []Entry) error {
	w, err := openWriter(fs, path)
	if err != nil {
		return err
	}
	_, err = w.Add(entries...)
	return errors.Join(err, w.Close())
}

// holds requires that the index opens and that its entries are whole and
// numbered 0 to n-1, for one of the given n, which it returns. An index that is
// not there holds none.
func holds(t *testing.T, fs files, path string, n ...int) int {
	t.Helper()
	x, err := open(fs, path)
	if errors.Is(err, os.ErrNotExist) {
		require.Contains(t, n, 0)
		return 0
	}
	require.NoError(t, err)
	defer x.Close()
	require.Empty(t, x.Bad())
	require.Contains(t, n, x.Len())
	for i := range x.Len() {
		e, err := x.Entry(i)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("entry ", i), e.Name)
	}
	return x.Len()
}

// Every call of the file system that an index makes fails in turn, before and
// after it had its effect. What was committed stays, what is added is there
// whole or not at all, and the next writer can go on.
func TestEveryCallFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for k := 1; ; k++ {
			m := newMemory()
			require.NoError(t, add(m, "x", some(0, 2)))
			m.calls, m.fail, m.after = 0, k, after
			err := add(m, "x", some(2, 5))
			reached := m.calls >= k
			m.fail = 0
			if !reached {
				require.NoError(t, err)
				require.Greater(t, k, 6, "the calls that can fail")
				break
			}
			n := holds(t, m, "x", 2, 5)
			if err == nil {
				require.Equal(t, 5, n, "call %d: success was reported", k)
			} else {
				require.ErrorIs(t, err, errInjected)
			}
			require.NoError(t, add(m, "x", some(2, 6)))
			holds(t, m, "x", 6)
		}
	}
}

// The same for the first entries of a new index.
func TestEveryCallFailsAtTheBeginning(t *testing.T) {
	for _, after := range []bool{false, true} {
		for k := 1; ; k++ {
			m := newMemory()
			m.fail, m.after = k, after
			err := add(m, "x", some(0, 2))
			reached := m.calls >= k
			m.fail = 0
			if !reached {
				require.NoError(t, err)
				break
			}
			if n := holds(t, m, "x", 0, 2); n == 0 {
				require.Empty(t, m.nodes, "call %d: files that hold nothing stay behind", k)
			}
			require.NoError(t, add(m, "x", some(0, 3)))
			holds(t, m, "x", 3)
		}
	}
}

// The same for merging: the new index is there whole or not at all, and the old
// ones are untouched.
func TestEveryCallOfAMergeFails(t *testing.T) {
	for _, after := range []bool{false, true} {
		for k := 1; ; k++ {
			m := newMemory()
			require.NoError(t, add(m, "a", some(0, 2)))
			require.NoError(t, add(m, "b", some(0, 1)))
			m.calls, m.fail, m.after = 0, k, after
			err := merge(m, "new", []string{"a", "b"})
			reached := m.calls >= k
			m.fail = 0
			if !reached {
				require.NoError(t, err)
				break
			}
			holds(t, m, "a", 2)
			holds(t, m, "b", 1)
			x, openErr := open(m, "new")
			if openErr != nil {
				require.ErrorIs(t, openErr, os.ErrNotExist)
				require.Len(t, m.nodes, 4, "call %d: files that hold nothing stay behind", k)
				require.NoError(t, merge(m, "new", []string{"b", "a"}), "call %d", k)
				continue
			}
			require.Equal(t, 2, x.Len(), "call %d", k)
		}
	}
}

// After a power cut at any moment any of the writes that were not synced may be
// lost: what was committed is there, and no more than was added.
func TestPowerCut(t *testing.T) {
	seeds := 1000
	if testing.Short() {
		seeds = 100
	}
	for seed := range uint64(seeds) {
		r := rand.New(rand.NewPCG(seed, 1))
		m := newMemory()
		done := 0
		m.fail = 1 + r.IntN(40)
		var err error
		for next := 1 + r.IntN(2); err == nil && next < 12; next += 1 + r.IntN(2) {
			if err = add(m, "x", some(done, next)); err == nil {
				done = next
			}
		}
		c := m.crash(r)
		n := holds(t, c, "x", done, done+1, done+2)
		require.NoError(t, add(c, "x", some(n, n+1)), "seed %d", seed)
		holds(t, c, "x", n+1)
	}
}

// A full disk is an error that names the file and the size, and leaves what
// was there.
func TestDiskFull(t *testing.T) {
	m := newMemory()
	require.NoError(t, add(m, "dir/x", some(0, 2)))
	m.calls, m.fail, m.err = 0, 5, syscall.ENOSPC
	err := add(m, "dir/x", some(2, 5))
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "dir/x: adding 3 entries,")
	m.fail = 0
	holds(t, m, "dir/x", 2)
}

// The same on a real file system of one MiB, where one can be mounted.
func TestRealDiskFull(t *testing.T) {
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=1m", "weightprint-test", dir).CombinedOutput(); err != nil {
		t.Skipf("no small file system can be mounted here: %s", strings.TrimSpace(string(out)))
	}
	t.Cleanup(func() { require.NoError(t, exec.Command("umount", dir).Run()) })
	path := filepath.Join(dir, "x")
	n := 0
	for {
		_, err := Add(path, some(n, n+50)...)
		if err != nil {
			require.ErrorIs(t, err, syscall.ENOSPC)
			require.ErrorContains(t, err, path+": adding 50 entries,")
			break
		}
		n += 50
		require.Less(t, n, 2000)
	}
	require.Greater(t, n, 0)
	holds(t, disk{}, path, n)
	_, err := Add(path, some(n, n+1)...) // the room of the failed commit was given back
	require.NoError(t, err)
	holds(t, disk{}, path, n+1)
}

const childVariable = "WEIGHTPRINT_INDEX_CHILD"

// TestChild is the writer that TestKilledWriter kills: it adds entries for
// ever and says how many are committed.
func TestChild(t *testing.T) {
	path := os.Getenv(childVariable)
	if path == "" {
		t.Skip("this is the child of TestKilledWriter")
	}
	w, err := OpenWriter(path)
	require.NoError(t, err)
	for n := int(w.count(t)); ; n += 3 {
		_, err := w.Add(some(n, n+3)...)
		require.NoError(t, err)
		fmt.Println("committed", n+3)
	}
}

// count is how many entries are committed.
func (w *Writer) count(t *testing.T) int64 {
	if w.f == nil { // it is not there yet
		return 0
	}
	h, err := readHeader(w.path, w.f)
	require.NoError(t, err)
	return h.count
}

// A writer is killed at random moments; all that it said was committed is
// there, whole, and the next writer goes on.
func TestKilledWriter(t *testing.T) {
	points := 60
	switch {
	case testing.Short():
		points = 8
	case os.Getenv("WEIGHTPRINT_LONG") != "":
		points = 200
	}
	self, err := os.Executable()
	require.NoError(t, err)
	r := rand.New(rand.NewPCG(7, 7))
	dir := t.TempDir()
	committed := 0
	path := ""
	for point := range points {
		if point%40 == 0 { // a new index, so that looking at all of it stays cheap
			path, committed = filepath.Join(dir, fmt.Sprint(point)), 0
		}
		said := kill(t, self, path, time.Duration(1+r.IntN(4000))*time.Microsecond)
		committed = max(committed, said)
		x, err := Open(path)
		require.NoError(t, err)
		require.Empty(t, x.Bad())
		require.GreaterOrEqual(t, x.Len(), committed, "point %d", point)
		require.Zero(t, x.Len()%3)
		committed = x.Len()
		require.NoError(t, x.Close())
		holds(t, disk{}, path, committed)
	}
	t.Logf("the last writers had committed %d entries", committed)
}

// kill starts a writer, lets it commit once and then live for a while, and
// returns how much it said was committed.
func kill(t *testing.T, self, path string, live time.Duration) (said int) {
	c := exec.Command(self, "-test.run=^TestChild$")
	c.Env = append(os.Environ(), childVariable+"="+path)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	s := bufio.NewScanner(out)
	for s.Scan() {
		if _, err := fmt.Sscanf(s.Text(), "committed %d", &said); err == nil {
			if live > 0 {
				time.AfterFunc(live, func() { _ = c.Process.Kill() })
				live = 0
			}
		}
	}
	_ = c.Wait()
	return said
}
