package roles

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// found collects the tensors of one tower before they become views.
type found struct {
	prefix  string
	layers  map[int]map[slot]*tensor.Tensor
	outside map[part]*tensor.Tensor
	biases  map[part]*tensor.Tensor
	names   map[string]bool // last words seen in layers, for norms that change meaning
}

// slot is a place within a layer.
type slot struct {
	place  place
	expert int
	bias   bool
}

// Map gives every tensor of the model a role. It reads no values; it never
// fails: what it does not know becomes generic.
func Map(m tensor.Model) *Network {
	fam := familyOf(declaredType(m.Metadata(), "config."))
	if fam.name == "generic" {
		fam = guessFamily(m)
	}
	n := &Network{Family: fam.name}
	towers, rest := collect(m)
	gguf := false
	if _, ok := m.Metadata().String("general.architecture"); ok {
		gguf = true
	}
	names := towerNamesFor(towers)
	for i, f := range towers {
		b := &builder{net: n, fam: fam, gguf: gguf, found: f, meta: m.Metadata()}
		t := b.tower(names[i])
		n.Towers = append(n.Towers, t)
		rest = append(rest, b.left...)
	}
	order := map[*tensor.Tensor]int{}
	for i, t := range m.Tensors() {
		order[t] = i
	}
	slices.SortFunc(rest, func(a, b *tensor.Tensor) int { return cmp.Compare(order[a], order[b]) })
	generic(n, rest)
	slices.SortStableFunc(n.Roles, func(a, b Assignment) int { return cmp.Compare(order[a.Tensor], order[b.Tensor]) })
	return n
}

// collect sorts the tensors into towers by the words before the layer number,
// and returns those that are in no tower.
func collect(m tensor.Model) (towers []*found, rest []*tensor.Tensor) {
	byPrefix := map[string]*found{}
	var later []*tensor.Tensor
	for _, t := range m.Tensors() {
		at, ok := locate(t.Name)
		if !ok {
			later = append(later, t)
			continue
		}
		f := byPrefix[at.prefix]
		if f == nil {
			f = &found{prefix: at.prefix, layers: map[int]map[slot]*tensor.Tensor{}, outside: map[part]*tensor.Tensor{}, biases: map[part]*tensor.Tensor{}, names: map[string]bool{}}
			byPrefix[at.prefix] = f
			towers = append(towers, f)
		}
		l := f.layers[at.layer]
		if l == nil {
			l = map[slot]*tensor.Tensor{}
			f.layers[at.layer] = l
		}
		s := slot{at.place, at.expert, at.bias}
		if l[s] != nil { // two spellings of one place: keep the first
			rest = append(rest, t)
			continue
		}
		l[s] = t
		stem, _ := split(t.Name)
		f.names[stem[strings.LastIndexByte(stem, '.')+1:]] = true
	}
	slices.SortFunc(towers, func(a, b *found) int { return cmp.Compare(a.prefix, b.prefix) })
	for _, t := range later {
		p, stem, bias, ok := outside(t.Name)
		f := nearest(towers, stem)
		if !ok || f == nil {
			rest = append(rest, t)
			continue
		}
		into := f.outside
		if bias {
			into = f.biases
		}
		if into[p] != nil {
			rest = append(rest, t)
			continue
		}
		into[p] = t
	}
	return towers, rest
}

// nearest returns the tower whose prefix shares most leading words with the
// name; the tower that looks like the main one breaks ties.
func nearest(towers []*found, stem string) *found {
	var best *found
	bestShared := -1
	for _, f := range towers {
		shared := 0
		a, b := strings.Split(f.prefix, "."), strings.Split(stem, ".")
		for shared < len(a) && shared < len(b) && a[shared] == b[shared] {
			shared++
		}
		if shared > bestShared || shared == bestShared && kindOf(best.prefix) != "main" && kindOf(f.prefix) == "main" {
			best, bestShared = f, shared
		}
	}
	return best
}

// kindOf guesses from the prefix what a tower is for.
func kindOf(prefix string) string {
	for _, k := range []struct{ word, kind string }{
		{"vision", "vision"}, {"visual", "vision"}, {"vit", "vision"}, {"image", "vision"}, {"v.blk", "vision"}, {"audio", "audio"}, {"a.blk", "audio"},
		{"language", "main"}, {"text", "main"}, {"decoder", "decoder"}, {"encoder", "encoder"},
	} {
		if strings.HasPrefix(prefix, k.word) || strings.Contains(prefix, "."+k.word) || strings.Contains(prefix, "_"+k.word) {
			return k.kind
		}
	}
	return "main"
}

// towerNamesFor names the towers. "encoder" and "decoder" are used only where
// both exist; a lone stack is "main". Names are unique.
func towerNamesFor(towers []*found) []string {
	count := map[string]int{}
	for _, f := range towers {
		count[kindOf(f.prefix)]++
	}
	names := make([]string, len(towers))
	used := map[string]int{}
	for i, f := range towers {
		k := kindOf(f.prefix)
		if (k == "encoder" || k == "decoder") && (count["encoder"] == 0 || count["decoder"] == 0) {
			k = "main"
		}
		used[k]++
		if names[i] = k; used[k] > 1 {
			names[i] = fmt.Sprintf("%s%d", k, used[k])
		}
	}
	return names
}
