package index

import (
	"maps"
	"runtime"
	"slices"
	"sort"

	"github.com/weightprint/weightprint/internal/dense"
)

// contents tell the records that are entries from those that are none.
type contents struct {
	bad         []Bad // records that cannot be read, as far as is known
	dead        map[int64]struct{}
	deadSorted  []int64 // records that are no entries: bad, removed, and notes of removals
	quarantined int
}

// sorted is what a look at some of the records found.
type sorted struct {
	bad         []Bad
	removals    []int64 // records that note a removal
	removed     []int64 // records that are removed
	quarantined []int64
	counted     int // further quarantined ones, of unknown numbers
	err         error
}

func (s *sorted) look(i int64, r *record, bad error) error {
	switch {
	case bad != nil:
		s.bad = append(s.bad, Bad{i, "", bad})
	case r.flags&flagRemoval != 0:
		s.removals, s.removed = append(s.removals, i), append(s.removed, r.offset)
	case r.flags&flagQuarantined != 0:
		s.quarantined = append(s.quarantined, i)
	}
	return nil
}

// sum puts looks together.
func sum(parts ...sorted) (*contents, error) {
	c := &contents{dead: map[int64]struct{}{}}
	for _, p := range parts {
		if p.err != nil {
			return nil, p.err
		}
		c.bad = append(c.bad, p.bad...)
		c.quarantined += p.counted
		for _, i := range slices.Concat(p.removals, p.removed) {
			c.dead[i] = struct{}{}
		}
	}
	c.bad = slices.DeleteFunc(c.bad, func(b Bad) bool { _, gone := c.dead[b.Number]; return gone })
	for _, b := range c.bad {
		c.dead[b.Number] = struct{}{}
	}
	for _, p := range parts {
		for _, i := range p.quarantined {
			if _, gone := c.dead[i]; !gone {
				c.quarantined++
			}
		}
	}
	c.deadSorted = slices.Sorted(maps.Keys(c.dead))
	return c, nil
}

// number is that of the record which holds an entry.
func (c *contents) number(entry int64) int64 {
	before := sort.Search(len(c.deadSorted), func(i int) bool { return c.deadSorted[i]-int64(i) > entry })
	return entry + int64(before)
}

// sort verifies every record, on all processors, and tells entries from what
// is none.
func (x *Index) sort() (*contents, error) {
	parts := make([]sorted, runtime.GOMAXPROCS(0))
	n := int64(len(parts))
	dense.Parallel(len(parts), func(w int) {
		parts[w].err = x.each(x.count*int64(w)/n, x.count*int64(w+1)/n, parts[w].look)
	})
	return sum(parts...)
}

// fromColumn does so by the heads of the column, without a look at most of the
// records.
func (x *Index) fromColumn() (*contents, error) {
	var s sorted
	buf := make([]byte, blockSize*keyBytes)
	for k, h := range x.column.heads {
		s.counted += int(h.quarantined)
		if h.removals+h.bad == 0 {
			continue
		}
		keys, ok := x.column.keys(int64(k), buf)
		if !ok {
			return x.sort()
		}
		for i := range int64(blockSize) {
			if le.Uint16(keys[i*keyBytes+atFlags:])&(keyRemoval|keyBad) != 0 {
				n := int64(k)*blockSize + i
				if s.err = x.each(n, n+1, s.look); s.err != nil {
					return nil, s.err
				}
			}
		}
	}
	whole := int64(len(x.column.heads)) * blockSize
	if s.err = x.each(whole, x.count, s.look); s.err != nil {
		return nil, s.err
	}
	removed := map[int64]struct{}{}
	for _, i := range s.removed { // they are among the counted, once
		if _, again := removed[i]; i >= whole || again {
			continue
		}
		removed[i] = struct{}{}
		var r sorted
		if s.err = x.each(i, i+1, r.look); s.err != nil {
			return nil, s.err
		}
		s.counted -= len(r.quarantined)
	}
	return sum(s)
}

// verify reads every record, if that was not done yet.
func (x *Index) verify() error {
	x.verifying.Lock()
	defer x.verifying.Unlock()
	if x.verified {
		return nil
	}
	c, err := x.sort()
	if err == nil {
		x.contents.Store(c)
		x.verified = true
	}
	return err
}
