package align

import (
	"slices"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Account is one subject's side of the ledger and its row cache. It is the
// subject's model, whose tensors book every value that is decoded and keep some
// of them, so that nothing is read beside it and little is read twice.
type Account struct {
	model   tensor.Model
	tensors []*tensor.Tensor
	real    []*tensor.Tensor // the model's own, in the same order
	byName  []int32          // positions in tensors, by ascending name

	mu    sync.Mutex
	spent int64 // bytes of values that were decoded
	held  int64 // bytes that were promised and are not decoded yet
	room  int64 // bytes of memory that the cache may still take
}

// mostKept is the memory of a cache where everything may be read; under a budget
// it is a share of that.
const (
	mostKept   = 64 << 20
	keptShare  = 4 // of a budget, one part in so many
	mostShared = 12 << 20
)

// NewAccount opens the account of a model.
func NewAccount(m tensor.Model) *Account {
	real := m.Tensors()
	a := &Account{model: m, real: real, tensors: make([]*tensor.Tensor, len(real)), byName: make([]int32, len(real)), room: mostKept}
	all := make([]tensor.Tensor, len(real))
	for i, t := range real {
		all[i] = *t
		all[i].Data = booked(a, t)
		a.tensors[i], a.byName[i] = &all[i], int32(i)
	}
	slices.SortFunc(a.byName, func(i, j int32) int { return strings.Compare(all[i].Name, all[j].Name) })
	return a
}

// Tensors lists the model's tensors in stored order.
func (a *Account) Tensors() []*tensor.Tensor { return a.tensors }

// Tensor returns the tensor of that name.
func (a *Account) Tensor(name string) (*tensor.Tensor, bool) {
	at, ok := slices.BinarySearchFunc(a.byName, name, func(i int32, name string) int { return strings.Compare(a.tensors[i].Name, name) })
	if !ok {
		return nil, false
	}
	return a.tensors[a.byName[at]], true
}

// Original is the model's own tensor behind one of the account's, nil for any other.
func (a *Account) Original(t *tensor.Tensor) *tensor.Tensor {
	at, ok := slices.BinarySearchFunc(a.byName, t.Name, func(i int32, name string) int { return strings.Compare(a.tensors[i].Name, name) })
	if !ok || a.tensors[a.byName[at]] != t {
		return nil
	}
	return a.real[a.byName[at]]
}

// Metadata is the model's.
func (a *Account) Metadata() tensor.Metadata { return a.model.Metadata() }

// Spent is how many bytes of the model's values were decoded.
func (a *Account) Spent() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spent
}

// bound sets the memory of the cache by the budget.
func (a *Account) bound(budget int64) { a.room = min(budget/keptShare, mostShared) }

// book enters bytes that were asked for, of which so many had to be decoded.
func (a *Account) book(asked, decoded int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.spent += decoded
	a.held = max(0, a.held-asked)
}

// hold promises bytes.
func (a *Account) hold(bytes int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held += bytes
}

// settle takes back what was promised.
func (a *Account) settle() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.held = 0
}

// booked is what was spent and what is promised.
func (a *Account) booked() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.spent + a.held
}

// take claims memory for values that are kept.
func (a *Account) take(bytes int64) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if bytes > a.room {
		return false
	}
	a.room -= bytes
	return true
}

// accounts are those of both subjects, each once.
func (p *Pair) accounts() (out []*Account) {
	for _, s := range []*Subject{p.A, p.B} {
		if s.Rows != nil && !slices.Contains(out, s.Rows) {
			out = append(out, s.Rows)
		}
	}
	return out
}
