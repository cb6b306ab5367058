package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weightprint/weightprint/similarity/index"
)

// Job is a reference that a worker holds for a while.
type Job struct {
	ID       int64
	Ref      string
	Attempts int // this one included
	Lease    pgtype.UUID
}

// ErrLease is returned where a job was given to another worker in the meantime.
// What was found must not be committed: the other one will.
var ErrLease = errors.New("the lease of the job has ended")

// Attempts is how often a job is tried before it is quarantined.
const Attempts = 5

// AddJobs appends references that are not there yet and says how many.
func (s *Store) AddJobs(ctx context.Context, refs []string) (int, error) {
	tag, err := s.pool.Exec(ctx, `INSERT INTO weightprint.jobs (ref) SELECT * FROM unnest($1::text[]) ON CONFLICT (ref) DO NOTHING`, refs)
	return int(tag.RowsAffected()), err
}

// Claim takes at most n jobs that wait, or whose worker has not finished within
// its lease. Jobs that another worker is about to take are passed over.
func (s *Store) Claim(ctx context.Context, n int, lease time.Duration) ([]Job, error) {
	rows, err := s.pool.Query(ctx, `UPDATE weightprint.jobs j SET state = 'running', attempts = attempts + 1, lease = gen_random_uuid(), lease_ends = now() + $2
		FROM (SELECT id FROM weightprint.jobs
			WHERE state = 'waiting' AND not_before <= now() OR state = 'running' AND lease_ends < now()
			ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) free
		WHERE j.id = free.id RETURNING j.id, j.ref, j.attempts, j.lease`, n, lease)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Job])
}

// Finish commits the entry that a job gave together with its end, so that
// neither is there without the other.
func (s *Store) Finish(ctx context.Context, j Job, e index.Entry) error {
	b, err := newBatch([]index.Entry{e})
	if err != nil {
		return err
	}
	return s.change(ctx, func(tx pgx.Tx) error {
		if err := end(ctx, tx, j, `state = 'done', error = NULL`); err != nil {
			return err
		}
		_, err := b.commit(ctx, tx)
		return err
	})
}

// Fail notes an error. The job waits, twice as long each time, and is quarantined
// after Attempts or at once if nothing would change.
func (s *Store) Fail(ctx context.Context, j Job, fault string, forGood bool) error {
	return s.change(ctx, func(tx pgx.Tx) error {
		if forGood || j.Attempts >= Attempts {
			return end(ctx, tx, j, `state = 'quarantined', error = $3`, fault)
		}
		return end(ctx, tx, j, `state = 'waiting', error = $3, not_before = now() + $4`, fault, time.Second<<j.Attempts)
	})
}

// end writes the outcome of a job that is still this worker's.
func end(ctx context.Context, tx pgx.Tx, j Job, set string, arguments ...any) error {
	tag, err := tx.Exec(ctx, `UPDATE weightprint.jobs SET lease = NULL, lease_ends = NULL, `+set+` WHERE id = $1 AND lease = $2`, append([]any{j.ID, j.Lease}, arguments...)...)
	if err == nil && tag.RowsAffected() == 0 {
		err = ErrLease
	}
	return err
}

// JobCounts counts the jobs in each state.
func (s *Store) JobCounts(ctx context.Context) (map[string]int, error) {
	rows, err := s.pool.Query(ctx, `SELECT state, count(*) FROM weightprint.jobs GROUP BY state`)
	if err != nil {
		return nil, err
	}
	out := map[string]int{}
	var state string
	var n int
	_, err = pgx.ForEachRow(rows, []any{&state, &n}, func() error {
		out[state] = n
		return nil
	})
	return out, err
}
