package similarity

import (
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
)

// Subject is one of the two networks of a comparison.
type Subject struct {
	Name   string
	Net    *roles.Network
	Tokens []string // token strings by row of the embedding; nil if unknown
}

// Pair is what tests look at: two subjects, which parts of them are held
// against each other, and how much may be read.
type Pair struct {
	A, B   *Subject
	Seed   []byte // fixes every random choice
	Budget int64  // bytes that may be read from each subject; 0 = no limit
	Towers []TowerPair

	axes  map[int][]*Axis // loaded axes by look
	spent int64           // bytes of the budget booked so far

	anchored map[string]bool // towers whose anchor tokens are booked
}

// TowerPair holds one tower of A against one of B.
type TowerPair struct {
	A, B   *roles.Tower
	Layers []LayerPair
	Heads  map[int][]int // by layer position in B: the KV head of A for each KV head of B; nil = by position

	chosen bool  // Layers were chosen by looking at MLP units
	held   []int // MLP unit positions that chose Layers and take no part in any test
}

// charge is what the choice of layers costs an MLP axis where no units were
// held back for it: any layer of A might have been chosen.
func (t *TowerPair) charge() LogP {
	if !t.chosen || len(t.held) > 0 {
		return 0
	}
	return LogP(math.Log(float64(len(t.A.Layers))))
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

// Loaded returns the axes that a look has read, nil if it was not taken.
func (p *Pair) Loaded(look int) []*Axis { return p.axes[look] }

// Forget drops the axes read so far, after the pairing has changed.
func (p *Pair) Forget() { p.axes = map[int][]*Axis{} }

// NewPair pairs towers by name (a lone tower with a lone tower whatever their
// names) and layers by position. seed fixes the sampled positions; budget
// bounds the bytes read from each side, 0 for no bound.
func NewPair(a, b *Subject, seed []byte, budget int64) *Pair {
	p := &Pair{A: a, B: b, Seed: seed, Budget: budget, axes: map[int][]*Axis{}, anchored: map[string]bool{}}
	for _, tb := range b.Net.Towers {
		ta := a.Net.Tower(tb.Name)
		if ta == nil && len(a.Net.Towers) == 1 && len(b.Net.Towers) == 1 {
			ta = a.Net.Towers[0]
		}
		if ta == nil || slices.ContainsFunc(p.Towers, func(t TowerPair) bool { return t.A == ta }) {
			continue
		}
		t := TowerPair{A: ta, B: tb}
		for i := range min(len(ta.Layers), len(tb.Layers)) {
			t.Layers = append(t.Layers, LayerPair{i, i})
		}
		p.Towers = append(p.Towers, t)
	}
	return p
}
