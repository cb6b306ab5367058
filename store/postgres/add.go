package postgres

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/jackc/pgx/v5"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
)

// Add commits entries, all or none.
func (s *Store) Add(ctx context.Context, entries []index.Entry) (a index.Added, err error) {
	b, err := newBatch(entries)
	if err != nil || len(entries) == 0 {
		return a, err
	}
	err = s.change(ctx, func(tx pgx.Tx) error {
		a, err = b.commit(ctx, tx)
		return err
	})
	if err != nil {
		return index.Added{}, err
	}
	return a, nil
}

// batch is what one Add writes.
type batch struct {
	entries  []index.Entry
	contents []fingerprint.Digest
	files    [][]byte
	digests  []fingerprint.Digest // of the files
}

func newBatch(entries []index.Entry) (*batch, error) {
	b := &batch{entries: entries}
	for _, e := range entries {
		if e.Name == "" || len(e.Name) > index.MaxNameBytes {
			return nil, fmt.Errorf("%q: %w", e.Name, index.ErrName)
		}
		var file bytes.Buffer
		if _, err := e.Fingerprint.WriteTo(&file); err != nil { // readers would refuse it
			return nil, fmt.Errorf("%q: %w", e.Name, err)
		}
		b.files = append(b.files, file.Bytes())
		b.contents = append(b.contents, index.ContentOf(e.Fingerprint))
		b.digests = append(b.digests, e.Fingerprint.Digest())
	}
	return b, nil
}

// commit writes the entries that are not there yet.
func (b *batch) commit(ctx context.Context, tx pgx.Tx) (a index.Added, err error) {
	next, err := lockHead(ctx, tx)
	if err != nil {
		return a, err
	}
	known, first, err := b.there(ctx, tx)
	if err != nil {
		return a, err
	}
	var rows, files [][]any
	stored, err := b.stored(ctx, tx)
	if err != nil {
		return a, err
	}
	for i, e := range b.entries {
		key := string(b.contents[i][:]) + e.Name
		if known[key] {
			a.Known++
			continue
		}
		known[key] = true
		if of, copied := first[b.contents[i]]; !copied {
			first[b.contents[i]] = e.Name
		} else if e.Fingerprint.Complete {
			a.Copies = append(a.Copies, index.Copy{Name: e.Name, Of: of})
		}
		if !stored[b.digests[i]] {
			stored[b.digests[i]] = true
			files = append(files, []any{b.digests[i][:], b.files[i]})
		}
		rows = append(rows, append([]any{next + int64(a.New), []byte(e.Name), b.digests[i][:]}, values(e.Fingerprint)...))
		a.New++
	}
	if a.New == 0 {
		return a, nil
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"weightprint", "fingerprints"}, []string{"digest", "file"}, pgx.CopyFromRows(files)); err != nil {
		return a, err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"weightprint", "entries"}, append([]string{"number", "name", "fingerprint"}, columns...), pgx.CopyFromRows(rows)); err != nil {
		return a, err
	}
	return a, advance(ctx, tx, a.New)
}

// there lists the entries that share content with the batch: which keys are
// known, and the first name of each content.
func (b *batch) there(ctx context.Context, tx pgx.Tx) (known map[string]bool, first map[fingerprint.Digest]string, err error) {
	known, first = map[string]bool{}, map[fingerprint.Digest]string{}
	rows, err := tx.Query(ctx, `SELECT content, name FROM weightprint.entries WHERE content = ANY($1) ORDER BY number`, slicesOf(b.contents))
	if err != nil {
		return nil, nil, err
	}
	var content, name []byte
	_, err = pgx.ForEachRow(rows, []any{&content, &name}, func() error {
		known[string(content)+string(name)] = true
		if d := fingerprint.Digest(content); first[d] == "" {
			first[d] = string(name)
		}
		return nil
	})
	return known, first, err
}

// stored lists the fingerprint files of the batch that are there.
func (b *batch) stored(ctx context.Context, tx pgx.Tx) (map[fingerprint.Digest]bool, error) {
	out := map[fingerprint.Digest]bool{}
	rows, err := tx.Query(ctx, `SELECT digest FROM weightprint.fingerprints WHERE digest = ANY($1)`, slicesOf(b.digests))
	if err != nil {
		return nil, err
	}
	var digest []byte
	_, err = pgx.ForEachRow(rows, []any{&digest}, func() error {
		out[fingerprint.Digest(digest)] = true
		return nil
	})
	return out, err
}

func slicesOf(all []fingerprint.Digest) [][]byte {
	out := make([][]byte, len(all))
	for i := range all {
		out[i] = all[i][:]
	}
	return out
}

// Merge fills a store that never held anything, in one transaction. The
// embedded merge makes the order and the choice among equal keys.
func (s *Store) Merge(ctx context.Context, from []string) error {
	dir, err := os.MkdirTemp("", "weightprint-merge-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	merged := filepath.Join(dir, "merged")
	if err := index.Merge(merged, from...); err != nil {
		return err
	}
	x, err := index.Open(merged)
	if err != nil {
		return err
	}
	defer x.Close()
	return s.change(ctx, func(tx pgx.Tx) error {
		next, err := lockHead(ctx, tx)
		if err == nil && next > 0 {
			err = fmt.Errorf("the database holds entries: %w; a merge fills a new one", os.ErrExist)
		}
		if err != nil {
			return err
		}
		return copyAll(ctx, tx, x)
	})
}

// together is how many entries are in memory at a time.
const together = 256

func copyAll(ctx context.Context, tx pgx.Tx, x *index.Index) error {
	for first := 0; first < x.Len(); first += together {
		var some []index.Entry
		for i := first; i < min(first+together, x.Len()); i++ {
			e, err := x.Entry(i)
			if err != nil {
				return err
			}
			some = append(some, e)
		}
		b, err := newBatch(some)
		if err != nil {
			return err
		}
		if _, err := b.commit(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}
