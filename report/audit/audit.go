// Package audit holds claimed or declared lineage against the weights: each
// claim is confirmed, contradicted or unproven. Nothing is fetched because a
// model's own files name it.
package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Schema names the JSON form of an audit.
const Schema = "weightprint.audit/1"

// Outcome is what the weights say of a claim.
type Outcome string

// The outcomes.
const (
	Confirmed    Outcome = "confirmed"
	Contradicted Outcome = "contradicted"
	Unproven     Outcome = "unproven"
)

// Claim says that a model was made from a parent. Fields that are empty
// claim nothing.
type Claim struct {
	Parent    string              `json:"parent"`    // where the parent can be opened, or its name
	Root      *fingerprint.Digest `json:"root"`      // value digest of the parent
	Model     *fingerprint.Digest `json:"model"`     // value digest of the model itself
	Files     []string            `json:"files"`     // SHA-256 of files of the parent
	Relation  verdict.Relation    `json:"relation"`  // "related" unless set
	Kinds     []verdict.Kind      `json:"kinds"`     // how the model was made
	Direction verdict.Direction   `json:"direction"` // seen from the parent: "a-to-b"
}

// maxClaim bounds what ReadClaim takes in.
const maxClaim = 1 << 20

// ReadClaim reads a claim from JSON. Unknown and repeated fields are errors, and
// so are words outside the closed sets.
func ReadClaim(r io.Reader) (Claim, error) {
	var c Claim
	text, err := io.ReadAll(io.LimitReader(r, maxClaim+1))
	switch {
	case err != nil:
		return c, err
	case len(text) > maxClaim:
		return c, fmt.Errorf("claim: larger than %d bytes", maxClaim)
	}
	if err := strictjson.Known(text, &c); err != nil {
		if strings.Contains(err.Error(), `unknown field "parents"`) {
			err = fmt.Errorf("%w; did you mean parent? A claim names one", err)
		}
		return c, fmt.Errorf("claim: %w", err)
	}
	if c.Relation == "" {
		c.Relation = verdict.Related
	}
	return c, c.check()
}

func (c *Claim) check() error {
	switch {
	case c.Parent == "":
		return errors.New("claim: parent is empty")
	case len(c.Relation.MetBy()) == 0:
		return fmt.Errorf("claim: relation %.60q is not one of identical, reencoded, related, shared-init, no-evidence", c.Relation)
	case c.Direction != "" && c.Direction != verdict.AToB && c.Direction != verdict.BToA:
		return fmt.Errorf("claim: direction %.60q is neither a-to-b nor b-to-a", c.Direction)
	}
	for _, k := range c.Kinds {
		if !k.Known() {
			return fmt.Errorf("claim: %.60q is no kind", k)
		}
	}
	return nil
}

// Result is one claim with what became of it.
type Result struct {
	Claim    Claim            `json:"claim"`
	Source   string           `json:"source"`           // "claim", or what declares it
	Opened   string           `json:"opened,omitempty"` // where the parent was found
	Outcome  Outcome          `json:"outcome"`
	Because  string           `json:"because"`
	Verdict  *verdict.Verdict `json:"verdict,omitempty"`
	Subjects []report.Subject `json:"subjects,omitempty"` // parent and model, pinned
	Options  *report.Options  `json:"options,omitempty"`
	Warnings []string         `json:"warnings,omitempty"` // of the comparison
}

// relationKinds says which kinds a model card claims by base_model_relation.
// Fine-tunes and merges can look like several kinds.
var relationKinds = map[string][]verdict.Kind{"quantized": {verdict.QuantisedKind}, "adapter": {verdict.Adapter}}

// Run holds the given claims, or where there are none the parents that the
// model's own files declare, against the weights. A declared parent is looked
// for in Options.Parents, beside the model and in the hub's local cache; one that
// is not found leaves its claim unproven, and nothing is fetched.
func Run(ctx context.Context, ref string, claims []Claim, o *report.Options) ([]Result, error) {
	m, err := formats.Open(ctx, ref, o.Opening())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var out []Result
	for _, c := range claims {
		out = append(out, Result{Claim: c, Source: byCaller})
	}
	if len(claims) == 0 {
		for _, d := range m.Parents() {
			out = append(out, Result{Claim: Claim{Parent: d.Name, Relation: verdict.Related, Kinds: cardKinds(d)}, Source: d.Source})
		}
	}
	child := report.FromCheckpoint(ctx, m)
	for i := range out {
		if err := out[i].judge(ctx, ref, child, o); err != nil {
			return nil, err
		}
	}
	return out, m.Verify()
}

// judge compares the model with the claimed parent.
func (a *Result) judge(ctx context.Context, ref string, child report.Input, o *report.Options) error {
	err := a.compare(ctx, ref, child, o)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, report.ErrContradicted):
		a.Outcome, a.Because = Contradicted, err.Error()
	case err != nil:
		a.Outcome, a.Because = Unproven, err.Error()
	default:
		a.Outcome, a.Because = Confirmed, confirmedWords(a.Claim, a.Verdict)
	}
	if a.Verdict != nil && a.Source != byCaller {
		a.Because += "; that what was opened is the declared parent rests on its name alone"
	}
	return nil
}

// byCaller is the source of claims that are given, as opposed to declared.
const byCaller = "claim"

// confirmedWords says what was confirmed, and what was not.
func confirmedWords(c Claim, v *verdict.Verdict) string {
	s := "found " + string(v.Relation)
	if c.Direction != "" && v.Precedence != nil {
		s += "; the direction rests on dates and an assumption: " + v.Precedence.Words()
	}
	if c.Direction == "" && c.Relation != verdict.NoEvidence && v.Direction == verdict.Undetermined {
		s += "; which of the two was made from the other was not claimed and does not show"
	}
	return s
}

// compare opens the parent and checks the claim; nil confirms it.
func (a *Result) compare(ctx context.Context, ref string, child report.Input, o *report.Options) error {
	path, err := a.find(ref, o)
	if err != nil {
		return err
	}
	opening := formats.Options{}
	if x := o.Opening(); x != nil {
		opening = *x
	}
	opening.Offline = opening.Offline || a.Source != byCaller // a declaration must not make anyone ask a server
	m, err := formats.Open(ctx, path, &opening)
	if err != nil {
		return fmt.Errorf("the parent could not be opened: %w", err)
	}
	defer m.Close()
	a.Opened = path
	parent := report.FromCheckpoint(ctx, m)
	if parent.IsAdapter() || child.IsAdapter() {
		return unproven("an adapter holds nothing of the weights it was made on, so it fits any base of its shape")
	}
	with := o.WithDefaults()
	with.Pin = with.Pin || len(a.Claim.Files) > 0
	r, err := report.Build(ctx, parent, child, &with)
	if err != nil {
		return fmt.Errorf("the two could not be compared: %w", err)
	}
	if err := m.Verify(); err != nil {
		return err
	}
	if err := a.Claim.pin(ctx, r, parent, child); err != nil {
		return err
	}
	a.Verdict, a.Subjects, a.Options, a.Warnings = &r.Verdict, r.Subjects[:], &r.Options, r.Warnings
	if err := a.Claim.files(r.Subjects[0]); err != nil {
		return err
	}
	err = r.Check(report.Claim{Parent: a.Claim.Root, Child: a.Claim.Model, Relation: a.Claim.Relation, Kinds: a.Claim.Kinds, Direction: a.Claim.Direction})
	if err == nil && a.Claim.Direction == "" && a.Claim.Relation != verdict.NoEvidence && r.Verdict.Direction == verdict.BToA { // by dates
		return unproven("found %s, but dates and the assumption speak for the model having come first: %s", r.Verdict.Relation, r.Verdict.Precedence.Words())
	}
	return err
}

// pin reads all values of the models that the claim names by their digest, where
// the comparison did not.
func (c *Claim) pin(ctx context.Context, r *report.Report, parent, child report.Input) error {
	for i, x := range []struct {
		claimed *fingerprint.Digest
		in      report.Input
	}{{c.Root, parent}, {c.Model, child}} {
		if x.claimed == nil || r.Subjects[i].Root != nil {
			continue
		}
		root, err := fingerprint.Root(ctx, x.in.Model)
		if err != nil {
			return err
		}
		r.Subjects[i].Root = &root
	}
	return nil
}

// files requires that the parent has files of the claimed digests.
func (c *Claim) files(parent report.Subject) error {
	for _, sum := range c.Files {
		if !slices.ContainsFunc(parent.Files, func(f report.File) bool { return f.SHA256 == sum && f.Digest != nil }) {
			return unproven("what was opened is not the claimed parent: none of its files has SHA-256 %.64s", sum)
		}
	}
	return nil
}

// WriteText writes the outcomes for people.
func WriteText(w io.Writer, all []Result) error {
	t := &columns.Text{}
	if len(all) == 0 {
		t.Line(nowhere)
	}
	for _, a := range all {
		t.Line("%s  %s of %s", a.Outcome, a.Claim.Relation, escape.Printable(a.Claim.Parent))
		t.Row("source", a.Source)
		t.Row("opened", escape.Printable(a.Opened))
		t.Row("because", escape.Printable(a.Because))
		if a.Verdict != nil {
			for _, b := range a.Verdict.Because {
				t.Row("", b)
			}
			if p := a.Verdict.Precedence; p != nil {
				t.Row("precedence", p.Words())
			}
			for i, b := range a.Verdict.Alternatives {
				t.Row(columns.FirstOnly("not excluded", i), b)
			}
			t.Row("nonce", a.Options.Nonce)
			t.List("warning", a.Warnings)
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// WriteJSON writes the outcomes with all that they rest on.
// nonce is the one of the options, empty for none; known is what a search of known
// models found, in its own JSON form, nil where none was made.
func WriteJSON(w io.Writer, model, nonce string, known any, all []Result) error {
	if all == nil {
		all = []Result{}
	}
	var drawn *string
	if nonce != "" {
		drawn = &nonce
	}
	return escape.WriteJSON(w, struct {
		Schema string      `json:"schema"`
		Tool   report.Tool `json:"tool"`
		Model  string      `json:"model"`
		Nonce  *string     `json:"nonce"`
		Claims []Result    `json:"claims"`
		Known  any         `json:"known,omitempty"`
	}{Schema, report.ThisTool(), model, drawn, all, known})
}

// cardKinds is what the relation of a model card claims. An adapter's own
// configuration names its base and says nothing about how a model was made.
func cardKinds(d formats.Parent) []verdict.Kind {
	if d.Source != "README.md" {
		return nil
	}
	return relationKinds[d.Relation]
}

func unproven(format string, args ...any) error {
	return fmt.Errorf("%w: %s", report.ErrUnproven, fmt.Sprintf(format, args...))
}
