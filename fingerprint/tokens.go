package fingerprint

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/untrained"
)

// Tokens holds the signs of products among embeddings that training left where
// the random initialisation put them. No permutation or rotation of the
// residual stream alters them, and no change to any other part of a network.
type Tokens struct {
	Vocabulary int      // rows of the embedding
	Rows       []int    // that were taken, ascending
	Signs      []uint64 // of the products of counted pairs of rows, a bit each; see Table
}

const (
	// tokenPairs is how many pairs of rows are published at most. Those count
	// whose numbers add up to a multiple of tokenThinning, whichever model they
	// are of.
	tokenPairs    = 1600
	tokenThinning = 3
	// shortest is how many rows are kept until it is known which are fit.
	shortest = 128
)

// tokenCounts are the numbers of rows that are tried: the first that training
// left untouched is taken.
var tokenCounts = [...]int{96, 64}

// tokenWords is how much is published of an embedding at most: signs, and the
// numbers of rows as steps from one to the next.
func tokenWords(vocabulary int) int {
	n := tokenCounts[0]
	steps := min(n+vocabulary/128, n*len(binary.AppendUvarint(nil, uint64(vocabulary))))
	return tokenPairs/32 + (steps+3)/4
}

// published lists the pairs of places in rows whose products are published, the
// later place first.
func published(rows []int) [][2]int {
	pairs := make([][2]int, 0, countPublished(rows))
	eachPublished(rows, func(_, j, i int) { pairs = append(pairs, [2]int{j, i}) })
	return pairs
}

// eachPublished visits these pairs with their numbers.
func eachPublished(rows []int, visit func(k, j, i int)) {
	var rest [tokenThinning][]int // places before the one at hand, by what their rows leave
	for r := range rest {
		rest[r] = make([]int, 0, len(rows))
	}
	k := 0
	for j, row := range rows {
		r := row % tokenThinning
		for _, i := range rest[(tokenThinning-r)%tokenThinning] {
			if k == tokenPairs {
				return
			}
			visit(k, j, i)
			k++
		}
		rest[r] = append(rest[r], j)
	}
}

// countPublished is the number of these pairs.
func countPublished(rows []int) (n int) {
	var rest [tokenThinning]int
	for _, row := range rows {
		r := row % tokenThinning
		n += rest[(tokenThinning-r)%tokenThinning]
		rest[r]++
	}
	return min(n, tokenPairs)
}

// Table spreads the signs out: 1 or −1 at [j·n+i] for rows number j and i < j of
// n, and 0 for pairs that were not published.
func (t *Tokens) Table() []int8 {
	n := len(t.Rows)
	out := make([]int8, n*n)
	eachPublished(t.Rows, func(k, j, i int) { out[j*n+i] = 2*int8(t.Signs[k/64]>>(k%64)&1) - 1 })
	return out
}

// shortRows is a sink that keeps the shortest rows of an embedding, those that
// training used least.
type shortRows struct {
	rows, d int
	limit   atomic.Uint64 // bits of the largest squared length that can still come in

	mu   sync.Mutex
	best []shortRow // different ones, by squared length, then by values
}

type shortRow struct {
	row      int
	square   float64
	repeated bool // stands in the embedding more than once
	values   []float32
}

// shortRowsOf returns the sink for a network, nil where none of its embeddings
// can be sketched.
func shortRowsOf(n *roles.Network, version int) *shortRows {
	t := n.Tower("main")
	if t == nil || t.Embedding == nil || !tokensFit(t.Embedding, version) {
		return nil
	}
	s := &shortRows{rows: t.Embedding.Rows, d: t.Embedding.Cols}
	s.limit.Store(math.Float64bits(math.Inf(1)))
	return s
}

// tokensFit tells whether an embedding has whole rows in order, and room for a
// sketch of tokens: beside that of the residual stream and the fewest probes
// that are made.
func tokensFit(e *roles.Matrix, version int) bool {
	d := int64(e.Cols)
	if version < 2 || e.Rows < 2*tokenCounts[0] || uint64(e.Rows) > limitVocabulary.most || e.Cols > leafMost || e.Transposed() || d != e.Tensor.Cols() || e.StoredAt(0) != 0 || e.StoredAt(e.Rows-1) != int64(e.Rows-1)*d {
		return false
	}
	left := besideResidual(e, version) - tokenWords(e.Rows)
	if e.Rows >= 2*residualTokens {
		left -= minSketched * probedLayers * probeWords
	}
	return left >= 0
}

// besideResidual is the room of an embedding without its Stats and the sketch of
// the residual stream.
func besideResidual(e *roles.Matrix, version int) int {
	room := unspent(e.Rows, e.Cols)
	if n := units(version, e.Cols, residualTokens, e.Rows); version == 1 || n >= minSketched && e.Rows >= 2*residualTokens {
		room -= n * SketchBits / 32
	}
	return room
}

// wants any values: all rows are measured.
func (s *shortRows) wants(_, _ int64) bool { return true }

// take measures the rows that stream by. A leaf holds whole rows.
func (s *shortRows) take(first int64, values []float32) {
	d := int64(s.d)
	for at := (d - first%d) % d; at+d <= int64(len(values)); at += d {
		row := values[at : at+d]
		square := squared(row)
		if square > 0 && square <= math.Float64frombits(s.limit.Load()) {
			s.offer(shortRow{row: int((first + at) / d), square: square, values: row})
		}
	}
}

// squared is the squared length of a row, added in four lanes.
func squared(row []float32) float64 {
	var a, b, c, d float64
	k := 0
	for ; k+4 <= len(row); k += 4 {
		w, x, y, z := float64(row[k]), float64(row[k+1]), float64(row[k+2]), float64(row[k+3])
		a += float64(w * w)
		b += float64(x * x)
		c += float64(y * y)
		d += float64(z * z)
	}
	for ; k < len(row); k++ {
		w := float64(row[k])
		a += float64(w * w)
	}
	return (a + b) + (c + d)
}

// offer keeps a row if it is among the shortest of different values. Which rows
// are kept in the end, and which of these stand more than once, does not depend
// on the order in which they come: values among the shortest of all are so among
// those that came before, and stay once they are kept.
func (s *shortRows) offer(r shortRow) {
	if !dense.Varies(r.values) || tabular(r.values) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := slices.BinarySearchFunc(s.best, r, func(x, y shortRow) int {
		return cmp.Or(cmp.Compare(x.square, y.square), slices.Compare(x.values, y.values))
	})
	switch {
	case known:
		s.best[at].repeated = true
		return
	case at == shortest:
		return
	}
	r.values = slices.Clone(r.values)
	s.best = slices.Insert(s.best, at, r)
	if len(s.best) > shortest {
		s.best = s.best[:shortest]
	}
	if len(s.best) == shortest {
		s.limit.Store(math.Float64bits(s.best[shortest-1].square))
	}
}

// sketch returns the signs, or nil where training touched the rows.
func (s *shortRows) sketch() *Tokens {
	fit := slices.DeleteFunc(slices.Clone(s.best), func(r shortRow) bool { return r.repeated })
	for _, n := range tokenCounts {
		if len(fit) < n {
			continue
		}
		some := slices.Clone(fit[:n])
		slices.SortFunc(some, func(a, b shortRow) int { return cmp.Compare(a.row, b.row) })
		t := &Tokens{Vocabulary: s.rows}
		var x []float32
		for _, r := range some {
			t.Rows = append(t.Rows, r.row)
			x = append(x, r.values...)
		}
		cosines := untrained.Cosines(x, n, s.d)
		if untrained.Why(x, cosines, n, s.d) != "" {
			continue
		}
		pairs := published(t.Rows)
		t.Signs = make([]uint64, (len(pairs)+63)/64)
		for k, p := range pairs {
			if cosines[p[0]*n+p[1]] > 0 {
				t.Signs[k/64] |= 1 << (k % 64)
			}
		}
		return t
	}
	return nil
}
