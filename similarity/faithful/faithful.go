package faithful

import (
	"cmp"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
)

// Grade is what one block was found to be.
type Grade int

// The grades, from best to worst.
const (
	Exact     Grade = iota // byte for byte what the rule gives
	Rounding               // what the rule gives when sums round otherwise
	Reachable              // what the search can come to, with importance that nobody shows
	Open                   // the type is not determined by its rounding
	Deviates               // neither
	grades
)

var gradeNames = [grades]string{"exact", "rounding", "reachable", "open", "deviates"}

// String returns the name that stands in reports.
func (g Grade) String() string { return gradeNames[g] }

// Mode says which rule a tensor was held against.
type Mode string

// The modes.
const (
	Alone    Mode = "alone"    // nothing but the values enters
	Given    Mode = "given"    // the importance of columns was given
	Searched Mode = "searched" // the scales follow from something that was not given
	Cast     Mode = "cast"     // values are stored as numbers, rounded one by one
	Cells    Mode = "cells"    // each value must lie in the cell of its code
	Ruled    Mode = "ruled"    // likewise, and the scales must be what a rule gives
	None     Mode = "none"     // the type is not determined by its rounding
)

// Deviation is a block that the quantiser does not make of the source.
type Deviation struct {
	Row   int     // of the matrix
	Block int     // of the row
	Col   int     // of the value that deviates most, in the row
	Count int     // values of the block that deviate by themselves; 0 where only the block as a whole does
	Steps float64 // how far that value lies from the nearest one allowed, in steps of the code
	What  string  // which rule is broken
}

// before orders deviations by their place.
func before(a, b Deviation) int {
	return cmp.Or(cmp.Compare(a.Row, b.Row), cmp.Compare(a.Block, b.Block))
}

// Tensor is what was found of one tensor.
type Tensor struct {
	Type       string
	Mode       Mode
	Through    string // type that the source's values were rounded to first, "" for none
	Scales     string // the rule of scales that lie apart from the codes, "" for none
	Rows, Cols int
	Blocks     [grades]int64
	Values     int64       // values of deviating blocks that deviate by themselves
	Largest    float64     // Steps of the largest deviation
	Deviations []Deviation // the first ones, by place
	Why        string      // what leaves a tensor open

	soft   int64         // deviating blocks that the search of the type can come to, or of codes alone
	softAt map[int]int64 // the same by their place in the row, for types that importance may enter
	near   int64         // deviating blocks with values just outside their cells, and none further
	nearly []Deviation   // these
	scaled int64         // deviating blocks whose scale is not the one of the rule
	void   int64         // blocks whose scales are zero, as the rule has it: all codes mean the same
	moved  int64         // of these, and of others, those with values outside their cells
	kept   int64         // blocks without error, as of a source on the lattice of the type: they tell nothing of importance
	plain  int64         // blocks that follow from the values alone and are not all zeros
	asked  int64         // blocks that are not all zeros
}

// ownShare is the share of the rows in which the blocks of some columns must be what a
// search can come to, and not what the rule gives, for importance of these columns
// alone to explain it. Importance that all but vanishes over a run leaves what the rule
// gives in most rows, and in the others what sums lose.
const ownShare = 0.05

// few is how many blocks of a tensor may differ from what a build of the quantiser
// that rounds sums otherwise gives, without telling anything: some are not found
// again by moving the values a little (one in 30,000 of a build with fused products).
func few(total int64) int64 { return 2 + total/1000 }

// settle leaves open what deviates in so few blocks, and so little, that another
// build explains it. The blocks stay named.
func (t *Tensor) settle() {
	t.settleColumns()
	t.settleLattice()
	if n := t.Blocks[Deviates]; n > 0 && n == t.soft && n <= few(t.Total()) {
		t.Blocks[Deviates], t.Blocks[Open] = 0, t.Blocks[Open]+n
		t.Why = "some blocks are not what the rule gives but what its search can come to: so few may be another build's rounding"
	}
}

// settleColumns leaves open what deviates in the same columns of many rows, and what a
// search can come to: a matrix may have importance in a few columns only. The blocks
// stay named.
func (t *Tensor) settleColumns() {
	least := max(2, int64(math.Ceil(ownShare*float64(t.Rows))))
	for _, n := range t.softAt {
		if n >= least {
			t.soft -= n
			t.Blocks[Deviates], t.Blocks[Open] = t.Blocks[Deviates]-n, t.Blocks[Open]+n
			t.Why = "some columns are, in many rows, not what the rule gives but what its search can come to: importance of these columns alone would do that"
		}
	}
}

// settleLattice leaves open what a search can come to where most blocks have no error at
// all: the source lay on the lattice of the type already, so that most blocks are what the
// rule gives whatever the importance was. The blocks stay named.
func (t *Tensor) settleLattice() {
	if t.soft > 0 && t.Blocks[Deviates] > 0 && float64(t.kept) > majority*float64(t.Total()) {
		t.Blocks[Deviates], t.Blocks[Open], t.soft = t.Blocks[Deviates]-t.soft, t.Blocks[Open]+t.soft, 0
		t.Why = "the source lies on the lattice of the type, so most blocks come out alike with any importance; some others are not what the rule gives but what its search can come to"
	}
}

// Total is the number of blocks.
func (t *Tensor) Total() (n int64) {
	for _, b := range t.Blocks {
		n += b
	}
	return n
}

// Grade is the worst that a block of the tensor was found to be; rounding counts
// as reachable.
func (t *Tensor) Grade() Grade {
	worst := Exact
	for g, n := range t.Blocks {
		if n > 0 {
			worst = max(worst, Grade(g))
		}
	}
	if worst == Rounding {
		return Reachable
	}
	return worst
}

// Pair is a quantised matrix and the one that it is said to be made from, in the
// same order of rows.
type Pair struct {
	Quantised, Source *roles.Matrix
	// Importance is that of each column, nil where none is given. Stacked
	// matrices have one list each.
	Importance []float32
}

// Options bounds the work and what is kept of it.
type Options struct {
	Workers int // rows are judged by so many at once; 0 = one for each processor
	Named   int // deviations that are kept of each tensor; 0 = 20
}

// keep adds a deviation to those that are kept.
func (t *Tensor) keep(d Deviation, named int) {
	t.Values += int64(d.Count)
	t.Largest = max(t.Largest, d.Steps)
	if len(t.Deviations) < named {
		t.Deviations = append(t.Deviations, d)
	}
}

// merge adds what was found in other rows.
func (t *Tensor) merge(o *Tensor, named int) {
	for g := range t.Blocks {
		t.Blocks[g] += o.Blocks[g]
	}
	t.Values += o.Values
	t.soft += o.soft
	t.near += o.near
	t.scaled += o.scaled
	t.moved += o.moved
	t.void += o.void
	t.nearly = append(t.nearly, o.nearly...)
	slices.SortFunc(t.nearly, before)
	t.nearly = t.nearly[:min(len(t.nearly), named)]
	t.plain += o.plain
	t.kept += o.kept
	t.asked += o.asked
	for at, n := range o.softAt {
		if t.softAt == nil {
			t.softAt = map[int]int64{}
		}
		t.softAt[at] += n
	}
	if t.Why == "" {
		t.Why = o.Why
	}
	t.Largest = max(t.Largest, o.Largest)
	t.Deviations = append(t.Deviations, o.Deviations...)
	slices.SortFunc(t.Deviations, before)
	t.Deviations = t.Deviations[:min(len(t.Deviations), named)]
}
