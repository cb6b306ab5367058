// Package diff lays out what differs between two models, where a report says it in
// one line: the tensors, layers and rows, by how much and in which form, with the
// names on both sides.
package diff

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
	"github.com/weightprint/weightprint/similarity/diff"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Schema names the JSON form of a Diff.
const Schema = "weightprint.diff/1"

// Diff is what differs between two models.
type Diff struct {
	Schema   string            `json:"schema"`
	Tool     report.Tool       `json:"tool"`
	Subjects [2]report.Subject `json:"subjects"`
	Verdict  Verdict           `json:"verdict"` // of the comparison, in one line
	Summary  map[diff.Form]int `json:"summary"` // tensors by form
	Findings []string          `json:"findings"`
	Tensors  []Tensor          `json:"tensors"` // in the order of B; those of one side last
	Layers   []Layer           `json:"layers"`
	Shared   []Shared          `json:"sharedDirections"`
	Limits   []string          `json:"limits"`
}

// Verdict is what compare says of the two.
type Verdict struct {
	Relation verdict.Relation `json:"relation"`
	Kinds    []verdict.Kind   `json:"kinds"`
}

// Tensor is the difference in one role.
type Tensor struct {
	Role      string         `json:"role"`
	Component string         `json:"component"`
	A         *Side          `json:"a"` // null where the side has no such tensor
	B         *Side          `json:"b"`
	LayerA    int            `json:"layerA"` // -1 outside layers
	LayerB    int            `json:"layerB"`
	Form      diff.Form      `json:"form"`
	Values    int64          `json:"values"` // compared
	Differ    int64          `json:"differ"` // of them
	Rows      int            `json:"rows"`
	RowsDiff  int            `json:"rowsDiffer"`
	Relative  verdict.Number `json:"relative"` // |b − a| / |a|
	Cosine    verdict.Number `json:"cosine"`
	Largest   verdict.Number `json:"largest"` // |b − a| of one value
	Factor    verdict.Number `json:"factor,omitempty"`
	Rank      int            `json:"rank,omitempty"` // directions of the change, where they are few
	Along     []Along        `json:"along,omitempty"`
	Most      []Row          `json:"mostChanged,omitempty"`
	Changed   [][2]int       `json:"changedRows,omitempty"` // runs, the last row included
	Heads     []int          `json:"heads,omitempty"`
	Added     []Row          `json:"added,omitempty"`
	Removed   []Row          `json:"removed,omitempty"`
}

// Side is a tensor as it is stored.
type Side struct {
	Name  string `json:"name"`
	Type  string `json:"dtype"`
	Shape [2]int `json:"shape"`
}

// Along is what a change did along its strongest direction.
type Along struct {
	Side  string         `json:"side"`  // "rows": of the outputs; "columns": of the inputs
	Share verdict.Number `json:"share"` // of the change that lies along it
	A     verdict.Number `json:"a"`     // root mean square of the values along it
	B     verdict.Number `json:"b"`
}

// Row is a row by its place and what it is of.
type Row struct {
	At       int            `json:"row"`
	Name     string         `json:"name,omitempty"`
	Relative verdict.Number `json:"relative,omitempty"`
}

// Layer sums up one layer of B.
type Layer struct {
	A        int            `json:"a"` // its layer in A, -1 if none
	B        int            `json:"b"`
	Tensors  int            `json:"tensors"`
	Differ   int            `json:"differ"` // tensors that are not equal
	Relative verdict.Number `json:"relative"`
}

// Shared is a direction in which several tensors changed alike.
type Shared struct {
	Side   string         `json:"side"`
	Width  int            `json:"width"`
	Cosine verdict.Number `json:"cosine"`
	Roles  []string       `json:"roles"`
}

// Find compares two models and lays out what differs. What is compared of each
// follows the budget: all of it where it holds both, rows of every matrix
// otherwise.
func Find(ctx context.Context, a, b report.Input, o *report.Options) (*Diff, error) {
	r, err := report.Build(ctx, a, b, o)
	if err != nil {
		return nil, err
	}
	p := align.NewPair(a.Subject(), b.Subject(), nil, align.NoLimit)
	if err := layers.SideBySide(ctx, p); err != nil {
		return nil, err
	}
	opts := diff.Options{TokensA: a.Tokens, TokensB: b.Tokens}
	d := &Diff{Schema: Schema, Tool: report.ThisTool(), Subjects: r.Subjects, Verdict: Verdict{r.Verdict.Relation, r.Verdict.Kinds}, Summary: map[diff.Form]int{}, Findings: []string{}, Layers: []Layer{}, Shared: []Shared{}, Limits: []string{}}
	if budget := o.WithDefaults().Budget; budget != report.Full && max(a.BytesTotal(), b.BytesTotal()) > int64(budget) {
		p.Budget = int64(budget)
		opts.Rows, _ = p.RowsWithin(p.Match(), delta.Cost)
		d.Limits = append(d.Limits, fmt.Sprintf("Of every matrix at most %d rows were compared; --budget full compares all.", opts.Rows))
	}
	if r.Verdict.Relation == verdict.NoEvidence || r.Verdict.Relation == verdict.Inconclusive {
		d.Limits = append(d.Limits, "No common origin was found, so that values in the same role need have nothing to do with each other.")
	}
	found, err := diff.Compare(ctx, p, opts)
	if err != nil {
		return nil, err
	}
	d.fill(found)
	return d, nil
}

func (d *Diff) fill(f *diff.Difference) {
	for i := range f.Tensors {
		d.Summary[f.Tensors[i].Form]++
		d.Tensors = append(d.Tensors, tensorOf(&f.Tensors[i]))
	}
	for _, s := range f.Shared {
		x := Shared{Side: s.Side, Width: s.Width, Cosine: verdict.Number(s.Cosine)}
		for _, t := range s.Tensors {
			x.Roles = append(x.Roles, f.Tensors[t].Role)
		}
		d.Shared = append(d.Shared, x)
	}
	d.layers()
	d.findings()
}

func tensorOf(t *diff.Tensor) Tensor {
	x := Tensor{
		Role: t.Role, Component: t.Component, LayerA: t.LayerA, LayerB: t.LayerB, Form: t.Form, Values: t.Values, Differ: t.Differ, Rows: t.RowsOf, RowsDiff: t.RowsDiff,
		Relative: verdict.Number(t.Relative), Cosine: verdict.Number(t.Cosine), Largest: verdict.Number(t.Largest), Factor: verdict.Number(t.Factor), Rank: t.Rank,
		Most: rowsOf(t.Most), Heads: t.Heads, Added: rowsOf(t.Added), Removed: rowsOf(t.Removed),
	}
	if t.NameA != "" {
		x.A = &Side{t.NameA, t.TypeA, t.ShapeA}
	}
	if t.NameB != "" {
		x.B = &Side{t.NameB, t.TypeB, t.ShapeB}
	}
	for _, a := range t.Along {
		x.Along = append(x.Along, Along{a.Side, verdict.Number(a.Share), verdict.Number(a.A), verdict.Number(a.B)})
	}
	for _, s := range t.Changed {
		x.Changed = append(x.Changed, [2]int{s.First, s.Last})
	}
	return x
}

func rowsOf(rows []diff.Row) (out []Row) {
	for _, r := range rows {
		out = append(out, Row{r.At, r.Name, verdict.Number(r.Relative)})
	}
	return out
}

// layers sums tensors up by layer of B.
func (d *Diff) layers() {
	at := map[int]int{}
	size := map[int][2]float64{}
	for _, t := range d.Tensors {
		if t.LayerB < 0 {
			continue
		}
		i, ok := at[t.LayerB]
		if !ok {
			i = len(d.Layers)
			at[t.LayerB] = i
			d.Layers = append(d.Layers, Layer{A: -1, B: t.LayerB})
		}
		l := &d.Layers[i]
		if t.LayerA >= 0 {
			l.A = t.LayerA
		}
		l.Tensors++
		if t.Form != diff.Equal {
			l.Differ++
		}
		s := size[i]
		r := float64(t.Relative)
		size[i] = [2]float64{s[0] + float64(t.Values)*r*r, s[1] + float64(t.Values)}
	}
	for i := range d.Layers {
		if s := size[i]; s[1] > 0 {
			d.Layers[i].Relative = verdict.Number(math.Sqrt(s[0] / s[1]))
		}
	}
}

// Differs tells whether anything differs but how values are stored.
func (d *Diff) Differs() bool {
	for form, n := range d.Summary {
		if n > 0 && form != diff.Equal && form != diff.Stored {
			return true
		}
	}
	return false
}

// WriteJSON writes the difference as indented JSON.
func (d *Diff) WriteJSON(w io.Writer) error { return escape.WriteJSON(w, d) }

// kind is a role without its layer.
func kind(role string) string {
	words := strings.Split(role, ".")
	if len(words) > 2 && words[0] == "layers" {
		return strings.Join(words[2:], ".")
	}
	return role
}
