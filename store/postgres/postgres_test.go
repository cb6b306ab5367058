package postgres_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store"
	"github.com/weightprint/weightprint/store/postgres"
	"github.com/weightprint/weightprint/store/postgres/postgrestest"
	"github.com/weightprint/weightprint/store/storetest"
)

func open(t testing.TB, dsn string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(context.Background(), dsn)
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	return s
}

// The database answers as the embedded index does, to the bit: by PostgreSQL's
// own functions, and by pgvector's operator where the server has it.
func TestAnswersAsTheEmbeddedIndexDoes(t *testing.T) {
	server := postgrestest.Start(t)
	t.Run("bit_count", func(t *testing.T) {
		storetest.Run(t, func(t *testing.T) store.Store { return open(t, server.Database(t)) })
	})
	t.Run("pgvector", func(t *testing.T) {
		if !server.Has(t, "vector") {
			t.Skip("the server has no pgvector")
		}
		storetest.Run(t, func(t *testing.T) store.Store {
			s := open(t, server.Database(t, "CREATE SCHEMA elsewhere", "CREATE EXTENSION vector SCHEMA elsewhere"))
			require.True(t, s.UsesVector())
			return s
		})
	})
}

// The tables are made once, also by programs that begin at the same time, and a
// user who may only read and write can open them.
func TestMigrations(t *testing.T) {
	server := postgrestest.Start(t)
	dsn := server.Database(t)
	ends := make(chan error)
	for range 8 {
		go func() {
			s, err := postgres.Open(context.Background(), dsn)
			if err == nil {
				err = s.Close()
			}
			ends <- err
		}()
	}
	for range 8 {
		require.NoError(t, <-ends)
	}
	run(t, dsn, `INSERT INTO weightprint.migrations VALUES (99, 'of a later version')`)
	_, err := postgres.Open(context.Background(), dsn)
	require.ErrorContains(t, err, "later version")
	_, err = postgres.Open(context.Background(), "postgres://user:secret@host:port/")
	require.Error(t, err)
	require.NotContains(t, err.Error(), "secret")
}

func run(t testing.TB, dsn, sql string, args ...any) {
	t.Helper()
	c, err := pgx.Connect(context.Background(), dsn)
	require.NoError(t, err)
	defer c.Close(context.Background())
	_, err = c.Exec(context.Background(), sql, args...)
	require.NoError(t, err)
}

func entry(name string, seed uint64) index.Entry {
	return index.Entry{Name: name, Fingerprint: fingerprinttest.Of(fingerprinttest.Small, seed, nil)}
}

// What was changed behind the store's back is found, and left out by name.
func TestDamage(t *testing.T) {
	server := postgrestest.Start(t)
	ctx := context.Background()
	for name, damage := range map[string]string{
		"fingerprint":          `UPDATE weightprint.fingerprints SET file = set_byte(file, 100, get_byte(file, 100) # 1) WHERE digest = (SELECT fingerprint FROM weightprint.entries WHERE number = 1)`,
		"of another":           `UPDATE weightprint.entries SET fingerprint = (SELECT fingerprint FROM weightprint.entries WHERE number = 0) WHERE number = 1`,
		"summary":              `UPDATE weightprint.entries SET units1 = set_bit(units1, 5, 1 - get_bit(units1, 5)) WHERE number = 1`,
		"set aside in silence": `UPDATE weightprint.entries SET quarantined = true WHERE number = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			dsn := server.Database(t)
			s := open(t, dsn)
			_, err := s.Add(ctx, []index.Entry{entry("a", 1), entry("b", 2), entry("c", 3)})
			require.NoError(t, err)
			run(t, dsn, damage)
			c, err := s.Check(ctx)
			require.NoError(t, err)
			require.Len(t, c.Bad, 1)
			require.Equal(t, "b", c.Bad[0].Name)
			require.EqualValues(t, 1, c.Bad[0].Number)
			found, err := s.Search(ctx, entry("a", 1).Fingerprint, 5, -7)
			require.NoError(t, err)
			require.Equal(t, 3-len(found.Skipped), found.Searched)
			require.Equal(t, "a", found.Hits[0].Name)
			n, err := s.Remove(ctx, nil, []int64{1})
			require.NoError(t, err)
			require.Equal(t, 1, n)
			c, err = s.Check(ctx)
			require.NoError(t, err)
			require.Empty(t, c.Bad)
		})
	}
}

func TestEdges(t *testing.T) {
	s := open(t, postgrestest.Start(t).Database(t))
	ctx := context.Background()
	a, b, c := index.ContentOf(entry("", 1).Fingerprint), index.ContentOf(entry("", 2).Fingerprint), index.ContentOf(entry("", 3).Fingerprint)
	p := -42.5
	require.NoError(t, s.PutEdges(ctx, []postgres.Edge{{A: a, B: b, Relation: "related", Log10P: &p, Evidence: []byte(`[]`)}, {A: b, B: c, Relation: "inconclusive", Evidence: []byte(`[]`)}}))
	require.NoError(t, s.PutEdges(ctx, []postgres.Edge{{A: b, B: a, Relation: "identical", Evidence: []byte(`{}`)}}), "in place of the first")
	of, err := s.EdgesOf(ctx, b)
	require.NoError(t, err)
	require.Len(t, of, 2)
	found := map[string]int{}
	for _, e := range of {
		found[e.Relation]++
		require.Nil(t, e.Log10P)
	}
	require.Equal(t, map[string]int{"identical": 1, "inconclusive": 1}, found)
	of, err = s.EdgesOf(ctx, a)
	require.NoError(t, err)
	require.Len(t, of, 1)
}

// Each job is one worker's; what a worker gave up or lost goes to another, and
// its late result is not taken.
func TestJobs(t *testing.T) {
	dsn := postgrestest.Start(t).Database(t)
	s := open(t, dsn)
	ctx := context.Background()
	var refs []string
	for i := range 200 {
		refs = append(refs, fmt.Sprint("hf:org/model", i))
	}
	n, err := s.AddJobs(ctx, append(refs, refs[0]))
	require.NoError(t, err)
	require.Equal(t, 200, n)
	taken := make(chan postgres.Job, 400)
	ends := make(chan error)
	for range 8 {
		go func() {
			for {
				jobs, err := s.Claim(ctx, 7, time.Hour)
				if err != nil || len(jobs) == 0 {
					ends <- err
					return
				}
				for _, j := range jobs {
					taken <- j
				}
			}
		}()
	}
	for range 8 {
		require.NoError(t, <-ends)
	}
	close(taken)
	all := map[string]postgres.Job{}
	for j := range taken {
		require.NotContains(t, all, j.Ref)
		all[j.Ref] = j
	}
	require.Len(t, all, 200)

	lost := all[refs[0]]
	run(t, dsn, `UPDATE weightprint.jobs SET lease_ends = now() - interval '1 second' WHERE id = $1`, lost.ID)
	again, err := s.Claim(ctx, 7, time.Hour)
	require.NoError(t, err)
	require.Len(t, again, 1)
	require.Equal(t, 2, again[0].Attempts)
	require.ErrorIs(t, s.Finish(ctx, lost, entry("late", 1)), postgres.ErrLease)
	require.NoError(t, s.Finish(ctx, again[0], entry(refs[0], 1)))
	l, err := s.List(ctx)
	require.NoError(t, err)
	require.Equal(t, refs[:1], l.Names)

	require.NoError(t, s.Fail(ctx, all[refs[1]], "no longer there", true))
	require.NoError(t, s.Fail(ctx, all[refs[2]], "busy", false))
	counts, err := s.JobCounts(ctx)
	require.NoError(t, err)
	require.Equal(t, map[string]int{"running": 197, "done": 1, "quarantined": 1, "waiting": 1}, counts)
	none, err := s.Claim(ctx, 7, time.Hour)
	require.NoError(t, err)
	require.Empty(t, none, "it waits before it is tried again")
	run(t, dsn, `UPDATE weightprint.jobs SET not_before = now() WHERE state = 'waiting'`)
	for attempt := 2; attempt <= postgres.Attempts; attempt++ {
		jobs, err := s.Claim(ctx, 7, time.Hour)
		require.NoError(t, err)
		require.Len(t, jobs, 1)
		require.NoError(t, s.Fail(ctx, jobs[0], "busy", false))
		run(t, dsn, `UPDATE weightprint.jobs SET not_before = now() WHERE state = 'waiting'`)
	}
	counts, err = s.JobCounts(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, counts["quarantined"])
}

func long() bool { return os.Getenv("WEIGHTPRINT_LONG") != "" }
