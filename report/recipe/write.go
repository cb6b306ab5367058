package recipe

import (
	"fmt"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/recipe"
)

// parts lists the share of each component that is given exactly.
func parts(all []recipe.Component) string {
	var words []string
	for _, c := range all {
		if c.Exact >= 0 {
			words = append(words, fmt.Sprintf("%s %.1f", c.Name, 100*c.Exact))
		}
	}
	if len(words) == 0 {
		return ""
	}
	return " (" + strings.Join(words, ", ") + ")"
}

func names(methods []recipe.Method) string {
	var out []string
	for _, m := range methods {
		out = append(out, string(m))
	}
	return strings.Join(out, ", ")
}

// WriteJSON writes the recipe as indented JSON.
func (r *Recipe) WriteJSON(w io.Writer) error {
	return escape.WriteJSON(w, r)
}

// followed are what followed, in words where the name says more than is known.
func followed(a recipe.After) string {
	if a == recipe.Trained {
		return "trained, or changed otherwise"
	}
	return string(a)
}

// headline names the method and what followed.
func (r *Recipe) headline() string {
	switch {
	case r.After == recipe.NoMixture:
		return "NO MIXTURE OF THESE"
	case r.alone() != nil:
		return "ONE OF THESE ALONE · " + r.alone().changed() + ", or mixed with another"
	case r.Method == recipe.Unknown:
		return "NO METHOD EXPLAINS IT · linear part and remainder · " + followed(r.After)
	}
	return strings.ToUpper(string(r.Method)) + " · " + followed(r.After)
}

// examined is the relation, where label tests decide it.
func (p *Parent) examined() string {
	if p.Relation == verdict.Inconclusive {
		return "not examined"
	}
	return string(p.Relation)
}

// WriteText writes the recipe for people.
func (r *Recipe) WriteText(w io.Writer) error {
	t := &columns.Text{}
	t.Line("%s", escape.Printable(r.Child.Ref))
	t.Line("")
	t.Line("%s", r.headline())
	for _, b := range r.Because {
		t.Row("", b)
	}
	t.Line("")
	t.Line("%8s %9s  %-13s parent", "weight", "± 95 %", "relation")
	for k, p := range r.Parents {
		base := ""
		if r.Base != nil && *r.Base == k {
			base = "  (base)"
		}
		t.Line("%8.4f %9.4f  %-13s %s%s", float64(p.Weight), float64(p.CI), p.examined(), escape.Printable(p.Ref), base)
	}
	t.Row("", Examined)
	t.Line("")
	for _, l := range r.Layers {
		var words []string
		for k, x := range l.Weights {
			word := fmt.Sprintf("%.3f", float64(x))
			if s := l.Sources[k]; s != nil && float64(x) > verdict.TakesPart {
				word += fmt.Sprintf(" of layer %d", *s)
			}
			words = append(words, word)
		}
		t.Line("%-12s %s", l.Name, strings.Join(words, " | "))
	}
	_, err := io.WriteString(w, t.String())
	return err
}
