//go:build unix

package outfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// ours begins with a word.
func ours(head []byte) bool { return bytes.HasPrefix(head, []byte("ours")) }

func put(name string, r Rules, text string) error {
	t, err := Prepare(name, &r)
	if err != nil {
		return err
	}
	return t.Write(func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
}

func read(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(b)
}

func names(t *testing.T, dir string) (out []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range all {
		out = append(out, e.Name())
	}
	return out
}

func make1(t *testing.T, name, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o700))
	require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	return name
}

func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		name   string
		make   func(dir string) Rules // Inputs are set by it
		file   string
		forced bool // --force changes the answer
		want   string
	}{
		{"new", func(string) Rules { return Rules{} }, "x", false, ""},
		{"empty", func(d string) Rules { make1(t, d+"/x", ""); return Rules{} }, "x", false, ""},
		{"ours", func(d string) Rules { make1(t, d+"/x", "ours, old"); return Rules{} }, "x", false, ""},
		{"foreign", func(d string) Rules { make1(t, d+"/x", "theirs"); return Rules{} }, "x", true, "not what this verb writes"},
		{"input", func(d string) Rules { return Rules{Inputs: []string{make1(t, d+"/x", "ours")}} }, "x", false, "is read by the same command"},
		{"input by another way", func(d string) Rules {
			make1(t, d+"/x", "ours")
			return Rules{Inputs: []string{d + "/../" + filepath.Base(d) + "/x"}}
		}, "x", false, "read by the same command"},
		{"hard link", func(d string) Rules {
			require.NoError(t, os.Link(make1(t, d+"/in", "ours"), d+"/x"))
			return Rules{Inputs: []string{d + "/in"}}
		}, "x", false, "read by the same command"},
		{"link to an input", func(d string) Rules {
			require.NoError(t, os.Symlink(make1(t, d+"/in", "ours"), d+"/x"))
			return Rules{Inputs: []string{d + "/in"}}
		}, "x", false, "read by the same command"},
		{"input through a link", func(d string) Rules {
			require.NoError(t, os.Symlink(make1(t, d+"/x", "ours"), d+"/in"))
			return Rules{Inputs: []string{d + "/in"}}
		}, "x", false, "read by the same command"},
		{"weights in a folder", func(d string) Rules { make1(t, d+"/m/a.safetensors", "ours"); return Rules{Inputs: []string{d + "/m"}} }, "m/a.safetensors", false, "read by the same command"},
		{"weights behind a link in a linked folder", func(d string) Rules {
			make1(t, d+"/blobs/x", "ours")
			require.NoError(t, os.Mkdir(d+"/m", 0o700))
			require.NoError(t, os.Symlink(d+"/blobs/x", d+"/m/a.safetensors"))
			require.NoError(t, os.Symlink(d+"/m", d+"/n"))
			return Rules{Inputs: []string{d + "/n"}}
		}, "blobs/x", false, "read by the same command"},
		{"a report in a model's folder", func(d string) Rules { make1(t, d+"/m/r.json", "ours"); return Rules{Inputs: []string{d + "/m"}} }, "m/r.json", false, ""},
		{"a missing shard", func(d string) Rules { make1(t, d+"/m/a.safetensors", "w"); return Rules{Inputs: []string{d + "/m"}} }, "m/b.safetensors", true, "taken for a part of the model"},
		{"a missing configuration beside an input", func(d string) Rules { return Rules{Inputs: []string{make1(t, d+"/a.bin", "w")}} }, "config.json", true, "taken for a part of the model"},
		{"an index in another model's folder", func(d string) Rules { make1(t, d+"/m/a.safetensors", "w"); return Rules{} }, "m/model.safetensors.index.json", true, "taken for a part of the model"},
		{"a weight's name elsewhere", func(string) Rules { return Rules{} }, "values.bin", false, ""},
		{"folder", func(d string) Rules { require.NoError(t, os.Mkdir(d+"/x", 0o700)); return Rules{} }, "x", false, "a folder; name a file in it"},
		{"a name with a slash behind", func(string) Rules { return Rules{} }, "x/", false, "a folder; name a file in it"},
		{"pipe", func(d string) Rules { require.NoError(t, syscall.Mkfifo(d+"/x", 0o600)); return Rules{} }, "x", false, "a pipe, not a regular file"},
		{"link to a device", func(d string) Rules { require.NoError(t, os.Symlink("/dev/null", d+"/x")); return Rules{} }, "x", false, "a device, not a regular file"},
		{"link to nothing", func(d string) Rules { require.NoError(t, os.Symlink(d+"/none", d+"/x")); return Rules{} }, "x", false, "leads nowhere"},
		{"link in a circle", func(d string) Rules { require.NoError(t, os.Symlink(d+"/x", d+"/x")); return Rules{} }, "x", false, "leads nowhere"},
		{"read-only", func(d string) Rules { require.NoError(t, os.Chmod(make1(t, d+"/x", "ours"), 0o444)); return Rules{} }, "x", true, "read-only"},
		{"no folder", func(string) Rules { return Rules{} }, "none/x", false, "nothing can be written to this folder"},
		{"fresh", func(d string) Rules { make1(t, d+"/x", "ours"); return Rules{New: true} }, "x", false, "never overwritten"},
	} {
		for _, force := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, force), func(t *testing.T) {
				dir := t.TempDir()
				r := c.make(dir)
				r.Ours, r.Force = ours, force
				before := names(t, dir)
				err := put(dir+"/"+c.file, r, "ours, new")
				if c.want == "" || c.forced && force {
					require.NoError(t, err)
					require.Equal(t, "ours, new", read(t, dir+"/"+c.file))
					return
				}
				require.ErrorContains(t, err, c.want)
				require.True(t, errors.Is(err, ErrPlace) || errors.Is(err, ErrUnwritable), err)
				require.Equal(t, before, names(t, dir))
			})
		}
	}
}

// A link to one of our files stays a link: what it names is replaced.
func TestLinksStay(t *testing.T) {
	dir := t.TempDir()
	make1(t, dir+"/elsewhere/x", "ours, old")
	require.NoError(t, os.Symlink("elsewhere/x", dir+"/link"))
	require.NoError(t, put(dir+"/link", Rules{Ours: ours}, "ours, new"))
	require.Equal(t, "ours, new", read(t, dir+"/elsewhere/x"))
	to, err := os.Readlink(dir + "/link")
	require.NoError(t, err)
	require.Equal(t, "elsewhere/x", to)
}

// What comes to stand there during the work is not replaced either.
func TestPlacesAreLookedAtTwice(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name string
		r    Rules
		text string
	}{{"foreign", Rules{Ours: ours}, "theirs"}, {"fresh", Rules{New: true}, "ours"}} {
		file := filepath.Join(dir, c.name)
		out, err := Prepare(file, &c.r)
		require.NoError(t, err)
		make1(t, file, c.text)
		require.ErrorIs(t, out.Write(func(io.Writer) error { return nil }), ErrPlace)
		require.Equal(t, c.text, read(t, file))
	}
	require.Len(t, names(t, dir), 2)
}

func TestModes(t *testing.T) {
	dir := t.TempDir()
	defer syscall.Umask(syscall.Umask(0))
	for _, c := range []struct {
		umask      int
		mode, want fs.FileMode
	}{{0o022, 0, 0o644}, {0o002, 0, 0o664}, {0o077, 0, 0o600}, {0, 0, 0o666}, {0o022, 0o600, 0o600}} {
		syscall.Umask(c.umask)
		for _, fresh := range []bool{false, true} {
			file := filepath.Join(dir, fmt.Sprint(c.umask, c.mode, fresh))
			require.NoError(t, put(file, Rules{Mode: c.mode, New: fresh}, "ours"))
			info, err := os.Stat(file)
			require.NoError(t, err)
			require.Equal(t, c.want, info.Mode().Perm())
		}
	}
	file := make1(t, dir+"/kept", "ours")
	require.NoError(t, os.Chmod(file, 0o640))
	syscall.Umask(0)
	require.NoError(t, put(file, Rules{Ours: ours}, "ours, new"))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, 0o640, info.Mode().Perm(), "a file that is replaced keeps its mode")
}

// Every call fails in turn: what stood there stands there still, or the whole
// new file does, and nothing else stays behind.
func TestEveryCallFails(t *testing.T) {
	injected := errors.New("injected")
	for _, c := range []struct {
		old string
		r   Rules
	}{{"", Rules{Ours: ours}}, {"ours, old", Rules{Ours: ours}}, {"", Rules{New: true, Mode: 0o600}}} {
		seen := map[string]bool{}
		for k := 1; ; k++ {
			dir := t.TempDir()
			if c.old != "" {
				make1(t, dir+"/x", c.old)
			}
			calls, failed := 0, ""
			restore := Inject(func(op, _ string) error {
				if calls++; calls == k {
					failed = op
					return injected
				}
				return nil
			})
			err := put(dir+"/x", c.r, strings.Repeat("ours, new", 20000))
			restore()
			if failed == "" {
				require.NoError(t, err)
				break
			}
			seen[failed] = true
			require.ErrorIs(t, err, injected, "call %d", k)
			switch {
			case c.old == "":
				require.Empty(t, names(t, dir), "call %d, %s", k, failed)
			case failed == "sync-folder":
				require.Equal(t, strings.Repeat("ours, new", 20000), read(t, dir+"/x"))
			default:
				require.Equal(t, []string{"x"}, names(t, dir))
				require.Equal(t, c.old, read(t, dir+"/x"), "call %d, %s", k, failed)
			}
		}
		for _, op := range []string{"create", "write", "sync", "close", "rename", "sync-folder"} {
			require.True(t, seen[op], op)
		}
	}
}

func TestFailingWriters(t *testing.T) {
	dir := t.TempDir()
	make1(t, dir+"/x", "ours, old")
	out, err := Prepare(dir+"/x", &Rules{Ours: ours})
	require.NoError(t, err)
	bad := errors.New("bad")
	require.ErrorIs(t, out.Write(func(w io.Writer) error { _, _ = io.WriteString(w, "half"); return bad }), bad)
	require.Panics(t, func() { _ = out.Write(func(io.Writer) error { panic("bug") }) })
	require.Equal(t, []string{"x"}, names(t, dir))
	require.Equal(t, "ours, old", read(t, dir+"/x"))
}

// Of many that write a file which must be new exactly one succeeds; of many that
// replace one each leaves a whole file.
func TestConcurrentWriters(t *testing.T) {
	dir := t.TempDir()
	var won atomic.Int64
	var wg sync.WaitGroup
	for k := range 16 {
		wg.Go(func() {
			text := "ours " + strings.Repeat(fmt.Sprint(k%10), 5000)
			if put(dir+"/new", Rules{New: true}, text) == nil {
				won.Add(1)
			}
			if err := put(dir+"/old", Rules{Ours: ours}, text); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 1, won.Load())
	for _, name := range []string{"/new", "/old"} {
		b := read(t, dir+name)
		require.Equal(t, "ours "+strings.Repeat(b[5:6], 5000), b)
	}
	require.Len(t, names(t, dir), 2)
}

func TestAppend(t *testing.T) {
	dir := t.TempDir()
	f, err := Append(dir+"/x", &Rules{})
	require.NoError(t, err)
	_, err = Append(dir+"/x", &Rules{})
	require.ErrorContains(t, err, "another program is writing")
	_, err = io.WriteString(f, "one\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	f, err = Append(dir+"/x", &Rules{})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.Equal(t, "one\n", read(t, dir+"/x"))
	_, err = Append(dir+"/x", &Rules{Inputs: []string{dir + "/x"}})
	require.ErrorIs(t, err, ErrPlace)
	_, err = Append(dir, &Rules{})
	require.ErrorIs(t, err, ErrPlace)
}
