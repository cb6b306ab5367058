package read

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report/internal/aligned"
	"github.com/weightprint/weightprint/report/internal/planned"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Equal says which tensors of the two subjects hold the same values, whatever their
// names are.
type Equal struct {
	Sum     verdict.Equality
	Digests [2]map[*tensor.Tensor]*fingerprint.Digest // of the values of whole tensors, by side
	Experts []UnitMap                                 // which expert of A has the values of each of B's
}

// equalValues compares the digests of all values, and tells the pair what it found.
func equalValues(ctx context.Context, p *planned.Plan) (*Equal, error) {
	nets := p.Networks()
	role := rolesOf(nets)
	a, b := takenApart(p.Sides[0].Model, nets[0], role), takenApart(p.Sides[1].Model, nets[1], role)
	pairs, err := equality.Match(ctx, a, b, func(t *tensor.Tensor) string { return role[t] })
	if err != nil {
		return nil, err
	}
	e := &Equal{Sum: summed(pairs, role, nets[1], b), Digests: pairs.Digests, Experts: expertMaps(pairs, role)}
	e.Sum.Mixtures = left(e.Experts)
	p.Same = map[*tensor.Tensor]*tensor.Tensor{}
	for _, x := range pairs.Pairs {
		if x.Moved == nil && a.whole[x.A] == nil && b.whole[x.B] == nil {
			p.Same[x.B] = x.A
		}
	}
	return e, nil
}

// rolesOf gives each tensor the role that its name tells, or else its name.
func rolesOf(nets [2]*roles.Network) map[*tensor.Tensor]string {
	role := make(map[*tensor.Tensor]string, len(nets[0].Roles)+len(nets[1].Roles))
	for _, n := range nets {
		counted := countedTowers(n)
		for _, a := range n.Roles {
			tower, _, _ := strings.Cut(a.Role, ".")
			if tower == "layers" {
				tower = "main"
			}
			if role[a.Tensor] = a.Role; unknownRole(a.Role) || counted[strings.TrimRight(tower, "0123456789")] {
				role[a.Tensor] = a.Tensor.Name
			}
		}
	}
	return role
}

// countedTowers are the kinds of towers of which a network has several that only
// their place among the others tells apart, such as the blocks of a UNet: the same
// block may have another number under other names.
func countedTowers(n *roles.Network) map[string]bool {
	counted := map[string]bool{}
	for _, t := range n.Towers {
		if kind := strings.TrimRight(t.Name, "0123456789"); kind != t.Name {
			counted[kind] = true
		}
	}
	return counted
}

func unknownRole(role string) bool {
	return role == "none" || role == "table" || strings.HasPrefix(role, "generic.")
}

// summed sums a correspondence up.
func summed(c *equality.Correspondence, role map[*tensor.Tensor]string, b *roles.Network, of *apart) verdict.Equality {
	e := verdict.Equality{Asked: true, Whole: c.Whole(), Pairs: len(c.Pairs), Parts: map[string]verdict.Part{}, Elsewhere: map[string]bool{}}
	paired := map[*tensor.Tensor]*equality.Pair{} // of a stack only where all of it is
	lone := map[*tensor.Tensor]bool{}
	for _, t := range c.OnlyB {
		lone[of.of(t)] = true
	}
	var shared, all [2]int64
	for i := range c.Pairs {
		p := &c.Pairs[i]
		if whole := of.of(p.B); !lone[whole] {
			paired[whole] = p
		}
		all[0] += p.A.Len()
		all[1] += p.B.Len()
		if p.Moved != nil {
			e.Turned++
		}
		if p.Rounded != "" {
			e.Rounded[slices.Index([]string{"A", "B"}, p.Rounded)] = true
		}
		if p.Learned && !p.Again { // a network that holds one matrix twice holds one
			e.Learned++
			if role[p.A] != p.A.Name || role[p.B] != p.B.Name { // no role, as rolesOf gives it
				e.Known++
			}
			shared[0] += p.A.Len()
			shared[1] += p.B.Len()
		}
		if p.Says {
			misplaced(&e, role[p.A], role[p.B])
			e.Elsewhere[role[p.B]] = role[p.A] != role[p.B]
		}
	}
	e.Layers += outOfOrder(c.Pairs, role)
	for i, only := range [][]*tensor.Tensor{c.OnlyA, c.OnlyB} {
		for _, t := range only {
			all[i] += t.Len()
		}
		e.Values[i] = float64(shared[i]) / float64(max(1, all[i]))
	}
	for _, p := range aligned.Parts(b) {
		part := verdict.Part{Tensors: len(p.Matrices)}
		for _, m := range p.Matrices {
			if x := paired[m.Tensor]; x != nil {
				part.Paired++
				part.Rounded = part.Rounded || x.Rounded != ""
			}
		}
		e.Parts[p.Name] = part
	}
	return e
}

// misplaced counts a pair of known roles that differ, by what they differ in.
func misplaced(e *verdict.Equality, a, b string) {
	wordsA, wordsB := strings.Split(a, "."), strings.Split(b, ".")
	if a == b || !told(wordsA) || !told(wordsB) {
		return
	}
	if len(wordsA) != len(wordsB) {
		e.Roles++
		return
	}
	layer, expert := false, false
	for i, w := range wordsA {
		switch numbered := number(w) && number(wordsB[i]); {
		case w == wordsB[i]:
		case numbered && i > 0 && wordsA[i-1] == "experts":
			expert = true
		case numbered:
			layer = true
		default:
			e.Roles++
			return
		}
	}
	switch {
	case layer:
		e.Layers++
	case expert:
		e.Experts++
	}
}

// told tells whether the words are those of a role in a layer, as package roles
// spells it, and not of a name.
func told(words []string) bool {
	i := slices.Index(words, "layers")
	return i >= 0 && i <= 1 && len(words) > i+2 && number(words[i+1]) && slices.Contains([]string{"attn", "mlp", "experts", "cross"}, words[i+2])
}

func number(s string) bool {
	_, err := strconv.Atoi(s)
	return err == nil
}

// outOfOrder counts pairs of unknown roles whose names differ in nothing but
// numbers, and in these not as when modules are numbered anew but as when they
// are exchanged.
func outOfOrder(pairs []equality.Pair, role map[*tensor.Tensor]string) (n int) {
	last := map[string][]int{}
	order := make([]int32, len(pairs))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(x, y int32) int { return comparedByNumbers(role[pairs[x].A], role[pairs[y].A]) })
	for _, i := range order {
		p := &pairs[i]
		wordsA, _ := numbers(role[p.A])
		wordsB, at := numbers(role[p.B])
		if wordsA != wordsB || !p.Says || told(strings.Split(role[p.A], ".")) {
			continue
		}
		if before, ok := last[wordsA]; ok && slices.Compare(at, before) < 0 {
			n++
			continue
		}
		last[wordsA] = at
	}
	return n
}

// comparedByNumbers compares two names by their numbers alone, in order.
func comparedByNumbers(a, b string) int {
	for {
		x, restA, okA := nextNumber(a)
		y, restB, okB := nextNumber(b)
		if !okA || !okB {
			return cmp.Compare(fromBool(okA), fromBool(okB))
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
}

func fromBool(b bool) int {
	if b {
		return 1
	}
	return 0
}

// nextNumber is the first word of a name that is a number, and the words behind it.
func nextNumber(name string) (n int, rest string, ok bool) {
	for rest = name; rest != ""; {
		var w string
		w, rest, _ = strings.Cut(rest, ".")
		if w == "" || w[0] > '9' {
			continue
		}
		if n, err := strconv.Atoi(w); err == nil {
			return n, rest, true
		}
	}
	return 0, "", false
}

// numbers takes a name's numbers out of its words.
func numbers(name string) (words string, at []int) {
	all := strings.Split(name, ".")
	for i, w := range all {
		if k, err := strconv.Atoi(w); err == nil {
			at, all[i] = append(at, k), "#"
		}
	}
	return strings.Join(all, "."), at
}
