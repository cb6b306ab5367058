package diff

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/similarity/diff"
)

// Findings list so many names at most.
const mostNames = 6

// findings puts into sentences what stands out.
func (d *Diff) findings() {
	for _, say := range []func() []string{d.scaled, d.projected, d.lowRank, d.vocabulary, d.heads, d.replaced, d.biases, d.someRows, d.sided} {
		d.Findings = append(d.Findings, say()...)
	}
}

// where lists tensors of one form in words: kinds of role, with their layers.
func where(all []Tensor) string {
	var order []string
	by := map[string][]int{}
	for _, t := range all {
		k := kind(t.Role)
		if by[k] == nil {
			order = append(order, k)
		}
		by[k] = append(by[k], t.LayerB)
	}
	var words []string
	for _, k := range order[:min(len(order), mostNames)] {
		if l := by[k]; l[0] >= 0 {
			words = append(words, fmt.Sprintf("%s of %s", k, layersIn(l)))
		} else {
			words = append(words, k)
		}
	}
	if n := len(order) - mostNames; n > 0 {
		words = append(words, fmt.Sprintf("%d more kinds", n))
	}
	return strings.Join(words, ", ")
}

func layersIn(l []int) string {
	slices.Sort(l)
	var runs []string
	for i := 0; i < len(l); {
		j := i
		for j+1 < len(l) && l[j+1] == l[j]+1 {
			j++
		}
		if i == j {
			runs = append(runs, fmt.Sprint(l[i]))
		} else {
			runs = append(runs, fmt.Sprintf("%d–%d", l[i], l[j]))
		}
		i = j + 1
	}
	if len(runs) == 1 && !strings.Contains(runs[0], "–") {
		return "layer " + runs[0]
	}
	return "layers " + strings.Join(runs, ", ")
}

func (d *Diff) of(forms ...diff.Form) (out []Tensor) {
	for _, t := range d.Tensors {
		if slices.Contains(forms, t.Form) {
			out = append(out, t)
		}
	}
	return out
}

// scaled groups tensors by their factor.
func (d *Diff) scaled() (out []string) {
	by := map[string][]Tensor{}
	var order []string
	for _, t := range d.of(diff.Scaled) {
		f := fmt.Sprintf("%.4g", float64(t.Factor))
		if by[f] == nil {
			order = append(order, f)
		}
		by[f] = append(by[f], t)
	}
	for _, f := range order {
		out = append(out, fmt.Sprintf("B is A times %s in %s", f, where(by[f])))
	}
	return out
}

func (d *Diff) projected() (out []string) {
	all := d.of(diff.Projected)
	if len(all) > 0 {
		out = append(out, fmt.Sprintf("one direction was taken out of %s", where(all)))
	}
	for _, s := range d.Shared {
		if len(all) > 0 && slices.ContainsFunc(all, func(t Tensor) bool { return slices.Contains(s.Roles, t.Role) }) {
			side := "inputs"
			if s.Side == "rows" {
				side = "outputs"
			}
			out = append(out, fmt.Sprintf("it is one and the same in %d of these tensors, on the side of their %s (%d dimensions, mean cosine %.3f)", len(s.Roles), side, s.Width, float64(s.Cosine)))
		}
	}
	return out
}

func (d *Diff) lowRank() []string {
	all := d.of(diff.LowRank)
	if len(all) == 0 {
		return nil
	}
	least, most := math.MaxInt, 0
	for _, t := range all {
		least, most = min(least, t.Rank), max(most, t.Rank)
	}
	rank := fmt.Sprint(most)
	if least < most {
		rank = fmt.Sprintf("%d to %d", least, most)
	}
	return []string{fmt.Sprintf("the change is of rank %s in %s", rank, where(all))}
}

func (d *Diff) vocabulary() (out []string) {
	for _, t := range d.Tensors {
		if len(t.Added) > 0 {
			out = append(out, fmt.Sprintf("%s: %d rows added%s", t.Role, len(t.Added), named(t.Added)))
		}
		if len(t.Removed) > 0 {
			out = append(out, fmt.Sprintf("%s: %d rows of A have no counterpart%s", t.Role, len(t.Removed), named(t.Removed)))
		}
	}
	return out
}

func named(rows []Row) string {
	var names []string
	for _, r := range rows[:min(len(rows), mostNames)] {
		if r.Name != "" {
			names = append(names, escape.Printable(r.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	if len(rows) > mostNames {
		names = append(names, "…")
	}
	return ": " + strings.Join(names, " ")
}

func (d *Diff) heads() (out []string) {
	for _, t := range d.Tensors {
		if len(t.Heads) > 0 {
			out = append(out, fmt.Sprintf("%s: heads %v changed, the others are equal", t.Role, t.Heads))
		}
	}
	return out[:min(len(out), mostNames)]
}

func (d *Diff) replaced() []string {
	all := d.of(diff.Replaced)
	if len(all) == 0 {
		return nil
	}
	return []string{"nothing of A's values is left in " + where(all)}
}

func (d *Diff) biases() []string {
	var all []Tensor
	for _, t := range d.Tensors {
		if strings.HasSuffix(t.Role, ".bias") && t.Form != diff.Equal && t.Form != diff.Stored && t.A != nil && t.B != nil {
			all = append(all, t)
		}
	}
	if len(all) == 0 {
		return nil
	}
	return []string{"biases changed: " + where(all)}
}

func (d *Diff) someRows() (out []string) {
	for _, t := range d.of(diff.Rows) {
		out = append(out, fmt.Sprintf("%s: %d of %d rows changed%s", t.Role, t.RowsDiff, t.Rows, named(t.Most)))
	}
	return out[:min(len(out), mostNames)]
}

func (d *Diff) sided() (out []string) {
	for _, side := range []diff.Form{diff.OnlyA, diff.OnlyB, diff.Reshaped} {
		if all := d.of(side); len(all) > 0 {
			out = append(out, fmt.Sprintf("%s: %s", map[diff.Form]string{diff.OnlyA: "only A has", diff.OnlyB: "only B has", diff.Reshaped: "of another shape"}[side], where(all)))
		}
	}
	return out
}
