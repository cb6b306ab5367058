// Package recipe finds which parents a child was mixed from, and how: it compares
// them, fits the mixture by package similarity/recipe, and puts it into words.
package recipe

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
	"github.com/weightprint/weightprint/similarity/recipe"
)

// Schema names the JSON form of a Recipe.
const Schema = "weightprint.recipe/1"

// Recipe says how a child was mixed from parents.
type Recipe struct {
	Schema     string           `json:"schema"`
	Tool       report.Tool      `json:"tool"`
	Child      report.Subject   `json:"child"`
	Parents    []Parent         `json:"parents"`
	Method     recipe.Method    `json:"method"`
	Base       *int             `json:"base"`                // index of the parent that task vectors start from
	Same       []recipe.Method  `json:"same"`                // methods that give the same values here
	After      recipe.After     `json:"after"`               // merge-only, or what the remainder says
	T          *verdict.Number  `json:"t"`                   // SLERP, NuSLERP: place on the arc where it is one for all tensors
	Density    verdict.Number   `json:"density"`             // mean share of the entries of task vectors that were kept; 0 where all were
	Densities  []verdict.Number `json:"densities"`           // the same by parent
	Unscaled   []verdict.Number `json:"unscaled,omitempty"`  // weights that give the same where what was kept was not scaled up
	Epsilon    verdict.Number   `json:"epsilon"`             // DELLA: how far the chance of being kept rises and falls around the density
	Gamma      verdict.Number   `json:"gamma"`               // breadcrumbs: share of the largest entries that was dropped
	Lambda     verdict.Number   `json:"lambda"`              // what the mixed task vector was multiplied with
	Rows       string           `json:"weighedBy,omitempty"` // "rows" or "columns" where each has weights of its own
	Remainder  Remainder        `json:"remainder"`
	Components []Component      `json:"components"`
	Tensors    []Tensor         `json:"tensors"`
	Residual   verdict.Number   `json:"residual"`   // |child − mixture| / |child − nearest parent|
	Rounding   verdict.Number   `json:"rounding"`   // the residual in units of the child's own rounding
	Exact      *verdict.Number  `json:"exactShare"` // values that are exactly what the mixture rounds to; null where that cannot be asked
	Missing    bool             `json:"parentMissing"`
	Layers     []Layer          `json:"layers"`
	Because    []string         `json:"because"`
	Warnings   []string         `json:"warnings"`
}

// Parent is one of the given parents.
type Parent struct {
	report.Subject
	Relation verdict.Relation `json:"relation"` // of the child to it, from label tests alone: inconclusive means not examined further
	Log10P   *verdict.Number  `json:"log10P"`
	Weight   verdict.Number   `json:"weight"`
	CI       verdict.Number   `json:"ci95"` // half width
	Takes    bool             `json:"takesPart"`
	Kinds    []verdict.Kind   `json:"kinds"` // what happened between it and the child, by the same comparison
}

// Layer is the mixture of one layer of the child.
type Layer struct {
	Name     string           `json:"name"`
	Sources  []*int           `json:"sources"` // layer of each parent; null if none or outside layers
	Weights  []verdict.Number `json:"weights"`
	CI       []verdict.Number `json:"ci95"`
	Residual verdict.Number   `json:"residual"`
}

// Tensor is the mixture of one tensor of the child.
type Tensor struct {
	Role      string           `json:"role"`
	Component string           `json:"component"`
	Weights   []verdict.Number `json:"weights"` // null for gains and biases, whose few values hold too little
	CI        []verdict.Number `json:"ci95"`
	Scale     verdict.Number   `json:"scale"` // the sum of the weights
	T         *verdict.Number  `json:"t"`     // place on the arc
	Exact     *verdict.Number  `json:"exactShare"`
}

// Component says how well the mixture gives the values of a component.
type Component struct {
	Name   string          `json:"name"`
	Values int             `json:"values"`     // in which the parents differ
	Exact  *verdict.Number `json:"exactShare"` // of them, exactly what the mixture rounds to; null where that cannot be asked
	Off    verdict.Number  `json:"offShare"`   // of all, further from the mixture than rounding takes them
}

// Remainder describes what the mixture leaves.
type Remainder struct {
	Steps verdict.Number `json:"steps"`     // root mean square, in steps of the child's type
	Off   verdict.Number `json:"offShare"`  // share of values further away than rounding takes them
	Rank  verdict.Number `json:"rank"`      // share of directions that hold nine tenths of it
	Rows  verdict.Number `json:"cleanRows"` // share of the rows of embeddings that hold nothing of it
	Apart verdict.Number `json:"asMissing"` // its size over what a missing parent with the base's weight would leave; 0 where that cannot be asked
}

// Find finds which of the parents the child was mixed from, and how.
func Find(ctx context.Context, child report.Input, parents []report.Input, o *report.Options) (*Recipe, error) {
	out := &Recipe{Schema: Schema, Tool: report.ThisTool(), Layers: []Layer{}, Because: []string{}, Warnings: []string{}}
	quick := o.WithDefaults()
	quick.Depth = report.Quick
	for _, in := range parents {
		r, err := report.Build(ctx, in, child, &quick)
		if err != nil {
			return nil, err
		}
		out.Child = r.Subjects[1]
		out.Parents = append(out.Parents, Parent{Subject: r.Subjects[0], Relation: r.Verdict.Relation, Log10P: r.Verdict.Log10P, Kinds: append([]verdict.Kind{}, r.Verdict.Kinds...)})
	}
	found, err := Fit(ctx, child, parents)
	if err != nil {
		return nil, err
	}
	out.fill(found)
	return out, nil
}

// Fit fits a child to parents that are known to be related to it, without
// comparing them first.
func Fit(ctx context.Context, child report.Input, parents []report.Input) (*recipe.Recipe, error) {
	var pairs []*align.Pair
	for _, in := range parents {
		p, err := layered(ctx, in, child)
		if err != nil {
			return nil, err
		}
		pairs = append(pairs, p)
	}
	return recipe.Find(ctx, pairs)
}

// layered lays a parent and the child side by side, layer for layer.
func layered(ctx context.Context, parent, child report.Input) (*align.Pair, error) {
	p := align.NewPair(parent.Subject(), child.Subject(), nil, align.NoLimit)
	if _, err := layers.AlignRotary(ctx, p); err != nil {
		return nil, err
	}
	for i, t := range p.Towers {
		m, err := layers.Map(ctx, p, t)
		if err != nil {
			return nil, err
		}
		if m != nil && m.Changed {
			p.Follow(i, m.Pairs, m.Held)
		}
	}
	return p, nil
}

// known is a number that is not negative, null where it is.
func known(x float64) *verdict.Number {
	if x < 0 {
		return nil
	}
	n := verdict.Number(x)
	return &n
}

func numbers(x []float64) (out []verdict.Number) {
	for _, v := range x {
		out = append(out, verdict.Number(v))
	}
	return out
}

// listed are the weights that are not zero.
func listed(x []verdict.Number) string {
	var words []string
	for _, v := range x {
		if v != 0 {
			words = append(words, fmt.Sprintf("%.3g", float64(v)))
		}
	}
	return strings.Join(words, " and ")
}

func (r *Recipe) fill(f *recipe.Recipe) {
	r.Method, r.Density, r.Residual, r.Rounding, r.Missing = f.Method, verdict.Number(f.Density), verdict.Number(f.Residual), verdict.Number(f.Rounding), f.Missing
	if f.Base >= 0 {
		r.Base = &f.Base
	}
	r.Warnings = append(r.Warnings, f.Warnings...)
	r.After, r.Same, r.Rows = f.After, append([]recipe.Method{}, f.Same...), f.Rows
	r.T, r.Epsilon, r.Gamma, r.Lambda = known(f.T), verdict.Number(f.Epsilon), verdict.Number(f.Gamma), verdict.Number(f.Lambda)
	r.Densities, r.Unscaled = numbers(f.Densities), numbers(f.Unscaled())
	r.Remainder = Remainder{verdict.Number(f.Remainder.Steps), verdict.Number(f.Remainder.Off), verdict.Number(f.Remainder.Rank), verdict.Number(f.Remainder.Rows), verdict.Number(f.Remainder.Apart)}
	r.Tensors, r.Components = []Tensor{}, []Component{}
	for _, t := range f.Tensors {
		r.Tensors = append(r.Tensors, Tensor{t.Role, t.Component, numbers(t.Weights), numbers(t.CI), verdict.Number(t.Scale), known(t.T), known(t.Exact)})
	}
	for _, c := range f.Components {
		r.Components = append(r.Components, Component{c.Name, c.Values, known(c.Exact), verdict.Number(c.Off)})
	}
	for k := range r.Parents {
		p := &r.Parents[k]
		p.Weight, p.CI = verdict.Number(f.Weights[k]), verdict.Number(f.CI[k])
		p.Takes = math.Abs(f.Weights[k]) > verdict.TakesPart
	}
	for _, l := range f.Layers {
		x := Layer{Name: l.Name, Residual: verdict.Number(l.Residual)}
		for k, w := range l.Weights {
			x.Weights, x.CI = append(x.Weights, verdict.Number(w)), append(x.CI, verdict.Number(l.CI[k]))
			if s := l.Sources[k]; s >= 0 {
				x.Sources = append(x.Sources, &s)
			} else {
				x.Sources = append(x.Sources, nil)
			}
		}
		r.Layers = append(r.Layers, x)
	}
	if f.Exact >= 0 {
		n := verdict.Number(f.Exact)
		r.Exact = &n
	}
	if slices.ContainsFunc(r.Parents, func(p Parent) bool { return p.Relation == verdict.Inconclusive }) {
		r.Warnings = append(r.Warnings, Examined)
	}
	r.explain(f)
}

// afterwards are the words for what the remainder says.
var afterwards = map[recipe.After]string{
	recipe.MergeOnly: "",
	recipe.Trained:   "that is more than rounding: the mixture was trained further, its values were changed otherwise, or a parent's units stood in another order when it was mixed",
	recipe.Thinned:   "values were made zero afterwards, and the others are the mixture's",
	recipe.Coarsened: "that is more than the type's rounding: the values lie on a coarse lattice, and the mixture within half a step of it",
	recipe.Rounded:   "the parents' own rounding, multiplied by the weights, explains the remainder: nothing shows training. With a negative weight the child may be what one of these was mixed from",
	recipe.Remains:   "the remainder is not explained: training, another change of the values, rounding that cannot be told, and a common third look the same",
	recipe.Missing:   "that is more than rounding, and about what a parent that is not among these would leave: the base has a weight that a whole mixture would not give it",
	recipe.Open:      "that is more than rounding: a parent is missing, or the mixture was trained further; the remainder cannot tell",
	recipe.NoMixture: "",
}

// Sibling says what a single parent does not show.
const Sibling = "of a single parent: made from it, or it from the child, or both from a third; weights name no direction"

// Examined says what the relation of a parent rests on.
const Examined = "relation: from label tests alone, deeper ones were not examined; where they do not decide, compare may"

// reversed says that the same relation may read the other way round: a parent that was
// made from the child and the others, given in the wrong place.
func reversed(f *recipe.Recipe, taking int) string {
	switch {
	case f.Method == recipe.Unknown || f.Method == recipe.Copy || taking < 2:
		return ""
	case f.Method == recipe.Passthrough || f.Method == recipe.Fusion:
		return "values taken over whole are the same on both sides: a parent may as well have been put together from this model and the others"
	case f.Exact < 0:
		return "the values do not tell which of these models is the mixture: a parent may as well have been mixed from this model and the others, which gives the same relation read the other way round"
	}
	return "" // the share that is exact tells: see there
}

// taking counts the parents that take part.
func (r *Recipe) taking() (n int) {
	for _, p := range r.Parents {
		if p.Takes {
			n++
		}
	}
	return n
}

// sayMixture says what the mixture leaves, and what is left where no method gives it.
func sayMixture(f *recipe.Recipe, say func(string, ...any)) {
	say("the mixture leaves %.3g of the distance to the nearest parent, %.3g times what rounding to the child's type leaves", f.Residual, f.Rounding)
	if words := afterwards[f.After]; words != "" {
		say("%s", words)
	}
	if f.Method != recipe.Unknown {
		return
	}
	say("no method is named: none gives these values. The weights are those of the linear part; %.0f %% of the values are further from it than rounding takes them", 100*f.Remainder.Off)
	if f.Remainder.Rank > 0 {
		say("%.0f %% of the directions of a matrix hold nine tenths of the remainder", 100*f.Remainder.Rank)
	}
}

// explain puts the findings into sentences.
func (r *Recipe) explain(f *recipe.Recipe) {
	say := func(format string, args ...any) { r.Because = append(r.Because, fmt.Sprintf(format, args...)) }
	if f.After == recipe.NoMixture {
		say("no weights are stated: these parents give next to nothing of the child, or its tensors disagree about the weights by more than these come to")
		return
	}
	if one := r.alone(); one != nil {
		r.sayAlone(one, say)
	} else {
		sayMixture(f, say)
	}
	if r.taking() == 1 {
		say("%s", Sibling)
	}
	if f.Untouched > 0 {
		say("the weights follow from %d rows that one mixture gives exactly: nothing was added there", f.Untouched)
	}
	if f.Exact >= 0 {
		words := fmt.Sprintf("%.1f %% of the values in which the parents differ are exactly what the mixture rounds to", 100*f.Exact)
		switch {
		case f.Exact < verdict.Mixed && f.After == recipe.MergeOnly:
			words += ": the others lie within a few roundings, as where a coarse type was computed in"
		case f.Exact < verdict.Mixed:
			words += ": fewer than whoever mixed these parents would have got, so the child may as well be what one of them was mixed from"
		}
		say("%s%s", words, parts(f.Components))
	}
	if words := reversed(f, r.taking()); words != "" {
		say("%s", words)
	}
	if len(f.Same) > 0 {
		say("%s gives the same values here", names(f.Same))
	}
	if f.Rows != "" {
		say("each matrix was mixed by its %s, with weights of their own", f.Rows)
	}
	if f.T >= 0 {
		say("at %.4g of the way from the first to the second", f.T)
	}
	if f.Density > 0 {
		words := fmt.Sprintf("%.0f %% of the entries of each task vector were kept", 100*f.Density)
		if f.Epsilon > 0 {
			words += fmt.Sprintf(", larger ones more often (epsilon %.2g)", f.Epsilon)
		}
		if f.Gamma > 0 {
			words += fmt.Sprintf(", the largest %.2g %% dropped", 100*f.Gamma)
		}
		if len(r.Unscaled) > 0 {
			words += fmt.Sprintf(", scaled up for those that were dropped; without scaling up weights of %s give the same", listed(r.Unscaled))
		}
		if math.Abs(f.Lambda-1) > 1e-9 {
			words += fmt.Sprintf("; what was mixed was multiplied with %.3g", f.Lambda)
		}
		say("%s", words)
	}
}
