// Package postgrestest runs a PostgreSQL server for tests: on loopback, in a
// folder of its own, as long as a test needs it.
package postgrestest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Variable names the environment variable for a folder with the server's
// programs; without it the newest of Debian's places, then PATH, is taken.
const Variable = "WEIGHTPRINT_PG_BIN"

// Server is a PostgreSQL server.
type Server struct {
	bin, data string
	port      int
	as        *syscall.Credential // root may not run a server
	process   *exec.Cmd
	exited    chan struct{}
	durable   bool // as in use: what is committed is on disk
	databases int
}

// programs finds the folder of initdb and postgres; "" if there is none.
func programs() string {
	if dir := os.Getenv(Variable); dir != "" {
		return dir
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.Sort(found)
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1])
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

// Start runs a server until the test ends. Where PostgreSQL is not installed
// the test is skipped. The server does not wait for the disk.
func Start(t testing.TB) *Server { return start(t, false) }

// StartDurable runs a server that waits for the disk, as those in use do.
func StartDurable(t testing.TB) *Server { return start(t, true) }

func start(t testing.TB, durable bool) *Server {
	t.Helper()
	s := &Server{bin: programs(), durable: durable}
	if s.bin == "" {
		t.Skip("PostgreSQL is not installed; make hub-postgres installs it")
	}
	dir, err := os.MkdirTemp("", "weightprint-pg-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	s.data = filepath.Join(dir, "data")
	if os.Getuid() == 0 {
		s.as = somebody(t)
		must(t, os.Chown(dir, int(s.as.Uid), int(s.as.Gid)))
	}
	out, err := s.command("initdb", "-D", s.data, "-U", "weightprint", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync").CombinedOutput()
	if err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	s.port = freePort(t)
	s.Run(t)
	t.Cleanup(func() { s.stop() })
	return s
}

// somebody is a user that may run a server.
func somebody(t testing.TB) *syscall.Credential {
	for _, name := range []string{"postgres", "nobody"} {
		if u, err := user.Lookup(name); err == nil {
			uid, _ := strconv.ParseUint(u.Uid, 10, 32)
			gid, _ := strconv.ParseUint(u.Gid, 10, 32)
			return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		}
	}
	t.Skip("no user but root may run a server here")
	return nil
}

func freePort(t testing.TB) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(filepath.Join(s.bin, name), args...)
	c.Dir = "/"
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Setpgid: true}
	return c
}

// Run starts the server, also again after Kill, and waits until it answers.
func (s *Server) Run(t testing.TB) {
	t.Helper()
	s.process = s.command("postgres", "-D", s.data, "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", filepath.Dir(s.data), "-c", fmt.Sprintf("fsync=%t", s.durable), "-c", "max_connections=200")
	must(t, s.process.Start())
	process, exited := s.process, make(chan struct{})
	s.exited = exited
	go func() { _ = process.Wait(); close(exited) }()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		c, err := pgx.Connect(context.Background(), s.DSN("postgres"))
		if err == nil {
			_ = c.Close(context.Background())
			return
		}
		select {
		case <-exited: // children of one that was killed are still there
			s.Run(t)
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
	t.Fatal("the server does not answer")
}

// Kill ends the server at once, without a word to it. Its children have groups of
// their own and end when they find it gone; until then Run waits.
func (s *Server) Kill() {
	_ = s.process.Process.Kill()
	<-s.exited
}

func (s *Server) stop() {
	_ = s.process.Process.Signal(syscall.SIGINT)
	<-s.exited
}

// DSN names a database of the server.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("postgres://weightprint@127.0.0.1:%d/%s?sslmode=disable", s.port, database)
}

// Database makes a new database and names it. Statements run in it first.
func (s *Server) Database(t testing.TB, statements ...string) string {
	t.Helper()
	s.databases++
	name := fmt.Sprint("test", s.databases)
	s.exec(t, "postgres", "CREATE DATABASE "+name)
	s.exec(t, name, statements...)
	return s.DSN(name)
}

func (s *Server) exec(t testing.TB, database string, statements ...string) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.DSN(database))
	must(t, err)
	defer c.Close(ctx)
	for _, sql := range statements {
		_, err := c.Exec(ctx, sql)
		must(t, err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Has tells whether the server can make an extension.
func (s *Server) Has(t testing.TB, extension string) (has bool) {
	t.Helper()
	ctx := context.Background()
	c, err := pgx.Connect(ctx, s.DSN("postgres"))
	must(t, err)
	defer c.Close(ctx)
	must(t, c.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = $1)`, extension).Scan(&has))
	return has
}
