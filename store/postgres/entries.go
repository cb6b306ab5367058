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

// row is one entry as it is stored.
type row struct {
	number int64
	entry  index.Entry
	bad    error // why the entry cannot be read
	same   bool  // the columns are those of the fingerprint
}

// each visits the entries of one state of the database in order. Those that
// cannot be read have an error instead of a fingerprint. Some hundred are read at a
// time: to ask for each alone takes many times as long.
func (v *view) each(ctx context.Context, visit func(r *row) error) error {
	after := int64(-1)
	for {
		page, err := v.page(ctx, after)
		if err != nil || len(page) == 0 {
			return err
		}
		for i := range page {
			if err := visit(&page[i]); err != nil {
				return err
			}
		}
		after = page[len(page)-1].number
	}
}

// page reads the entries that follow a number.
func (v *view) page(ctx context.Context, after int64) ([]row, error) {
	rows, err := v.tx.Query(ctx, `SELECT number, name, file, fingerprint, `+strings.Join(columns, ", ")+`
		FROM (SELECT * FROM weightprint.entries WHERE number > $1 ORDER BY number LIMIT $2) entries
		LEFT JOIN weightprint.fingerprints ON digest = fingerprint ORDER BY number`, after, together)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, v.read)
}

// read takes a row of a page. The columns are held against those of the fingerprint byte
// for byte as they come: there is more that a stored array can be than a slice.
func (v *view) read(c pgx.CollectableRow) (r row, err error) {
	var name, file, content []byte
	fields := c.FieldDescriptions()
	into := append(make([]any, 0, len(fields)), &r.number, &name, &file, nil, &content) // nil is not read
	const first = 3                                                                     // fingerprint, content and so on
	if err := c.Scan(into[:len(fields)]...); err != nil {
		return r, err
	}
	r.entry, r.bad = entryOf(r.number, name, content, file)
	if r.bad != nil {
		return r, nil
	}
	digest, raw, types := r.entry.Fingerprint.Digest(), c.RawValues(), v.tx.Conn().TypeMap()
	r.same = true
	for i, want := range append([]any{digest[:]}, values(r.entry.Fingerprint)...) {
		f := fields[first+i]
		b, err := types.Encode(f.DataTypeOID, f.Format, want, nil)
		if err != nil {
			return r, err
		}
		r.same = r.same && bytes.Equal(b, raw[first+i]) && (b == nil) == (raw[first+i] == nil)
	}
	return r, nil
}

// Check reads every entry whole and holds its columns against its fingerprint.
func (s *Store) Check(ctx context.Context) (*store.Checked, error) {
	var c store.Checked
	err := s.look(ctx, func(tx pgx.Tx) error {
		v := view{store: s, tx: tx}
		return v.each(ctx, func(r *row) error {
			c.Entries++
			if r.bad == nil && !r.same {
				r.bad = fmt.Errorf("entry %d: %w: the summary is not that of the fingerprint", r.number, index.ErrCorrupt)
			}
			if r.bad != nil {
				c.Bad = append(c.Bad, index.Bad{Number: r.number, Name: r.entry.Name, Err: r.bad})
			}
			return nil
		})
	})
	return &c, err
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
	err = v.each(ctx, func(r *row) error {
		if r.bad != nil {
			return r.bad
		}
		if some = append(some, r.entry); len(some) == together {
			return flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	return flush()
}
