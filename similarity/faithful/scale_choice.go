package faithful

import (
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
)

// ruledScales are the scales of a tensor as a rule explains them.
type ruledScales struct {
	rule    string
	through passage
	also    []passage // others with which the rule gives as many
	of      []Grade   // by group: Exact, Open a unit beside what the rule gives, else Deviates
}

// askedGroups is how many groups tell which rule is followed.
const askedGroups = 4096

// manner is a way in which the scales of a tensor may have come about: a rule, what the
// source passed through, and the arithmetic.
type manner struct {
	rule        scaleRule
	through, in passage
}

// gives tells whether what is stored of a group of these ends is what comes about so.
func (m manner) gives(stored quant.Group, lo, hi, top float32, steps int) bool {
	x := group{float64(m.through.of(lo)), float64(m.through.of(hi)), float64(top), steps, m.in.of64}
	return asRule(stored, m.rule.give(x), steps) || m.rule.or != nil && asRule(stored, m.rule.or(x), steps)
}

// mannersOf lists what is tried of a layout.
func mannersOf(data grouped, all []passage) (out []manner) {
	_, steps := data.Levels()
	rules := scaleRules
	if data.FittedZero() {
		rules = fittedRule
	}
	for _, through := range all {
		for _, in := range passages(tensor.F32) {
			for _, rule := range rules {
				if !rule.lattice || steps > 0 {
					out = append(out, manner{rule, through, in})
				}
			}
		}
	}
	return out
}

// ruleOf finds the rule, the passage of the source and the arithmetic that give most
// of a sample of groups; nil where none gives more than half. Groups without values,
// of nothing but zeros, or of which parts lie elsewhere do not count. Rules may differ in
// rare groups alone, such as those of equal values: where the sample does not tell them
// apart, all groups do.
func (r *ranges) ruleOf(groups []quant.Group, data grouped, all []passage) *ruledScales {
	top, steps := data.Levels()
	gives := func(m manner, stored quant.Group, g int) bool { return m.gives(stored, r.lo[g], r.hi[g], top, steps) }
	var asked []int
	for g := range groups {
		if r.seen[g] == groups[g].Size && (r.lo[g] != 0 || r.hi[g] != 0) {
			asked = append(asked, g)
		}
	}
	count := func(m manner, every int) (n int) {
		for k := 0; k < len(asked); k += every {
			if gives(m, groups[asked[k]], asked[k]) {
				n += every
			}
		}
		return n
	}
	every := max(1, len(asked)/askedGroups)
	best, most := mostOf(mannersOf(data, all), func(m manner) int { return count(m, every) })
	if float64(most) <= majority*float64(len(asked)) {
		return nil
	}
	if every > 1 && len(best) > 1 {
		best, _ = mostOf(best, func(m manner) int { return count(m, 1) })
	}
	out := &ruledScales{rule: best[0].rule.name, through: best[0].through, of: make([]Grade, len(groups))}
	for _, m := range best[1:] {
		if m.rule.name == out.rule && m.through.name != out.through.name {
			out.also = append(out.also, m.through)
		}
	}
	for _, g := range asked {
		if gives(best[0], groups[g], g) {
			continue
		}
		out.of[g] = Deviates
		if wider, ok := beside(groups[g]); ok && gives(best[0], wider, g) {
			out.of[g] = Open
		}
	}
	return out
}

// mostOf are the manners that give most, in their order, and how many these give.
func mostOf(all []manner, count func(manner) int) (best []manner, most int) {
	for _, m := range all {
		switch n := count(m); {
		case n > most:
			best, most = []manner{m}, n
		case n == most && n > 0:
			best = append(best, m)
		}
	}
	return best, most
}
