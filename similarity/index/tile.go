package index

import "context"

// tile is some blocks of rows against a block of columns.
type tile struct {
	x       *Index
	rows    []*rows
	columns *records
	column  int64 // number of the first record of the columns
	begun   bool  // whether the columns' records are at hand
	space   keySpace
	far     apart
	entries map[int64]Entry
}

// rows is a block of rows, and what was found in the blocks of columns so far.
type rows struct {
	first   int64 // number of the first record
	queries []*asked
	sought  []*sought // nil for rows that are not asked for
	records *records
	near    [blockSize][]int64
}

// begin turns to so many blocks of rows from k on, of which [first, last) are asked for.
func (t *tile) begin(k, together, first, last int64) error {
	clear(t.entries)
	end := min(k+together, (last+blockSize-1)/blockSize)
	for len(t.rows) < int(end-k) {
		t.rows = append(t.rows, &rows{records: newRecords(t.x)})
	}
	t.rows = t.rows[:end-k]
	for i, r := range t.rows {
		if err := t.beginRows(r, k+int64(i), first, last); err != nil {
			return err
		}
	}
	return nil
}

// beginRows turns to one of them.
func (t *tile) beginRows(r *rows, k, first, last int64) error {
	own, err := t.x.block(k, &t.space)
	if err != nil {
		return err
	}
	r.first, r.queries, r.sought = k*blockSize, nil, nil
	for i := range own.n {
		key, number := own.key(i), r.first+int64(i)
		a := askedOf(key[:])
		var s *sought
		if number >= first && number < last && t.x.testable(own.flags(i), number) {
			s = seek(a)
			s.within(keyLimits)
		}
		r.queries, r.sought = append(r.queries, a), append(r.sought, s)
	}
	for i := range r.near {
		r.near[i] = r.near[i][:0]
	}
	return r.records.begin(k, blockSize)
}

// find notes the pairs with a block of columns whose keys and summaries are near.
func (t *tile) find(j int64) error {
	columns, err := t.x.block(j, &t.space)
	if err != nil {
		return err
	}
	t.column, t.begun = j*blockSize, false
	for _, r := range t.rows {
		if r.first > t.column {
			break
		}
		for i, s := range r.sought {
			if s == nil {
				continue
			}
			columns.compare(r.queries[i], s, &t.far)
			if err := t.findRow(r, i, columns); err != nil {
				return err
			}
		}
	}
	return nil
}

// findRow notes those of a row, whose distances are at hand.
func (t *tile) findRow(r *rows, i int, columns *block) error {
	for c := max(0, r.first+int64(i)+1-t.column); c < int64(columns.n); c++ {
		if t.far.hits[c/8] == 0 {
			c |= 7
			continue
		}
		if !t.far.hit(int(c)) || !t.nearKey(r.queries[i], columns, int(c)) || !t.x.testable(columns.flags(int(c)), t.column+c) {
			continue
		}
		if !t.begun {
			if err := t.columns.begin(t.column/blockSize, blockSize); err != nil {
				return err
			}
			t.begun = true
		}
		if err := t.ask(r, i, t.column+c); err != nil {
			return err
		}
	}
	return nil
}

// nearKey tells whether the key of a row is near that of a column.
func (t *tile) nearKey(row *asked, columns *block, c int) bool {
	limits, far := keyLimits, t.far.distances(c)
	if far[tokens] <= limits[tokens] {
		other := columns.tokens(c)
		limits[tokens] = tokenLimit(limits[tokens], keyTokenDeviations, row.tokens[:], other[:])
	}
	return within(far, limits)
}

// ask asks the summaries of a row and a column, and notes a pair that is to be tested.
func (t *tile) ask(r *rows, i int, b int64) error {
	of, err := r.records.need(r.first + int64(i))
	if err != nil {
		return err
	}
	other, err := t.columns.need(b)
	if err == nil && nearSummary(of, other) {
		r.near[i] = append(r.near[i], b)
	}
	return err
}

// test tests what was found.
func (t *tile) test(ctx context.Context, visit func(Pair) error) error {
	for _, r := range t.rows {
		for i, near := range r.near {
			for _, b := range near {
				if err := t.testPair(ctx, r.first+int64(i), b, visit); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (t *tile) testPair(ctx context.Context, a, b int64, visit func(Pair) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	ea, err := t.entry(ctx, a)
	if err != nil {
		return err
	}
	eb, err := t.entry(ctx, b)
	if err != nil {
		return err
	}
	return visit(pairOf(a, b, ea, eb))
}

// entriesHeld is how many entries of a row of blocks are held in memory.
const entriesHeld = 256

func (t *tile) entry(ctx context.Context, number int64) (Entry, error) {
	if e, ok := t.entries[number]; ok {
		return e, nil
	}
	if len(t.entries) >= entriesHeld {
		clear(t.entries)
	}
	e, err := t.x.At(ctx, number)
	if err == nil {
		t.entries[number] = e
	}
	return e, err
}
