package align

import (
	"math"
	"reflect"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/stats"
)

// Subject is one of the two networks of a comparison.
type Subject struct {
	Name   string
	Net    *roles.Network
	Tokens []string // token strings by row of the embedding; nil if unknown
	Rows   *Account // of its model, through which Net is read; nil where nobody keeps accounts
}

// NewSubject gives the tensors of a model their roles, to be read through an
// account.
func NewSubject(name string, m tensor.Model, tokens []string) *Subject {
	rows := NewAccount(m)
	return &Subject{Name: name, Net: roles.Map(rows), Tokens: tokens, Rows: rows}
}

// Pair is what tests look at: two subjects, which parts of them are held
// against each other, and how much may be read.
type Pair struct {
	A, B   *Subject
	Seed   []byte // fixes every random choice
	Budget int64  // bytes of values that may be decoded of each subject, or NoLimit
	Deep   bool   // tests look at all that the budget allows, not at what will do
	Towers []TowerPair
	Same   map[*tensor.Tensor]*tensor.Tensor // the tensor of A that holds the same values, by the tensor of B; nil if nobody asked

	chosen  map[*roles.Matrix]GenericPair // by matrix of B
	aside   int64                         // bytes of the budget that are set aside
	kept    map[reflect.Type]any
	lasting map[reflect.Type]any
}

// TowerPair holds one tower of A against one of B.
type TowerPair struct {
	A, B   *roles.Tower
	Layers []LayerPair
	Heads  map[int][]int // by layer position in B: the KV head of A for each KV head of B; nil = by position

	chosen bool  // Layers were chosen by looking at MLP units
	held   []int // MLP unit positions that chose Layers and take no part in any test
}

// Charge is what the choice of layers costs an MLP axis where no units were
// held back for it: any layer of A might have been chosen.
func (t *TowerPair) Charge() stats.LogP {
	if !t.chosen || len(t.held) > 0 {
		return 0
	}
	return stats.LogP(math.Log(float64(len(t.A.Layers))))
}

// LayerPair holds one layer of A against one of B, by position in the tower.
type LayerPair struct{ A, B int }

// Follow sets the layers of a tower pair, chosen by looking at the given MLP
// unit positions; tests from here on leave those positions out, so their
// p-values need no correction for the choice.
func (p *Pair) Follow(t int, layers []LayerPair, held []int) {
	x := &p.Towers[t]
	x.Layers, x.held, x.chosen = layers, held, true
	p.Forget()
}

// Held are the MLP unit positions that chose the layers, ascending.
func (t *TowerPair) Held() []int { return t.held }

// HeadMap says which KV head of A each KV head of B is held against.
func (t *TowerPair) HeadMap(layer, n int) []int {
	if m, ok := t.Heads[layer]; ok {
		return m
	}
	m := make([]int, n)
	for h := range m {
		m[h] = h
	}
	return m
}

// Kept is what a package keeps with a pairing, such as the axes it has read: a
// T, zero at first, that lasts until the pairing changes. A pair has one of
// each type.
func Kept[T any](p *Pair) *T { return keptIn[T](p.kept) }

func keptIn[T any](all map[reflect.Type]any) *T {
	key := reflect.TypeFor[T]()
	if x, ok := all[key].(*T); ok {
		return x
	}
	x := new(T)
	all[key] = x
	return x
}

// Lasting is what a package keeps with a pair whatever becomes of the pairing.
func Lasting[T any](p *Pair) *T { return keptIn[T](p.lasting) }

// Forget drops what is kept with a pairing, after it has changed.
func (p *Pair) Forget() { clear(p.kept) }

// NewPair pairs towers by name (a lone tower with a lone tower whatever their
// names) and layers by position. seed fixes the sampled positions; budget
// bounds the bytes of values decoded of each side, see [Pair.Limit].
func NewPair(a, b *Subject, seed []byte, budget int64) *Pair {
	p := &Pair{A: a, B: b, Seed: seed, Budget: NoLimit, kept: map[reflect.Type]any{}, lasting: map[reflect.Type]any{}}
	p.Limit(budget)
	for _, tb := range b.Net.Towers {
		ta := a.Net.Tower(tb.Name)
		if ta == nil && len(a.Net.Towers) == 1 && len(b.Net.Towers) == 1 {
			ta = a.Net.Towers[0]
		}
		if ta == nil || slices.ContainsFunc(p.Towers, func(t TowerPair) bool { return t.A == ta }) {
			continue
		}
		if ta.Centred != tb.Centred { // names and norms' biases may say what they like: a copy of the one has its norms
			ta.Centre()
			tb.Centre()
		}
		t := TowerPair{A: ta, B: tb}
		for i := range min(len(ta.Layers), len(tb.Layers)) {
			t.Layers = append(t.Layers, LayerPair{i, i})
		}
		p.Towers = append(p.Towers, t)
	}
	return p
}

// Limit bounds the bytes of values that may be decoded of each side, before any
// are: NoLimit for no bound. Where there is one, the subjects must have accounts.
func (p *Pair) Limit(budget int64) {
	p.Budget = budget
	if !p.Bounded() {
		return
	}
	p.aside = budget / valuesAside
	for _, s := range []*Subject{p.A, p.B} {
		if s.Rows == nil {
			panic("align: a budget for a subject without an account")
		}
		s.Rows.bound(budget)
	}
}
