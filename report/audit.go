package report

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report/verdict"
)

// AuditSchema names the JSON form of an audit.
const AuditSchema = "weightprint.audit/1"

// Outcome is what the weights say of a claim.
type Outcome string

// The outcomes.
const (
	Confirmed    Outcome = "confirmed"
	Contradicted Outcome = "contradicted"
	Unproven     Outcome = "unproven"
)

// LineageClaim says that a model was made from a parent. Fields that are empty
// claim nothing.
type LineageClaim struct {
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
func ReadClaim(r io.Reader) (LineageClaim, error) {
	var c LineageClaim
	text, err := io.ReadAll(io.LimitReader(r, maxClaim+1))
	switch {
	case err != nil:
		return c, err
	case len(text) > maxClaim:
		return c, fmt.Errorf("claim: larger than %d bytes", maxClaim)
	}
	if err := strictjson.Known(text, &c); err != nil {
		return c, fmt.Errorf("claim: %w", err)
	}
	if c.Relation == "" {
		c.Relation = verdict.Related
	}
	return c, c.check()
}

func (c *LineageClaim) check() error {
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

// Audited is one claim with what became of it.
type Audited struct {
	Claim    LineageClaim     `json:"claim"`
	Source   string           `json:"source"`           // "claim", or what declares it
	Opened   string           `json:"opened,omitempty"` // where the parent was found
	Outcome  Outcome          `json:"outcome"`
	Because  string           `json:"because"`
	Verdict  *verdict.Verdict `json:"verdict,omitempty"`
	Subjects []Subject        `json:"subjects,omitempty"` // parent and model, pinned
	Options  *Options         `json:"options,omitempty"`
}

// relationKinds says which kinds a model card claims by base_model_relation.
// Fine-tunes and merges can look like several kinds.
var relationKinds = map[string][]verdict.Kind{"quantized": {verdict.QuantisedKind}, "adapter": {verdict.Adapter}}

// Audit holds the given claims, or where there are none the parents that the
// model's own files declare, against the weights. A declared parent is looked
// for in Options.Parents, beside the model and in the hub's local cache; one that
// is not found leaves its claim unproven, and nothing is fetched.
func Audit(ctx context.Context, ref string, claims []LineageClaim, o *Options) ([]Audited, error) {
	m, err := formats.Open(ctx, ref, o.opening())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var out []Audited
	for _, c := range claims {
		out = append(out, Audited{Claim: c, Source: bySomebody})
	}
	if len(claims) == 0 {
		for _, d := range m.Parents() {
			out = append(out, Audited{Claim: LineageClaim{Parent: d.Name, Relation: verdict.Related, Kinds: cardKinds(d)}, Source: d.Source})
		}
	}
	child := FromCheckpoint(ctx, m)
	for i := range out {
		if err := out[i].judge(ctx, ref, child, o); err != nil {
			return nil, err
		}
	}
	return out, m.Verify()
}

// judge compares the model with the claimed parent.
func (a *Audited) judge(ctx context.Context, ref string, child Input, o *Options) error {
	err := a.compare(ctx, ref, child, o)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrContradicted):
		a.Outcome, a.Because = Contradicted, err.Error()
	case err != nil:
		a.Outcome, a.Because = Unproven, err.Error()
	default:
		a.Outcome, a.Because = Confirmed, confirmedWords(a.Claim, a.Verdict)
	}
	if a.Verdict != nil && a.Source != bySomebody {
		a.Because += "; that what was opened is the declared parent rests on its name alone"
	}
	return nil
}

// bySomebody is the source of claims that are given, as opposed to declared.
const bySomebody = "claim"

// confirmedWords says what was confirmed, and what was not.
func confirmedWords(c LineageClaim, v *verdict.Verdict) string {
	s := "found " + string(v.Relation)
	if c.Direction == "" && c.Relation != verdict.NoEvidence && v.Direction == verdict.Undetermined {
		s += "; which of the two was made from the other was not claimed and does not show"
	}
	return s
}

// compare opens the parent and checks the claim; nil confirms it.
func (a *Audited) compare(ctx context.Context, ref string, child Input, o *Options) error {
	path, err := a.find(ref, o)
	if err != nil {
		return err
	}
	opening := formats.Options{}
	if x := o.opening(); x != nil {
		opening = *x
	}
	opening.Offline = opening.Offline || a.Source != bySomebody // a declaration must not make anyone ask a server
	m, err := formats.Open(ctx, path, &opening)
	if err != nil {
		return fmt.Errorf("the parent could not be opened: %w", err)
	}
	defer m.Close()
	a.Opened = path
	parent := FromCheckpoint(ctx, m)
	if parent.IsAdapter() || child.IsAdapter() {
		return unprovenClaim("an adapter holds nothing of the weights it was made on, so it fits any base of its shape")
	}
	with := o.filled()
	with.Pin = with.Pin || len(a.Claim.Files) > 0
	r, err := Build(ctx, parent, child, &with)
	if err != nil {
		return fmt.Errorf("the two could not be compared: %w", err)
	}
	if err := m.Verify(); err != nil {
		return err
	}
	if err := a.Claim.pin(ctx, r, parent, child); err != nil {
		return err
	}
	a.Verdict, a.Subjects, a.Options = &r.Verdict, r.Subjects[:], &r.Options
	if err := a.Claim.files(r.Subjects[0]); err != nil {
		return err
	}
	err = r.Check(Claim{Parent: a.Claim.Root, Child: a.Claim.Model, Relation: a.Claim.Relation, Kinds: a.Claim.Kinds, Direction: a.Claim.Direction})
	if err == nil && a.Claim.Direction == "" && a.Claim.Relation != verdict.NoEvidence && r.Verdict.Direction == verdict.BToA {
		return unprovenClaim("found %s, but one-way evidence says that the parent was made from the model", r.Verdict.Relation)
	}
	return err
}

// pin reads all values of the models that the claim names by their digest, where
// the comparison did not.
func (c *LineageClaim) pin(ctx context.Context, r *Report, parent, child Input) error {
	for i, x := range []struct {
		claimed *fingerprint.Digest
		in      Input
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
func (c *LineageClaim) files(parent Subject) error {
	for _, sum := range c.Files {
		if !slices.ContainsFunc(parent.Files, func(f File) bool { return f.SHA256 == sum && f.Digest != nil }) {
			return unprovenClaim("what was opened is not the claimed parent: none of its files has SHA-256 %.64s", sum)
		}
	}
	return nil
}

// WriteAudit writes the outcomes for people.
func WriteAudit(w io.Writer, all []Audited) error {
	t := &lines{}
	if len(all) == 0 {
		t.line("no claim: the model's files declare no parent")
	}
	for _, a := range all {
		t.line("%s  %s of %s", a.Outcome, a.Claim.Relation, tensor.Printable(a.Claim.Parent))
		t.row("source", a.Source)
		t.row("opened", tensor.Printable(a.Opened))
		t.row("because", tensor.Printable(a.Because))
		if a.Verdict != nil {
			for _, b := range a.Verdict.Because {
				t.row("", b)
			}
			for i, b := range a.Verdict.Alternatives {
				t.row(firstOnly("not excluded", i), b)
			}
		}
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// WriteAuditJSON writes the outcomes with all that they rest on.
func WriteAuditJSON(w io.Writer, model string, all []Audited) error {
	if all == nil {
		all = []Audited{}
	}
	return EncodeJSON(w, struct {
		Schema string    `json:"schema"`
		Tool   Tool      `json:"tool"`
		Model  string    `json:"model"`
		Claims []Audited `json:"claims"`
	}{AuditSchema, Tool{"weightprint", Version()}, model, all})
}

// cardKinds is what the relation of a model card claims. An adapter's own
// configuration names its base and says nothing about how a model was made.
func cardKinds(d formats.Parent) []verdict.Kind {
	if d.Source != "README.md" {
		return nil
	}
	return relationKinds[d.Relation]
}

func unprovenClaim(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrUnproven, fmt.Sprintf(format, args...))
}
