package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store/postgres"
	"github.com/weightprint/weightprint/store/postgres/postgrestest"
)

// kills is at how many points something is killed.
func kills() int {
	if long() {
		return 50
	}
	return 3
}

const perBatch = 5

// add commits batches numbered from first on, and reports each once it is
// committed, until one fails.
func add(s *postgres.Store, first int, committed func(n int)) error {
	template := fingerprinttest.Of(fingerprinttest.Small, 1, &fingerprint.Options{SketchOnly: true})
	for n := first; ; n++ {
		r := rand.New(rand.NewPCG(uint64(n), 5))
		var some []index.Entry
		for i := range perBatch {
			some = append(some, index.Entry{Name: fmt.Sprintf("%d/%d", n, i), Fingerprint: fingerprinttest.Like(template, r)})
		}
		if _, err := s.Add(context.Background(), some); err != nil {
			return err
		}
		committed(n)
	}
}

// holds requires that every batch is there whole or not at all, those up to last
// for sure, that no other but the next is, and that nothing is damaged. It
// returns the number of the next batch.
func holds(t *testing.T, s *postgres.Store, last int) int {
	t.Helper()
	l, err := s.List(context.Background())
	require.NoError(t, err)
	require.Zero(t, len(l.Names)%perBatch, "a part of a batch")
	batches := len(l.Names) / perBatch
	require.GreaterOrEqual(t, batches, last+1, "a committed batch is lost")
	require.LessOrEqual(t, batches, last+2)
	for i, name := range l.Names {
		require.Equal(t, fmt.Sprintf("%d/%d", i/perBatch, i%perBatch), name)
	}
	c, err := s.Check(context.Background())
	require.NoError(t, err)
	require.Empty(t, c.Bad)
	return batches
}

// Nothing that was committed is lost when the server is killed.
func TestServerIsKilled(t *testing.T) {
	t.Parallel() // both wait most of the time
	server := postgrestest.StartDurable(t)
	dsn := server.Database(t)
	r := rand.New(rand.NewPCG(1, 1))
	next := 0
	for range kills() {
		s := open(t, dsn)
		last := next - 1
		ended := make(chan error)
		go func() { ended <- add(s, next, func(n int) { last = n }) }()
		time.Sleep(time.Duration(r.IntN(400)) * time.Millisecond)
		server.Kill()
		require.Error(t, <-ended)
		require.NoError(t, s.Close())
		server.Run(t)
		next = holds(t, open(t, dsn), last)
	}
	require.Positive(t, next)
}

// The same when the client is.
func TestClientIsKilled(t *testing.T) {
	t.Parallel()
	server := postgrestest.StartDurable(t)
	dsn := server.Database(t)
	s := open(t, dsn)
	r := rand.New(rand.NewPCG(2, 2))
	next := 0
	for range kills() {
		c := exec.Command(os.Args[0], "-test.run", "^TestClient$")
		c.Env = append(os.Environ(), "WEIGHTPRINT_TEST_CLIENT="+dsn, fmt.Sprint("WEIGHTPRINT_TEST_FIRST=", next))
		out, err := c.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, c.Start())
		last := next - 1
		time.AfterFunc(time.Duration(200+r.IntN(600))*time.Millisecond, func() { _ = c.Process.Kill() })
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if n, err := strconv.Atoi(strings.TrimSpace(lines.Text())); err == nil {
				last = n
			}
		}
		require.Error(t, c.Wait())
		// A transaction whose client is gone ends soon; who would add waits for it.
		_, err = s.Add(context.Background(), []index.Entry{entry("probe", 1)})
		require.NoError(t, err)
		_, err = s.Remove(context.Background(), []string{"probe"}, nil)
		require.NoError(t, err)
		next = holds(t, s, last)
	}
	require.Positive(t, next)
}

// TestClient is the client that TestClientIsKilled starts.
func TestClient(t *testing.T) {
	dsn := os.Getenv("WEIGHTPRINT_TEST_CLIENT")
	if dsn == "" {
		t.Skip("is started by another test")
	}
	first, err := strconv.Atoi(os.Getenv("WEIGHTPRINT_TEST_FIRST"))
	require.NoError(t, err)
	require.NoError(t, add(open(t, dsn), first, func(n int) { fmt.Println(n) }))
}
