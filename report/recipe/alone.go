package recipe

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/recipe"
)

// A child to which only one of the given parents gives anything is no mixture of them that
// no method explains: there was nothing to mix.

// alone is the one parent that takes part, where it was changed; nil where several do, or
// the values are its own.
func (r *Recipe) alone() (one *Parent) {
	if r.Method != recipe.Unknown || r.After == recipe.NoMixture || r.taking() != 1 {
		return nil
	}
	for k := range r.Parents {
		if r.Parents[k].Takes {
			one = &r.Parents[k]
		}
	}
	return one
}

// changed says what the comparison with it found.
func (p *Parent) changed() string {
	if len(p.Kinds) == 0 {
		return "changed"
	}
	return spelled(p.Kinds)
}

func spelled(kinds []verdict.Kind) string {
	words := make([]string, len(kinds))
	for i, k := range kinds {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}

// sayAlone says who takes part and who has no share, and what no comparison with one
// parent excludes.
func (r *Recipe) sayAlone(p *Parent, say func(string, ...any)) {
	say("of these only %s takes part: %s, or mixed with a model that is not among these, which may look the same", escape.Printable(p.Ref), p.changed())
	for k := range r.Parents {
		if o := &r.Parents[k]; o != p {
			say("%s has no share", escape.Printable(o.Ref))
		}
	}
	words := fmt.Sprintf("the difference is %.3g times what rounding to the child's type leaves; %.0f %% of the values are further from the parent's than rounding takes them", float64(r.Rounding), 100*float64(r.Remainder.Off))
	if rank := float64(r.Remainder.Rank); rank > 0 {
		words += fmt.Sprintf("; %.0f %% of the directions of a matrix hold nine tenths of it", 100*rank)
	}
	say("%s", words)
}
