// Package faithful reports whether a quantised model is what a quantiser makes of
// a source, tensor for tensor: it pairs the two, judges every block by package
// similarity/faithful, and puts what it found into words.
package faithful

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/faithful"
	"github.com/weightprint/weightprint/similarity/layers"
)

// Schema names the JSON form of a Report.
const Schema = "weightprint.faithful/1"

// Verdict is what was found of the whole model.
type Verdict string

// The verdicts.
const (
	Faithful     Verdict = "faithful"     // every block is what the rule gives
	Reachable    Verdict = "reachable"    // every block is one that the quantiser can come to
	Deviates     Verdict = "deviates"     // some block is neither
	Undetermined Verdict = "undetermined" // no block deviates, and some are not determined
)

// Verdicts lists the verdicts.
var Verdicts = []Verdict{Faithful, Reachable, Deviates, Undetermined}

// Options says how models are held against each other.
type Options struct {
	// Importance holds the importance of the columns of matrices by the name of
	// the quantised tensor; stacked matrices have one list after the other.
	Importance map[string][]float32
	Pin        bool // digest whole files
	Workers    int  // 0 = one for each processor
	Named      int  // deviations listed of each tensor; 0 = 20
}

// Report says what was found.
type Report struct {
	Schema     string         `json:"schema"`
	Tool       report.Tool    `json:"tool"`
	Quantised  report.Subject `json:"quantised"`
	Source     report.Subject `json:"source"`
	Importance bool           `json:"importance"` // some was given
	Verdict    Verdict        `json:"verdict"`
	Because    []string       `json:"because"`
	Blocks     Blocks         `json:"blocks"`
	Types      []Type         `json:"types"`
	Tensors    []Tensor       `json:"tensors"`
	Unpaired   []string       `json:"unpaired"` // of the quantised model: no counterpart in the source
	Missing    []string       `json:"missing"`  // of the source: no counterpart in the quantised model
	Computed   []string       `json:"computed"` // tables that follow from the configuration of the source
	Limits     []string       `json:"limits"`
	// NotExcluded is what an alteration may be and stay unseen by what was found.
	NotExcluded []string `json:"notExcluded"`
	Warnings    []string `json:"warnings"`

	turned bool // query and key rows lie in another order than declared
	folded int  // gains and biases that layouts with moved factors leave open
}

// Blocks counts blocks by what they were found to be.
type Blocks struct {
	Exact     int64 `json:"exact"`
	Rounding  int64 `json:"rounding"`
	Reachable int64 `json:"reachable"`
	Open      int64 `json:"open"`
	Deviates  int64 `json:"deviates"`
}

// Total is the number of blocks.
func (b Blocks) Total() int64 { return b.Exact + b.Rounding + b.Reachable + b.Open + b.Deviates }

func (b *Blocks) add(o Blocks) {
	b.Exact += o.Exact
	b.Rounding += o.Rounding
	b.Reachable += o.Reachable
	b.Open += o.Open
	b.Deviates += o.Deviates
}

// Type sums up the tensors of a type that were judged in one way.
type Type struct {
	Name    string        `json:"type"`
	Mode    faithful.Mode `json:"mode"`
	Through string        `json:"through"` // type that the source was rounded to first, "" for none
	Tensors int           `json:"tensors"`
	Blocks  Blocks        `json:"blocks"`
}

// Tensor is what was found of one tensor of the quantised model.
type Tensor struct {
	Name       string         `json:"name"`
	Role       string         `json:"role"`
	Source     string         `json:"source"` // name of the tensor of the source
	Type       string         `json:"type"`
	Mode       faithful.Mode  `json:"mode"`
	Through    string         `json:"through"`
	Scales     string         `json:"scales"` // the rule of scales that lie apart from the codes, "" for none
	Rows       int            `json:"rows"`
	Cols       int            `json:"cols"`
	Verdict    Verdict        `json:"verdict"`
	Blocks     Blocks         `json:"blocks"`
	Values     int64          `json:"values"`       // that deviate by themselves
	Largest    verdict.Number `json:"largestSteps"` // of all deviations
	Deviations []Deviation    `json:"deviations"`   // the first ones, by place
	Why        string         `json:"why,omitempty"`
}

// Deviation is one block that the quantiser does not make of the source. Rows are
// those of the matrix as it is used, outputs first.
type Deviation struct {
	Row    int            `json:"row"`
	Block  int            `json:"block"`
	Col    int            `json:"column"`
	Values int            `json:"values"`
	Steps  verdict.Number `json:"steps"`
	What   string         `json:"what"`
}

// Check holds a quantised model against its source.
func Check(ctx context.Context, quantised, source report.Input, o *Options) (*Report, error) {
	if o == nil {
		o = &Options{}
	}
	r := &Report{Schema: Schema, Tool: report.ThisTool(), Importance: o.Importance != nil, Because: []string{}, Types: []Type{}, Tensors: []Tensor{}, Unpaired: []string{}, Missing: []string{}, Computed: []string{}, Warnings: []string{}, NotExcluded: []string{}, Limits: slices.Clone(limits)}
	m, err := r.pair(ctx, quantised, source)
	if err != nil {
		return nil, err
	}
	if err := r.judge(ctx, m, o); err != nil {
		return nil, err
	}
	if err := r.leftOver(ctx, quantised.Model, source.Model, o); err != nil {
		return nil, err
	}
	if r.Quantised, err = quantised.Describe(ctx, o.Pin); err != nil {
		return nil, err
	}
	if r.Source, err = source.Describe(ctx, o.Pin); err != nil {
		return nil, err
	}
	r.decide()
	return r, nil
}

// pair says which tensor of the source stands against which of the quantised
// model, query and key rows in one order.
func (r *Report) pair(ctx context.Context, quantised, source report.Input) (*align.Matching, error) {
	a, b := source.Subject(), quantised.Subject()
	if len(a.Net.Towers) > 0 != (len(b.Net.Towers) > 0) { // names that only one side has say nothing of the other
		a.Net, b.Net = roles.Unnamed(source.Model), roles.Unnamed(quantised.Model)
	}
	p := align.NewPair(a, b, []byte("faithful"), align.NoLimit)
	notes, err := layers.AlignRotary(ctx, p)
	if err != nil {
		return nil, err
	}
	r.turned = len(notes) > 0
	r.Warnings = append(append(append(r.Warnings, notes...), quantised.Warnings...), source.Warnings...)
	if err := layers.PairGeneric(ctx, p); err != nil {
		return nil, err
	}
	m := p.Match()
	r.Missing = append(r.Missing, m.OnlyA...)
	return m, r.unpaired(ctx, m, b.Net, source.Model.Metadata())
}

// unpaired lists what the source has no counterpart of, by the names in the file.
func (r *Report) unpaired(ctx context.Context, m *align.Matching, net *roles.Network, source tensor.Metadata) error {
	only := map[string]bool{}
	for _, role := range m.OnlyB {
		only[role] = true
	}
	add := func(role string, t *tensor.Tensor) error {
		if !only[role] {
			return nil
		}
		follows, err := computedTable(ctx, t, source)
		if follows {
			r.Computed = append(r.Computed, t.Name)
		} else {
			r.Unpaired = append(r.Unpaired, t.Name)
		}
		return err
	}
	for _, x := range net.Matrices() {
		if err := add(x.Role, x.Tensor); err != nil {
			return err
		}
	}
	for _, x := range net.AllVectors() {
		if err := add(x.Role, x.Tensor); err != nil {
			return err
		}
	}
	return nil
}

// judge judges every pair.
func (r *Report) judge(ctx context.Context, m *align.Matching, o *Options) error {
	own := faithful.Options{Workers: o.Workers, Named: o.Named}
	moved := false
	for _, p := range m.Matrices {
		t, err := faithful.Judge(ctx, faithful.Pair{Quantised: p.B, Source: p.A, Importance: fitting(o.Importance[p.B.Tensor.Name], p.B.Cols)}, own)
		if err != nil {
			return err
		}
		moved = moved || movesFactors(p.B.Tensor.Data) && t.Mode == faithful.Cells && t.Blocks[faithful.Open] > 0
		r.add(t, p.B.Role, p.B.Tensor, p.A.Tensor)
	}
	for _, p := range m.Vectors {
		a, err := p.A.Read(ctx)
		if err != nil {
			return err
		}
		b, err := p.B.Read(ctx)
		if err != nil {
			return err
		}
		dt := p.B.Tensor.DType
		t := faithful.Vector(dt.String(), b, a, dt.Rounding(), p.A.Tensor.DType.Rounding(), own)
		if n := t.Blocks[faithful.Deviates]; moved && n > 0 {
			t.Blocks[faithful.Deviates], t.Blocks[faithful.Open] = 0, n
			t.Why = "quantisers of this layout may divide gains by what they multiply columns with"
			r.folded++
		}
		r.add(t, p.B.Role, p.B.Tensor, p.A.Tensor)
	}
	return nil
}

// movesFactors tells whether quantisers of a layout move factors between gains, biases
// and the columns of matrices before they round: AWQ (Lin et al. 2023), SmoothQuant
// (Xiao et al. 2022).
func movesFactors(d tensor.Data) bool {
	for {
		if s, ok := d.(fmt.Stringer); ok {
			return slices.ContainsFunc([]string{"AWQ", "compressed-tensors", "INT8 scaled"}, func(l string) bool { return strings.HasPrefix(s.String(), l) })
		}
		u, ok := d.(interface{ Unwrap() tensor.Data })
		if !ok {
			return false
		}
		d = u.Unwrap()
	}
}

// fitting leaves out importance of another length.
func fitting(w []float32, cols int) []float32 {
	if cols == 0 || len(w) == 0 || len(w)%cols != 0 {
		return nil
	}
	return w
}

// add takes the findings of a tensor into the report.
func (r *Report) add(t *faithful.Tensor, role string, own, source *tensor.Tensor) {
	x := Tensor{
		Name: own.Name, Role: role, Source: source.Name, Type: t.Type, Mode: t.Mode, Through: t.Through, Scales: t.Scales, Rows: t.Rows, Cols: t.Cols,
		Blocks: blocksOf(t), Values: t.Values, Largest: verdict.Number(t.Largest), Deviations: []Deviation{}, Why: t.Why,
	}
	for _, d := range t.Deviations {
		x.Deviations = append(x.Deviations, Deviation{d.Row, d.Block, d.Col, d.Count, verdict.Number(d.Steps), d.What})
	}
	x.Verdict = verdictOf(x.Blocks, x.Mode)
	r.Tensors = append(r.Tensors, x)
	r.Blocks.add(x.Blocks)
	i := slices.IndexFunc(r.Types, func(y Type) bool { return y.Name == x.Type && y.Mode == x.Mode && y.Through == x.Through })
	if i < 0 {
		i = len(r.Types)
		r.Types = append(r.Types, Type{Name: x.Type, Mode: x.Mode, Through: x.Through})
	}
	r.Types[i].Tensors++
	r.Types[i].Blocks.add(x.Blocks)
}

func blocksOf(t *faithful.Tensor) Blocks {
	b := t.Blocks
	return Blocks{b[faithful.Exact], b[faithful.Rounding], b[faithful.Reachable], b[faithful.Open], b[faithful.Deviates]}
}
