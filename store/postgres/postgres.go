// Package postgres is the store of package store in PostgreSQL 14 or later. It
// answers as the embedded index does, to the bit. Hamming distances are counted by
// the bit type of the extension pgvector where a database has it, else by
// PostgreSQL's own bit_count.
package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/weightprint/weightprint/store"
)

//go:embed migrations
var migrations embed.FS

// Store is a database. It is safe for concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	apart  func(a, b string) string // the SQL of a Hamming distance
	vector bool                     // which is pgvector's
}

var _ store.Store = (*Store)(nil)

// minVersion is the first server that counts the bits of bit strings.
const minVersion = 140000

// Open connects to a database and brings its tables up to date.
func Open(ctx context.Context, dsn string) (*Store, error) {
	c, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, errors.New("the DSN cannot be read") // the error would show its password
	}
	// Searches are few and long: a plan for their very arguments pays, compiling does not.
	for name, value := range map[string]string{"plan_cache_mode": "force_custom_plan", "jit": "off", "synchronous_commit": "on"} {
		c.ConnConfig.RuntimeParams[name] = value
	}
	pool, err := pgxpool.NewWithConfig(ctx, c)
	if err != nil {
		return nil, err
	}
	s := &Store{pool: pool}
	if err := s.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	var version int
	if err := s.pool.QueryRow(ctx, `SELECT current_setting('server_version_num')::int`).Scan(&version); err != nil {
		return err
	}
	if version < minVersion {
		return fmt.Errorf("PostgreSQL %d is too old: the store needs 14 or later", version/10000)
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.chooseDistance(ctx)
}

// migrationLock is the number of the advisory lock that keeps two programs from
// making the tables at once.
const migrationLock = 0x77707374

// migrate applies the migrations that the database has not seen, in one
// transaction.
func (s *Store) migrate(ctx context.Context) error {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return err
	}
	slices.Sort(files)
	return s.change(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, migrationLock); err != nil {
			return err
		}
		done, err := applied(ctx, tx)
		if err == nil && done > len(files) {
			err = fmt.Errorf("the database is of a later version: it has %d migrations, this program knows %d", done, len(files))
		}
		for i := done; err == nil && i < len(files); i++ {
			err = apply(ctx, tx, i+1, files[i])
		}
		return err
	})
}

// applied counts the migrations that were applied. A database that is up to
// date is only read, so that who uses it needs no right to make tables.
func applied(ctx context.Context, tx pgx.Tx) (n int, err error) {
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('weightprint.migrations') IS NOT NULL`).Scan(&there); err != nil {
		return 0, err
	}
	if !there {
		_, err := tx.Exec(ctx, `CREATE SCHEMA IF NOT EXISTS weightprint; CREATE TABLE weightprint.migrations (number int PRIMARY KEY, file text NOT NULL)`)
		return 0, err
	}
	err = tx.QueryRow(ctx, `SELECT count(*) FROM weightprint.migrations`).Scan(&n)
	return n, err
}

func apply(ctx context.Context, tx pgx.Tx, number int, file string) error {
	sql, err := migrations.ReadFile(file)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, string(sql)); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO weightprint.migrations VALUES ($1, $2)`, number, file)
	return err
}

// chooseDistance takes the operator of pgvector 0.7 or later where it is there.
func (s *Store) chooseDistance(ctx context.Context) error {
	var schema string
	err := s.pool.QueryRow(ctx, `SELECT quote_ident(n.nspname) FROM pg_operator o JOIN pg_namespace n ON n.oid = o.oprnamespace
		WHERE o.oprname = '<~>' AND o.oprleft = 'bit'::regtype AND o.oprright = 'bit'::regtype LIMIT 1`).Scan(&schema)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		s.apart = func(a, b string) string { return fmt.Sprintf("bit_count(%s # %s)", a, b) }
	case err == nil:
		s.vector = true
		s.apart = func(a, b string) string { return fmt.Sprintf("(%s OPERATOR(%s.<~>) %s)", a, schema, b) }
	default:
		return err
	}
	return nil
}

// Ready tells whether the database answers.
func (s *Store) Ready(ctx context.Context) error { return s.pool.Ping(ctx) }

// UsesVector tells whether distances are counted by pgvector.
func (s *Store) UsesVector() bool { return s.vector }

// Close ends all connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// change runs a transaction that writes.
func (s *Store) change(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, do)
}

// look runs a transaction that sees one state of the database.
func (s *Store) look(ctx context.Context, do func(tx pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, do)
}

// lockHead takes the only right to write entries and says which number is next.
func lockHead(ctx context.Context, tx pgx.Tx) (next int64, err error) {
	err = tx.QueryRow(ctx, `SELECT next FROM weightprint.head FOR UPDATE`).Scan(&next)
	return next, err
}

// advance gives numbers away.
func advance(ctx context.Context, tx pgx.Tx, n int) error {
	tag, err := tx.Exec(ctx, `UPDATE weightprint.head SET next = next + $1`, n)
	if err == nil && tag.RowsAffected() != 1 {
		err = errors.New("weightprint.head holds no row")
	}
	return err
}
