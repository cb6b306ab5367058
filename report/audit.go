package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
)

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
	Relation  Relation            `json:"relation"`  // "related" unless set
	Kinds     []Kind              `json:"kinds"`     // how the model was made
	Direction Direction           `json:"direction"` // seen from the parent: "a-to-b"
}

// claimed is the source of claims that were given.
const claimed = "claim"

// ReadClaim reads a claim from JSON. Unknown fields are errors.
func ReadClaim(r io.Reader) (LineageClaim, error) {
	var c LineageClaim
	d := json.NewDecoder(io.LimitReader(r, 1<<20))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, fmt.Errorf("claim: %w", err)
	}
	if c.Parent == "" {
		return c, errors.New("claim: parent is empty")
	}
	if c.Relation == "" {
		c.Relation = Related
	}
	return c, nil
}

// Audited is one claim with what became of it.
type Audited struct {
	Claim   LineageClaim `json:"claim"`
	Source  string       `json:"source"` // "claim", or the file that declares it
	Outcome Outcome      `json:"outcome"`
	Because string       `json:"because"`
	Verdict *Verdict     `json:"verdict,omitempty"`
}

// Audit holds the given claims, or where there are none the parents that the
// model's own files declare, against the weights. A parent that cannot be
// opened leaves its claim unproven.
func Audit(ctx context.Context, ref string, claims []LineageClaim, o *Options) ([]Audited, error) {
	m, err := formats.Open(ctx, ref, o.opening())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	child := FromCheckpoint(ctx, m)
	var out []Audited
	for _, c := range claims {
		out = append(out, Audited{Claim: c, Source: claimed})
	}
	if len(claims) == 0 {
		for _, name := range child.Declared {
			out = append(out, Audited{Claim: LineageClaim{Parent: name, Relation: Related}, Source: "declared by the model's files"})
		}
	}
	for i := range out {
		if err := out[i].judge(ctx, ref, child, o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// judge compares the model with the claimed parent.
func (a *Audited) judge(ctx context.Context, ref string, child Input, o *Options) error {
	opening := formats.Options{}
	if x := o.opening(); x != nil {
		opening = *x
	}
	if a.Source != claimed {
		opening.Offline = true // what a file declares must not make anyone ask a server
	}
	parent, err := openParent(ctx, ref, a.Claim.Parent, &opening)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		a.Outcome, a.Because = Unproven, "the parent could not be opened: "+err.Error()
		return nil
	}
	defer parent.Close()
	r, err := Build(ctx, FromCheckpoint(ctx, parent), child, o)
	if err != nil {
		return err
	}
	a.Verdict = &r.Verdict
	err = r.Check(Claim{Parent: a.Claim.Root, Relation: a.Claim.Relation, Kinds: a.Claim.Kinds})
	switch {
	case errors.Is(err, ErrContradicted):
		a.Outcome, a.Because = Contradicted, err.Error()
	case err != nil:
		a.Outcome, a.Because = Unproven, err.Error()
	case a.Claim.Direction != "" && r.Verdict.Direction == Undetermined:
		a.Outcome, a.Because = Unproven, "the weights do not show which of the two was made from the other"
	case a.Claim.Direction != "" && r.Verdict.Direction != a.Claim.Direction:
		a.Outcome, a.Because = Contradicted, fmt.Sprintf("found direction %s, claimed %s", r.Verdict.Direction, a.Claim.Direction)
	default:
		a.Outcome, a.Because = Confirmed, "found "+string(r.Verdict.Relation)
	}
	return nil
}

// openParent opens a parent where it is named, or beside the model.
func openParent(ctx context.Context, ref, parent string, o *formats.Options) (*formats.Checkpoint, error) {
	if _, err := os.Stat(parent); err != nil && !filepath.IsAbs(parent) {
		for _, beside := range []string{filepath.Dir(ref), ref} {
			if p := filepath.Join(beside, filepath.FromSlash(parent)); filepath.IsLocal(parent) {
				if _, err := os.Stat(p); err == nil {
					return formats.Open(ctx, p, o)
				}
			}
		}
	}
	return formats.Open(ctx, parent, o)
}

// WriteAudit writes the outcomes for people.
func WriteAudit(w io.Writer, all []Audited) error {
	t := &text{}
	if len(all) == 0 {
		t.line("no claim: the model's files declare no parent")
	}
	for _, a := range all {
		t.line("%s  %s of %s", a.Outcome, a.Claim.Relation, tensor.Printable(a.Claim.Parent))
		t.row("source", a.Source)
		t.row("because", tensor.Printable(a.Because))
		if a.Verdict != nil {
			for _, b := range a.Verdict.Because {
				t.row("", b)
			}
		}
	}
	_, err := io.WriteString(w, t.b.String())
	return err
}
