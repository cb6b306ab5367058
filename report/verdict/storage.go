package verdict

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Storage sums up how tensors in the same role hold their values.
type Storage struct {
	Changes  []delta.Change
	Shapes   []string // roles whose shapes differ
	OnlyA    []string // roles without a counterpart, names where there is no known role
	OnlyB    []string
	Lone     []string // all of these by the names in the files, those of A first
	Complete bool     // every value of both subjects was compared
	Renamed  bool     // names, shapes, shards or container differ
	Values   float64  // of the larger subject, read or not
	InOrder  bool     // every layer of either subject is held against the one at its own place
}

// Same tells whether all tensors hold the same values up to storage.
func (s *Storage) Same() bool {
	if len(s.Changes) == 0 || len(s.Shapes) > 0 || len(s.OnlyA) > 0 || len(s.OnlyB) > 0 {
		return false
	}
	forthAll, backAll := true, true
	for i := range s.Changes {
		st, forth := s.Changes[i].Storage()
		switch st {
		case delta.Different:
			return false
		case delta.Cast, delta.Quantised:
			forthAll, backAll = forthAll && forth, backAll && !forth
		}
	}
	return forthAll || backAll
}

// read adds what conversions that lose something suggest of who came first.
func (s *Storage) read(v *Verdict) {
	for _, t := range s.Types() {
		kind := CastKind
		if t.Storage == string(delta.Quantised) {
			kind = QuantisedKind
		}
		side := 0
		if t.Of == Side(1) {
			side = 1
		}
		v.suggest(marksChild(side), reverses[kind], fmt.Sprintf("%d tensors of %s are rounded to %v", t.Tensors, t.Of, t.Type))
	}
}

// Kinds lists what was done to the storage.
func (s *Storage) Kinds() []Kind {
	var cast, quantised bool
	for i := range s.Changes {
		switch st, _ := s.Changes[i].Storage(); {
		case st == delta.Quantised:
			quantised = true
		case st == delta.Cast, s.Changes[i].A != s.Changes[i].B:
			cast = true
		}
	}
	kinds := []Kind{}
	if s.Renamed {
		kinds = append(kinds, Repackaged)
	}
	// A quantised export keeps its small tensors in other types; that is
	// part of quantising, not a cast of its own.
	if cast && !quantised {
		kinds = append(kinds, CastKind)
	}
	if quantised {
		kinds = append(kinds, QuantisedKind)
	}
	return kinds
}

// Types groups the changes by the type of the side that was made.
func (s *Storage) Types() []TypeChange {
	var out []TypeChange
	for i := range s.Changes {
		c := &s.Changes[i]
		st, forth := c.Storage()
		if st != delta.Cast && st != delta.Quantised {
			continue
		}
		of, side := "A", 1
		if forth {
			of, side = "B", 0
		}
		at := -1
		for k := range out {
			if out[k].Of == of && out[k].Type == c.Type(forth) && out[k].Storage == string(st) {
				at = k
			}
		}
		if at < 0 {
			at = len(out)
			out = append(out, TypeChange{Of: of, Type: c.Type(forth), Storage: string(st), Within: 1})
		}
		out[at].Tensors++
		if st == delta.Cast && c.Complete || c.Exact(forth) {
			out[at].Exact++
		}
		if n := c.Stats.Lattice[side]; n > 0 {
			out[at].Within = min(out[at].Within, Number(float64(c.Stats.Within[side])/float64(n)))
		}
	}
	return out
}

// words says what was found equal.
func (s *Storage) words() []string {
	read := "all values were compared"
	if !s.Complete {
		read = "no difference in what was read"
	}
	equal := 0
	for i := range s.Changes {
		if st, _ := s.Changes[i].Storage(); st == delta.Equal {
			equal++
		}
	}
	out := []string{fmt.Sprintf("%d of %d tensors hold equal values; %s", equal, len(s.Changes), read)}
	for _, t := range s.Types() {
		what := fmt.Sprintf("%d tensors of %s are those of the other side rounded to %v", t.Tensors, t.Of, t.Type)
		if t.Storage == string(delta.Quantised) {
			what = fmt.Sprintf("%d tensors of %s are those of the other side quantised as %v: within half a step on %s's own lattice", t.Tensors, t.Of, t.Type, t.Of)
			if t.Exact == t.Tensors {
				what += fmt.Sprintf(", byte for byte what %v gives", t.Type)
			} else if t.Exact > 0 {
				what += fmt.Sprintf(", %d of them byte for byte what %v gives", t.Exact, t.Type)
			}
		}
		out = append(out, what)
	}
	return out
}

// compared is the number of values of each side that were compared.
func (s *Storage) compared() (n float64) {
	for i := range s.Changes {
		n += float64(s.Changes[i].Stats.N)
	}
	return n
}

// TypeChange says that tensors of one stored type are a cast or quantisation
// of the other side's.
type TypeChange struct {
	Of      string       `json:"of"` // "A" or "B": the side that was made
	Type    tensor.DType `json:"type"`
	Storage string       `json:"storage"` // "cast" or "quantised"
	Tensors int          `json:"tensors"`
	Exact   int          `json:"exact"`  // tensors that are byte for byte what the type's reference rule gives
	Within  Number       `json:"within"` // share of values within half a step
}
