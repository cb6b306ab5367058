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
	prefix  string   // before the layer number
	kind    string   // "main", "vision", "audio", "encoder" or "decoder"
	name    string   // kind, numbered where there are several
	samples []string // names of matrices, a few of each kind, which show the spelling
	layers  map[int]map[slot]*tensor.Tensor
	outside map[outer]*tensor.Tensor
	shown   map[place]bool
	matrix  bool            // has more than norms
	names   map[string]bool // last words seen in layers, for norms that change meaning
	kernels bool            // names say that inputs come first
}

// slot is a place within a layer.
type slot struct {
	place  place
	expert int
	bias   bool
}

// outer is a place outside the layers.
type outer struct {
	part part
	bias bool
}

// maxTowers is far beyond any model in use.
const maxTowers = 64

// collect sorts the tensors into towers by the words before the layer number,
// and returns those that are in no tower.
func collect(m tensor.Model) (towers []*found, rest []*tensor.Tensor) {
	byPrefix := map[string]*found{}
	var later []*tensor.Tensor
	for _, t := range m.Tensors() {
		at, ok := locate(t.Name)
		switch f := byPrefix[at.prefix]; {
		case oversized(t):
			rest = append(rest, t)
		case !ok:
			later = append(later, t)
		case f == nil && len(byPrefix) == maxTowers:
			rest = append(rest, t)
		default:
			if f == nil {
				f = &found{prefix: at.prefix, kind: kindOf(at.prefix), layers: map[int]map[slot]*tensor.Tensor{}, outside: map[outer]*tensor.Tensor{}, names: map[string]bool{}, shown: map[place]bool{}}
				byPrefix[at.prefix] = f
				towers = append(towers, f)
			}
			if !f.add(at, t) {
				rest = append(rest, t)
			}
		}
	}
	sortTowers(towers)
	for _, t := range later {
		p, stem, bias, ok := outside(t.Name)
		f := nearest(towers, stem, p)
		if !ok || f == nil || f.outside[outer{p, bias}] != nil {
			rest = append(rest, t)
			continue
		}
		f.outside[outer{p, bias}] = t
	}
	return drop(towers, rest)
}

// add puts a tensor at its place. Of two spellings of one place the first
// stays.
func (f *found) add(at located, t *tensor.Tensor) bool {
	l := f.layers[at.layer]
	if l == nil {
		l = map[slot]*tensor.Tensor{}
		f.layers[at.layer] = l
	}
	s := slot{at.place, at.expert, at.bias}
	if l[s] != nil {
		return false
	}
	l[s] = t
	name := spelled(t.Name)
	stem, _ := split(name)
	f.names[stem[strings.LastIndexByte(stem, '.')+1:]] = true
	if len(t.Shape) > 1 && at.place.part != partTable {
		f.matrix = true
		f.kernels = f.kernels || isKernel(t.Name)
		f.show(name, place{part: at.place.part, cross: at.place.cross})
	}
	return true
}

// show keeps the first name of each part, of attention across towers for itself: which
// of them stands first in a file says nothing.
func (f *found) show(name string, p place) {
	if !f.shown[p] {
		f.shown[p] = true
		f.samples = append(f.samples, name)
	}
}

// spelt tells whether a name has a part.
func (f *found) spelt(has string) bool {
	return slices.ContainsFunc(f.samples, func(s string) bool { return strings.Contains(s, has) })
}

// drop removes towers that hold nothing but norms, as stages of convolutions
// do; their tensors are generic.
func drop(towers []*found, rest []*tensor.Tensor) (kept []*found, all []*tensor.Tensor) {
	for _, f := range towers {
		if f.matrix || f.outside[outer{partEmbedding, false}] != nil {
			kept = append(kept, f)
			continue
		}
		for _, l := range f.layers {
			for _, t := range l {
				rest = append(rest, t)
			}
		}
		for _, t := range f.outside {
			rest = append(rest, t)
		}
	}
	nameTowers(kept)
	return kept, rest
}

// sortTowers puts the main tower first, then by prefix, in which numbers count as
// numbers: the stacks of a U-Net stand in one order under either layout's names.
func sortTowers(towers []*found) {
	slices.SortFunc(towers, func(a, b *found) int {
		return cmp.Or(cmp.Compare(rank(a.kind), rank(b.kind)), comparePrefixes(a.prefix, b.prefix), cmp.Compare(a.prefix, b.prefix))
	})
}

func comparePrefixes(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		n, isX := number(x)
		k, isY := number(y)
		if isX && isY {
			return cmp.Compare(n, k)
		}
		return cmp.Compare(x, y)
	})
}

func rank(kind string) int {
	return slices.Index([]string{"main", "encoder", "decoder", "vision", "audio"}, kind)
}

// nearest returns the tower whose prefix shares most leading words with the
// name. Of several the first counts, but heads belong to decoders.
func nearest(towers []*found, stem string, p part) *found {
	var best *found
	most := -1
	for _, f := range towers {
		shared := commonWords(f.prefix, stem)
		if shared > most || shared == most && p == partHead && best.kind == "encoder" && f.kind == "decoder" {
			best, most = f, shared
		}
	}
	return best
}

// commonWords counts the leading words that two dotted names share.
func commonWords(a, b string) int {
	for n := 0; ; n++ {
		x, restA, moreA := strings.Cut(a, ".")
		y, restB, moreB := strings.Cut(b, ".")
		if x != y {
			return n
		}
		if !moreA || !moreB {
			return n + 1
		}
		a, b = restA, restB
	}
}

// kindWords guess from the prefix what a tower is for.
var kindWords = []struct{ word, kind string }{
	{"vision", "vision"}, {"visual", "vision"}, {"vit", "vision"}, {"image", "vision"}, {"v.blk", "vision"}, {"audio", "audio"}, {"a.blk", "audio"},
	{"language", "main"}, {"text", "main"}, {"decoder", "decoder"}, {"dec.blk", "decoder"}, {"encoder", "encoder"}, {"enc.blk", "encoder"},
}

func kindOf(prefix string) string {
	for _, k := range kindWords {
		if strings.HasPrefix(prefix, k.word) || strings.Contains(prefix, "."+k.word) || strings.Contains(prefix, "_"+k.word) {
			return k.kind
		}
	}
	return "main"
}

// nameTowers names the towers. "encoder" and "decoder" are used only where
// both exist; a lone stack is "main". Names are unique.
func nameTowers(towers []*found) {
	count := map[string]int{}
	for _, f := range towers {
		count[f.kind]++
	}
	used := map[string]int{}
	for _, f := range towers {
		f.name = f.kind
		if (f.kind == "encoder" || f.kind == "decoder") && (count["encoder"] == 0 || count["decoder"] == 0) {
			f.kind, f.name = "main", "main"
		}
		if used[f.name]++; used[f.name] > 1 {
			f.name = fmt.Sprintf("%s%d", f.name, used[f.name])
		}
	}
}
