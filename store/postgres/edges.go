package postgres

import (
	"bytes"
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/weightprint/weightprint/fingerprint"
)

// Edge is a relation that was found between two contents.
type Edge struct {
	A, B     fingerprint.Digest // of contents; A is the smaller
	Relation string
	Log10P   *float64        // nil where no exact test gave one
	Evidence json.RawMessage // as reports have it
}

// PutEdges writes edges, in place of what was known of the same pairs.
func (s *Store) PutEdges(ctx context.Context, edges []Edge) error {
	return s.change(ctx, func(tx pgx.Tx) error {
		var b pgx.Batch
		for _, e := range edges {
			if bytes.Compare(e.A[:], e.B[:]) > 0 {
				e.A, e.B = e.B, e.A
			}
			b.Queue(`INSERT INTO weightprint.edges VALUES ($1, $2, $3, $4, $5) ON CONFLICT (a, b) DO UPDATE SET relation = excluded.relation, log10p = excluded.log10p, evidence = excluded.evidence`,
				e.A[:], e.B[:], e.Relation, e.Log10P, e.Evidence)
		}
		return tx.SendBatch(ctx, &b).Close()
	})
}

// EdgesOf lists the relations of one content, in the order of both digests.
func (s *Store) EdgesOf(ctx context.Context, content fingerprint.Digest) ([]Edge, error) {
	rows, err := s.pool.Query(ctx, `SELECT a, b, relation, log10p, evidence FROM weightprint.edges WHERE a = $1 OR b = $1 ORDER BY a, b`, content[:])
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(r pgx.CollectableRow) (e Edge, err error) {
		var a, b []byte
		if err = r.Scan(&a, &b, &e.Relation, &e.Log10P, &e.Evidence); err == nil {
			e.A, e.B = fingerprint.Digest(a), fingerprint.Digest(b)
		}
		return e, err
	})
}
