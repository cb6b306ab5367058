package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/report/verdict"
)

// kindRow counts what was named of models that were made in one way.
type kindRow struct {
	pairs, right, beside, unnamed, wrong int
	named                                map[string]int
}

// storage are kinds that say how values are stored, and nothing of what was done to them.
var storage = []verdict.Kind{verdict.Repackaged, verdict.CastKind, verdict.EqualSoFar, verdict.Partial}

// count judges a pair: right where the kind of what was done is named, beside where one
// that is hardly to be told from it is, unnamed where none or only of storage.
func (r *kindRow) count(c *pairing) {
	r.pairs++
	kinds := c.report.Verdict.Kinds
	switch bare := !slices.ContainsFunc(kinds, func(k verdict.Kind) bool { return !slices.Contains(storage, k) }); {
	case c.kind() == "right":
		r.right++
	case c.kind() == "neighbour":
		r.beside++
	case bare:
		r.unnamed++
	default:
		r.wrong++
	}
	words := fmt.Sprint(kinds)
	if c.named {
		words = "[merged: the recipe]"
	}
	r.named[strings.Trim(words, "[]")]++
}

// kindsTable prints, by what was done to a model, the kinds that were named.
func kindsTable(w io.Writer, cases []*pairing) error {
	rows, all := map[string]*kindRow{}, &kindRow{named: map[string]int{}}
	for _, c := range cases {
		done, _, _ := strings.Cut(c.b.Relation, " (")
		if rows[done] == nil {
			rows[done] = &kindRow{named: map[string]int{}}
		}
		rows[done].count(c)
		all.count(c)
	}
	all.named = nil
	fmt.Fprint(w, "| what was done | pairs | named right | near it | unnamed | wrong | named |\n|---|---|---|---|---|---|---|\n")
	for _, done := range slices.Sorted(maps.Keys(rows)) {
		rows[done].print(w, done)
	}
	all.print(w, "all")
	return nil
}

func (r *kindRow) print(w io.Writer, done string) {
	names := slices.Sorted(maps.Keys(r.named))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(r.named[b], r.named[a]) })
	for i, n := range names {
		names[i] = fmt.Sprintf("%s %d", cmp.Or(n, "nothing"), r.named[n])
	}
	fmt.Fprintf(w, "| %s | %d | %d | %d | %d | %d | %s |\n", done, r.pairs, r.right, r.beside, r.unnamed, r.wrong, strings.Join(names, "; "))
}
