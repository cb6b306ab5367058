package verdict

import "fmt"

// Equality sums up which tensors of two subjects hold the same values, whatever
// their names, the order of their axes and the types they are stored in.
type Equality struct {
	Asked   bool       // every value of both subjects was read for it
	Whole   bool       // every tensor that says something has its counterpart
	Pairs   int        // tensors with a counterpart
	Learned int        // pairs that look like trained matrices, each matrix once
	Known   int        // of these, pairs of known role
	Values  [2]float64 // share of each subject's values that stand in these
	Turned  int        // pairs whose axes stand in another order
	Rounded [2]bool    // tensors of a subject are the other's, rounded to its type

	Roles   int             // pairs that stand in different roles
	Layers  int             // pairs that stand in different layers
	Experts int             // pairs that stand at different experts
	Parts   map[string]Part // by component of B

	Mixtures Experts // what became of the experts as a whole

	Elsewhere map[string]bool // roles of B whose values stand in another role of A
}

// Experts says what became of the experts of mixtures whose values are equal.
type Experts struct {
	Fewer   [2]int // layers in which a subject has fewer of the other's experts, and no others
	InOrder bool   // those that both have stand in the same order
	Words   string // how many are left, of one such layer
}

// Part is how much of a component of B has a counterpart of the same values.
type Part struct {
	Tensors, Paired int
	Rounded         bool
}

// Complete tells whether all of the component's tensors have one.
func (p Part) Complete() bool { return p.Tensors > 0 && p.Paired == p.Tensors }

// InOrder tells whether no tensor stands in another role, layer or expert than
// its counterpart, as far as names tell.
func (e *Equality) InOrder() bool { return e.Roles+e.Layers+e.Experts == 0 }

// same tells whether the subjects hold the same values up to storage: a
// bijection of all tensors, in one order of layers, with every value compared.
func (f *Facts) same() bool {
	return f.Storage.Same() && f.Storage.Complete && f.Storage.InOrder || f.Equality.Whole && f.Equality.InOrder()
}

// soFar tells whether nothing that was read differs, where not all was read.
func (f *Facts) soFar() bool {
	return f.Storage.Same() && !f.Storage.Complete && f.Storage.InOrder
}

// sameValues fills in the verdict for subjects that hold the same values.
func (p Policy) sameValues(v *Verdict, f *Facts) {
	v.Tier, v.Relation = "exact", Reencoded
	if f.Storage.Same() {
		v.Kinds = f.Storage.Kinds()
		v.Because = append(v.Because, f.Storage.words()...)
		f.Storage.read(v)
	} else {
		v.Kinds = f.Equality.kinds(f.Storage.Renamed)
		v.Because = append(v.Because, f.Equality.words()...)
		f.Equality.read(v)
	}
	if len(v.Kinds) == 0 {
		v.Relation = Identical
	}
	v.Alternatives = append(v.Alternatives, bothCopied)
}

// kinds lists what was done to the storage of tensors that were paired by their
// values.
func (e *Equality) kinds(renamed bool) []Kind {
	kinds := []Kind{}
	if renamed || e.Turned > 0 {
		kinds = append(kinds, Repackaged)
	}
	if e.Rounded[0] || e.Rounded[1] {
		kinds = append(kinds, CastKind)
	}
	return kinds
}

// words says what was found equal.
func (e *Equality) words() []string {
	out := []string{fmt.Sprintf("%d tensors hold the same values on both sides, whatever their names, and none is without its counterpart; all values were compared", e.Pairs)}
	if e.Turned > 0 {
		out = append(out, fmt.Sprintf("%d of them have their axes in another order", e.Turned))
	}
	for i, rounded := range e.Rounded {
		if rounded {
			out = append(out, fmt.Sprintf("tensors of %s are those of %s rounded to a narrower type", Side(i), Side(1-i)))
		}
	}
	return out
}

// read adds what rounding suggests of who came first.
func (e *Equality) read(v *Verdict) {
	for i, rounded := range e.Rounded {
		if rounded {
			v.suggest(marksChild(i), reverses[CastKind], fmt.Sprintf("tensors of %s are rounded", Side(i)))
		}
	}
}

// marksChild is the direction towards the side that bears a mark of a child.
func marksChild(side int) Direction { return []Direction{BToA, AToB}[side] }
