package index

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/weightprint/weightprint/internal/dense"
)

// Bad is a record that holds no entry that can be used.
type Bad struct {
	Number int64  // of the record, from 0
	Name   string // "" where the record itself cannot be read
	Err    error
}

// Check reads every entry whole and holds its summary against its details. It
// returns all records that are bad, by number.
func (x *Index) Check(ctx context.Context) ([]Bad, error) {
	if err := x.verify(); err != nil {
		return nil, err
	}
	parts := make([][]Bad, runtime.GOMAXPROCS(0))
	errs := make([]error, len(parts))
	dense.Parallel(len(parts), func(w int) {
		n := len(parts)
		for i := x.Len() * w / n; i < x.Len()*(w+1)/n; i++ {
			if errs[w] = ctx.Err(); errs[w] != nil {
				return
			}
			if name, err := x.checkEntry(x.Number(i)); err != nil {
				parts[w] = append(parts[w], Bad{x.Number(i), name, err})
			}
		}
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return byNumber(append(slices.Concat(parts...), x.Bad()...)), nil
}

func byNumber(all []Bad) []Bad {
	slices.SortFunc(all, func(a, b Bad) int { return int(a.Number - b.Number) })
	return all
}

func (x *Index) checkEntry(i int64) (name string, err error) {
	err = x.each(i, i+1, func(i int64, r *record, bad error) error {
		if bad != nil {
			return bad
		}
		name = r.name
		e, err := x.entry(r)
		if err != nil {
			return err
		}
		want := summarise(e)
		want.offset, want.size = r.offset, r.size
		if want != *r {
			return fmt.Errorf("%s: record %d: %w: the summary is not that of the details", x.path, i, ErrCorrupt)
		}
		return nil
	})
	return name, err
}
