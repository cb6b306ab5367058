package align

// The budget is a number of bytes that may be read of each subject. What is
// read is booked here first, for the dearer of the two sides.

// Reserve is how many of n things that cost each so many bytes the budget
// still allows to read, and books them.
func (p *Pair) Reserve(each int64, n int) int {
	if p.Budget > 0 && each > 0 {
		n = int(min(int64(n), max(0, (p.Budget-p.spent)/each)))
	}
	p.spent += int64(n) * each
	return n
}

// Book adds bytes to what was read, whatever the budget.
func (p *Pair) Book(bytes int64) { p.spent += bytes }

// BookOnce books the bytes of something that is read again from memory, or
// from the cache of a server, when it is asked for a second time.
func (p *Pair) BookOnce(what string, bytes int64) {
	if !p.booked[what] {
		p.booked[what] = true
		p.Book(bytes)
	}
}

// Fits tells whether so many bytes are within a percentage of what the budget
// leaves.
func (p *Pair) Fits(bytes int64, percent int) bool {
	return p.Budget <= 0 || bytes <= (p.Budget-p.spent)*int64(percent)/100
}

// VectorsWithin drops the vectors of a matching that the budget does not allow to
// read any more, and books the others. It returns how many it dropped.
func (p *Pair) VectorsWithin(m *Matching) (dropped int) {
	kept := m.Vectors[:0]
	for _, v := range m.Vectors {
		if each := max(v.A.Tensor.StoredBytes(), v.B.Tensor.StoredBytes()); each == 0 || p.Reserve(each, 1) > 0 {
			kept = append(kept, v)
		} else {
			dropped++
		}
	}
	m.Vectors = kept
	return dropped
}

// RowsWithin is how many rows of every matrix of a matching the budget still
// allows to read, at least 1 and at most 16, and books them.
func (p *Pair) RowsWithin(m *Matching) int {
	var perRow int64
	for _, x := range m.Matrices {
		perRow += max(x.A.Cost(1), x.B.Cost(1))
	}
	rows := 16
	if p.Budget > 0 && perRow > 0 {
		rows = int(min(16, max(1, (p.Budget-p.spent)*9/10/perRow)))
	}
	p.spent += int64(rows) * perRow
	return rows
}

// Spread picks k of n positions, evenly.
func Spread(n, k int) []int {
	if k >= n {
		k = n
	}
	out := make([]int, k)
	for i := range out {
		out[i] = (2*i + 1) * n / (2 * k)
	}
	return out
}
