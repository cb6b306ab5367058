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
	OnlyA    []string
	OnlyB    []string
	Complete bool // every value of both subjects was compared
	Renamed  bool // names, shards or container differ
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

// direction is that of the conversions that lose something: rounding and
// quantisation cannot be undone.
func (s *Storage) direction() Direction {
	v := Verdict{Direction: Undetermined}
	for i := range s.Changes {
		st, forth := s.Changes[i].Storage()
		switch {
		case st != delta.Cast && st != delta.Quantised:
		case forth:
			v.point(AToB)
		default:
			v.point(BToA)
		}
	}
	return v.Direction
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

// sameValues fills in the verdict for subjects that hold the same values.
func (p Policy) sameValues(v *Verdict, f Facts) {
	v.Tier = "exact"
	v.Kinds = f.Storage.Kinds()
	v.Relation = Reencoded
	if len(v.Kinds) == 0 {
		v.Relation = Identical
	}
	if d := f.Storage.direction(); d != Undetermined {
		v.Direction = d
	}
	v.Alternatives = append(v.Alternatives, "both were copied from a third model")
	read := "all values were compared"
	if !f.Storage.Complete {
		read = "no difference in what was read"
	}
	n := len(f.Storage.Changes)
	equal := 0
	for i := range f.Storage.Changes {
		if st, _ := f.Storage.Changes[i].Storage(); st == delta.Equal {
			equal++
		}
	}
	v.Because = append(v.Because, fmt.Sprintf("%d of %d tensors hold equal values; %s", equal, n, read))
	for _, t := range f.Storage.Types() {
		what := fmt.Sprintf("%d tensors of %s are those of the other side rounded to %v", t.Tensors, t.Of, t.Type)
		if t.Storage == string(delta.Quantised) {
			what = fmt.Sprintf("%d tensors of %s are those of the other side quantised as %v: within half a step on %s's own lattice", t.Tensors, t.Of, t.Type, t.Of)
			if t.Exact == t.Tensors {
				what += fmt.Sprintf(", byte for byte what %v gives", t.Type)
			} else if t.Exact > 0 {
				what += fmt.Sprintf(", %d of them byte for byte what %v gives", t.Exact, t.Type)
			}
		}
		v.Because = append(v.Because, what)
	}
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
