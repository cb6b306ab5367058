package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/store"
)

// Remove takes out all entries of the names and numbers, or none. Numbers of
// records are used up, as the embedded index notes a removal in a record.
func (s *Store) Remove(ctx context.Context, names []string, numbers []int64) (n int, err error) {
	wanted := make([][]byte, len(names))
	for i, name := range names {
		wanted[i] = []byte(name)
	}
	err = s.change(ctx, func(tx pgx.Tx) error {
		if _, err := lockHead(ctx, tx); err != nil {
			return err
		}
		n, err = remove(ctx, tx, wanted, numbers)
		if err != nil {
			return err
		}
		return advance(ctx, tx, n)
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

func remove(ctx context.Context, tx pgx.Tx, names [][]byte, numbers []int64) (n int, err error) {
	rows, err := tx.Query(ctx, `DELETE FROM weightprint.entries WHERE name = ANY($1) OR number = ANY($2) RETURNING name, number, fingerprint`, names, numbers)
	if err != nil {
		return 0, err
	}
	gone, counted := map[string]bool{}, map[int64]bool{}
	var name, digest []byte
	var number int64
	var digests [][]byte
	_, err = pgx.ForEachRow(rows, []any{&name, &number, &digest}, func() error {
		gone[string(name)], counted[number] = true, true
		digests = append(digests, bytes.Clone(digest))
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if !gone[string(name)] {
			return 0, fmt.Errorf("%q: %w", name, index.ErrNoEntry)
		}
	}
	for _, number := range numbers {
		if !counted[number] {
			return 0, fmt.Errorf("number %d: %w", number, index.ErrNoEntry)
		}
	}
	_, err = tx.Exec(ctx, `DELETE FROM weightprint.fingerprints f WHERE digest = ANY($1) AND NOT EXISTS (SELECT 1 FROM weightprint.entries WHERE fingerprint = f.digest)`, digests)
	return len(counted), err
}

// List names all entries.
func (s *Store) List(ctx context.Context) (*store.Listed, error) {
	rows, err := s.pool.Query(ctx, `SELECT name FROM weightprint.entries ORDER BY number`)
	if err != nil {
		return nil, err
	}
	names, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (string, error) {
		var name []byte
		err := r.Scan(&name)
		return string(name), err
	})
	return &store.Listed{Names: names}, err
}

// each visits the entries of one state of the database in order. Those that
// cannot be read have an error instead of a fingerprint.
func (v *view) each(ctx context.Context, visit func(number int64, e index.Entry, bad error) error) error {
	rows, err := v.tx.Query(ctx, `SELECT number FROM weightprint.entries ORDER BY number`)
	if err != nil {
		return err
	}
	numbers, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, n := range numbers {
		e, bad := v.At(ctx, n)
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(n, e, bad); err != nil {
			return err
		}
	}
	return nil
}

// Check reads every entry whole and holds its columns against its fingerprint.
func (s *Store) Check(ctx context.Context) (*store.Checked, error) {
	var c store.Checked
	err := s.look(ctx, func(tx pgx.Tx) error {
		v := view{store: s, tx: tx}
		return v.each(ctx, func(number int64, e index.Entry, bad error) error {
			c.Entries++
			if bad == nil {
				bad = v.agrees(ctx, number, e)
			}
			if bad != nil {
				c.Bad = append(c.Bad, index.Bad{Number: number, Name: e.Name, Err: bad})
			}
			return nil
		})
	})
	return &c, err
}

// agrees tells whether the columns of an entry are those of its fingerprint.
func (v *view) agrees(ctx context.Context, number int64, e index.Entry) error {
	same := []string{"number = $1", "fingerprint = $2"}
	for i, c := range columns {
		same = append(same, fmt.Sprintf("%s IS NOT DISTINCT FROM $%d", c, i+3))
	}
	digest := e.Fingerprint.Digest()
	var ok bool
	err := v.tx.QueryRow(ctx, `SELECT EXISTS (SELECT 1 FROM weightprint.entries WHERE `+strings.Join(same, " AND ")+")", append([]any{number, digest[:]}, values(e.Fingerprint)...)...).Scan(&ok)
	if err == nil && !ok {
		err = fmt.Errorf("entry %d: %w: the summary is not that of the fingerprint", number, index.ErrCorrupt)
	}
	return err
}

// Save writes all entries to a new embedded index.
func (s *Store) Save(ctx context.Context, path string) error {
	dir, err := os.MkdirTemp("", "weightprint-save-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	all := filepath.Join(dir, "all")
	if err := s.look(ctx, func(tx pgx.Tx) error { return (&view{store: s, tx: tx}).save(ctx, all) }); err != nil {
		return err
	}
	return index.Merge(path, all)
}

func (v *view) save(ctx context.Context, path string) error {
	w, err := index.OpenWriter(path)
	if err != nil {
		return err
	}
	defer w.Close()
	var some []index.Entry
	flush := func() error {
		_, err := w.Add(some...)
		some = some[:0]
		return err
	}
	err = v.each(ctx, func(_ int64, e index.Entry, bad error) error {
		if bad != nil {
			return bad
		}
		if some = append(some, e); len(some) == together {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
