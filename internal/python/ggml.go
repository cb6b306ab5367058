package python

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// GGML is ggml's own quantiser, run as a judge.
type GGML struct{ python, library string }

// Job asks for the blocks of rows of values in a type of ggml's numbering.
type Job struct {
	Type       uint32
	Cols       int
	Values     []float32 // whole rows
	Importance []float32 // Cols values, or nil
}

// FindGGML returns the quantiser in the library that WEIGHTPRINT_GGML names: a
// libggml-base.so, which wheels of pywhispercpp ship. Where there is none the
// test says so and ok is false.
func FindGGML(t testing.TB) (g GGML, ok bool) {
	t.Helper()
	lib := os.Getenv("WEIGHTPRINT_GGML")
	if lib == "" {
		t.Log("NOT CHECKED with ggml: WEIGHTPRINT_GGML names no libggml-base.so")
		return g, false
	}
	py, ok := Find(t, "ctypes")
	return GGML{py, lib}, ok
}

// Quantise runs jobs in one process and returns their blocks.
func (g GGML) Quantise(t testing.TB, jobs ...Job) [][]byte {
	t.Helper()
	dir := t.TempDir()
	var list strings.Builder
	for i, j := range jobs {
		values, importance := write(t, dir, fmt.Sprintf("%d.x", i), j.Values), "-"
		if j.Importance != nil {
			importance = write(t, dir, fmt.Sprintf("%d.w", i), j.Importance)
		}
		fmt.Fprintf(&list, "%d\t%d\t%d\t%s\t%s\t%s\n", j.Type, len(j.Values)/j.Cols, j.Cols, values, importance, filepath.Join(dir, fmt.Sprint(i)))
	}
	file := filepath.Join(dir, "jobs")
	must(t, os.WriteFile(file, []byte(list.String()), 0o600))
	_, here, _, _ := runtime.Caller(0)
	if out, err := Run(g.python, filepath.Join(filepath.Dir(here), "testdata", "ggml.py"), g.library, file); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	blocks := make([][]byte, len(jobs))
	for i := range jobs {
		var err error
		blocks[i], err = os.ReadFile(filepath.Join(dir, fmt.Sprint(i)))
		must(t, err)
	}
	return blocks
}

func write(t testing.TB, dir, name string, x []float32) string {
	path := filepath.Join(dir, name)
	b, err := binary.Append(nil, binary.LittleEndian, x)
	must(t, err)
	must(t, os.WriteFile(path, b, 0o600))
	return path
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
