package postgres

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Search finds the entries that share an origin with a fingerprint, as the
// embedded index does.
func (s *Store) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (found *index.Found, err error) {
	err = s.look(ctx, func(tx pgx.Tx) error {
		v := view{store: s, tx: tx}
		if err := tx.QueryRow(ctx, `SELECT count(*), count(*) FILTER (WHERE quarantined) FROM weightprint.entries`).Scan(&v.entries, &v.quarantined); err != nil {
			return err
		}
		found, err = index.SearchIn(ctx, &v, f, top, level)
		return err
	})
	return found, err
}

// view is one state of the database.
type view struct {
	store                *Store
	mu                   sync.Mutex // a transaction has one connection
	tx                   pgx.Tx
	entries, quarantined int
}

func (v *view) Len() int         { return v.entries }
func (v *view) Quarantined() int { return v.quarantined }
func (v *view) Bad() []index.Bad { return nil } // what is wrong with an entry shows when it is read

// At reads one entry.
func (v *view) At(ctx context.Context, number int64) (e index.Entry, err error) {
	var name, content, file []byte
	v.mu.Lock()
	err = v.tx.QueryRow(ctx, `SELECT name, content, file FROM weightprint.entries JOIN weightprint.fingerprints ON digest = fingerprint WHERE number = $1`, number).Scan(&name, &content, &file)
	v.mu.Unlock()
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", number, err)
	}
	return entryOf(number, name, content, file)
}

// entryOf reads the parts of an entry; its name also with an error.
func entryOf(number int64, name, content, file []byte) (e index.Entry, err error) {
	e.Name = string(name)
	f, err := fingerprint.Decode(file)
	if err != nil {
		return e, fmt.Errorf("entry %d: %w", number, err)
	}
	if c := index.ContentOf(f); string(content) != string(c[:]) {
		return e, fmt.Errorf("entry %d: %w: the fingerprint is of another model", number, index.ErrCorrupt)
	}
	e.Fingerprint = f
	return e, nil
}

// Nearest asks for the entries of equal content, and by each kind of summary for
// the nearest.
func (v *view) Nearest(ctx context.Context, f *fingerprint.Fingerprint, keep int) ([]int64, error) {
	parts := []string{fmt.Sprintf("(SELECT number FROM weightprint.entries WHERE content = $1 ORDER BY number LIMIT %d)", keep)}
	keys := v.store.keyDistances()
	for i, d := range v.store.distances() {
		parts = append(parts, fmt.Sprintf(`(SELECT number FROM
			(SELECT * FROM weightprint.entries WHERE NOT quarantined ORDER BY %s NULLS LAST, number LIMIT %d) screened
			ORDER BY %s NULLS LAST, number LIMIT %d)`, keys[i], index.Screened, d, keep))
	}
	all := values(f)
	arguments := append([]any{all[0]}, all[2:]...) // $2 on: length
	rows, err := v.tx.Query(ctx, strings.Join(parts, " UNION ")+" ORDER BY number", arguments...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[int64])
}

// keyDistances are the SQL of the distances of index's keys, the first parts of the
// same bits.
func (s *Store) keyDistances() [4]string {
	var units, found []string
	first := func(what string, bits int) string { return fmt.Sprintf("substring(%s from 1 for %d)", what, bits) }
	for i := range 3 {
		for j := range 3 {
			units = append(units, s.apart(first(fmt.Sprintf("units%d", i), 384), first(fmt.Sprintf("$%d::bit(1024)", 5+j), 384)))
		}
	}
	for i := range 2 {
		for j := range 2 {
			found = append(found, commonKeyPlaces(i, 9+j, 11+j))
		}
	}
	tokens := func(what string) string {
		return fmt.Sprintf("nullif(%s, repeat('0', 256)::bit(256))", first(what, 256))
	}
	return [4]string{
		fmt.Sprintf("CASE WHEN length = $2 AND dim = $3 AND $2::bigint > 0 THEN least(%s) END", strings.Join(units, ", ")),
		fmt.Sprintf("CASE WHEN hidden = $4 AND $4::bigint > 0 THEN %s END", s.apart(first("residual", 128), first("$8::bit(1024)", 128))),
		fmt.Sprintf("-greatest(%s)", strings.Join(found, ", ")),
		s.apart(tokens("tokens"), tokens("$13::bit(512)")),
	}
}

// commonKeyPlaces counts as commonPlaces does, over 8 places modulo 255 and the low
// 16 bits of profiles.
func commonKeyPlaces(of, places, profiles int) string {
	var terms []string
	for t := 1; t <= 8; t++ {
		own, asked := fmt.Sprintf("places%d[%d]", of, t), fmt.Sprintf("($%d::int[])[%d]", places, t)
		terms = append(terms, fmt.Sprintf("(%s <> %d AND %s <> %d AND %s %% 255 = %s %% 255)::int", own, index.NoPlace, asked, index.NoPlace, own, asked))
		own, asked = fmt.Sprintf("(profiles%d[%d] & 65535)", of, t), fmt.Sprintf("(($%d::bigint[])[%d] & 65535)", profiles, t)
		differ := fmt.Sprintf("bit_count((%s # %s)::bit(16))", own, asked)
		terms = append(terms, fmt.Sprintf("(CASE WHEN %s <> 0 AND %s <> 0 AND least(%s, 16 - %s) <= %d THEN 2 ELSE 0 END)", own, asked, differ, differ, index.NearKeyProfile))
	}
	return strings.Join(terms, " + ")
}

// distances are the SQL of index.Summary's four distances to the query, null where
// there is none. The query's values are the arguments $2 to $13, in the order of
// columns.
func (s *Store) distances() [4]string {
	var units, found []string
	for i := range 3 {
		for j := range 3 {
			units = append(units, s.apart(fmt.Sprintf("units%d", i), fmt.Sprintf("$%d::bit(1024)", 5+j)))
		}
	}
	for i := range 2 {
		for j := range 2 {
			found = append(found, commonPlaces(i, 9+j, 11+j))
		}
	}
	return [4]string{
		fmt.Sprintf("CASE WHEN length = $2 AND dim = $3 AND $2::bigint > 0 THEN least(%s) END", strings.Join(units, ", ")),
		fmt.Sprintf("CASE WHEN hidden = $4 AND $4::bigint > 0 THEN %s END", s.apart("residual", "$8::bit(1024)")),
		fmt.Sprintf("-greatest(%s)", strings.Join(found, ", ")),
		s.apart("tokens", "$13::bit(512)"),
	}
}

// commonPlaces counts the tokens that find a unit at the same place, and twice
// those whose profiles are alike.
func commonPlaces(of, places, profiles int) string {
	var terms []string
	for t := 1; t <= 16; t++ {
		terms = append(terms, fmt.Sprintf("((places%d[%d] = nullif(($%d::int[])[%d], %d)) IS TRUE)::int", of, t, places, t, index.NoPlace))
	}
	for t := 1; t <= 8; t++ {
		own, asked := fmt.Sprintf("profiles%d[%d]", of, t), fmt.Sprintf("($%d::bigint[])[%d]", profiles, t)
		differ := fmt.Sprintf("bit_count((%s # %s)::bit(64))", own, asked)
		terms = append(terms, fmt.Sprintf("(CASE WHEN %s <> 0 AND %s <> 0 AND least(%s, 64 - %s) <= %d THEN 2 ELSE 0 END)", own, asked, differ, differ, sketches.NearProfile))
	}
	return strings.Join(terms, " + ")
}
