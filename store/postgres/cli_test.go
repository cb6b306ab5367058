package postgres_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/store"
	"github.com/weightprint/weightprint/store/postgres"
	"github.com/weightprint/weightprint/store/postgres/postgrestest"
)

// built is the folder of what programs built.
var built string

// programs builds weightprint and its helper into one folder.
var programs = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "weightprint-programs-"); err != nil {
		return "", err
	}
	built = dir
	for place, name := range map[string]string{filepath.Join("..", ".."): "./cmd/weightprint", ".": "./cmd/weightprint-postgres"} {
		c := exec.Command("go", "build", "-o", dir+string(filepath.Separator), name)
		c.Dir = place
		if out, err := c.CombinedOutput(); err != nil {
			return "", &exec.Error{Name: name + ": " + string(out), Err: err}
		}
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

// called runs a program and returns what it printed.
func called(t *testing.T, stdin, dsn, program string, args ...string) string {
	t.Helper()
	dir, err := programs()
	require.NoError(t, err)
	c := exec.Command(filepath.Join(dir, program), args...)
	c.Stdin, c.Env = strings.NewReader(stdin), append(os.Environ(), store.Variable+"="+dsn)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	require.NoError(t, c.Run(), "%s %v: %s", program, args, errs.String())
	return out.String()
}

// What the program prints about a database is what it prints about a file.
func TestProgramPrintsTheSame(t *testing.T) {
	server := postgrestest.Start(t)
	dsn, other := server.Database(t), server.Database(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "x.wpi")
	models := filepath.Join(dir, "models")
	require.NoError(t, demo.Extract(models))
	found, err := os.ReadDir(models)
	require.NoError(t, err)
	var refs []string
	for _, f := range found {
		if f.IsDir() {
			refs = append(refs, filepath.Join(models, f.Name()))
		}
	}
	require.Greater(t, len(refs), 2)
	both := func(args ...string) string {
		t.Helper()
		verb := append([]string{"index"}, args...)
		want := called(t, "", "", "weightprint", append(verb, "--index", file)...)
		require.Equal(t, want, called(t, "", "", "weightprint", append(verb, "--dsn", dsn)...))
		return want
	}
	both(append([]string{"add"}, refs...)...)
	both(append([]string{"add"}, refs[0])...)
	require.Contains(t, both("search", "--json", refs[0]), `"identical"`)
	both("search", refs[1])
	both("remove", filepath.Base(refs[0]))
	both("list")
	both("check", "--json")
	called(t, "", "", "weightprint", "index", "merge", "--dsn", other, file)
	called(t, "", "", "weightprint", "index", "merge", "--index", filepath.Join(dir, "out.wpi"), other)
	called(t, "", "", "weightprint", "index", "merge", "--index", filepath.Join(dir, "again.wpi"), file)
	for _, ending := range []string{"", ".details"} {
		want, err := os.ReadFile(filepath.Join(dir, "again.wpi"+ending))
		require.NoError(t, err)
		got, err := os.ReadFile(filepath.Join(dir, "out.wpi"+ending))
		require.NoError(t, err)
		require.Equal(t, want, got)
	}

	// A worker gives the same entries; what cannot be read waits to be tried again.
	jobs := server.Database(t)
	require.Equal(t, "added 4 of 5\n", called(t, strings.Join(append(refs[:3:3], refs[0], filepath.Join(dir, "missing")), "\n"), jobs, "weightprint-postgres", "enqueue"))
	programs, err := programs()
	require.NoError(t, err)
	require.Equal(t, "fingerprinted 3, failed 1\n", called(t, "", jobs, "weightprint-postgres", "work", "-weightprint", filepath.Join(programs, "weightprint")))
	require.Equal(t, "waiting 1\nrunning 0\ndone 3\nquarantined 0\n", called(t, "", jobs, "weightprint-postgres", "jobs"))
	l, err := open(t, jobs).List(context.Background())
	require.NoError(t, err)
	require.ElementsMatch(t, refs[:3], l.Names)
}

// A worker that is killed loses nothing: when its lease has ended another one
// does its jobs, and none is done twice.
func TestWorkerIsKilled(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	s := open(t, dsn)
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	base := filepath.Join(dir, "base")
	var refs []string
	for i := range 12 { // one model by several names
		ref := filepath.Join(dir, string(rune('a'+i)))
		require.NoError(t, os.Symlink(base, ref))
		refs = append(refs, ref)
	}
	ctx := context.Background()
	_, err := s.AddJobs(ctx, refs)
	require.NoError(t, err)
	programs, err := programs()
	require.NoError(t, err)
	worker := exec.Command(filepath.Join(programs, "weightprint-postgres"), "work", "-batch", "12", "-lease", "1s", "-weightprint", filepath.Join(programs, "weightprint"))
	worker.Env = append(os.Environ(), store.Variable+"="+dsn)
	require.NoError(t, worker.Start())
	require.Eventually(t, func() bool {
		n, err := s.JobCounts(ctx)
		return err == nil && n["done"] > 0
	}, time.Minute, time.Millisecond)
	require.NoError(t, worker.Process.Kill())
	require.Error(t, worker.Wait())
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		w := postgres.Worker{Store: s, Program: filepath.Join(programs, "weightprint"), Batch: 3, Lease: time.Minute, Log: os.Stderr}
		_, _, err := w.Run(ctx)
		require.NoError(t, err)
		if n, err := s.JobCounts(ctx); err == nil && n["done"] == len(refs) {
			break
		}
	}
	l, err := s.List(ctx)
	require.NoError(t, err)
	require.ElementsMatch(t, refs, l.Names)
}
