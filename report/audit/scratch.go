package audit

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// ScratchSchema names the JSON form of a Certificate.
const ScratchSchema = "weightprint.scratch/1"

// Certificate holds the claim that a model was trained from scratch against
// references: of every component, that it is unrelated to each of them within a
// stated floor, or what it shares. It says nothing of models that are not among
// the references.
type Certificate struct {
	Schema     string          `json:"schema"`
	Tool       report.Tool     `json:"tool"`
	Model      report.Subject  `json:"model"`
	Outcome    Outcome         `json:"outcome"`
	Because    []string        `json:"because"`
	Floor      *verdict.Number `json:"floor"`       // mean likeness from which an undisguised child of any reference would have been found; null where the reading does not reach it everywhere
	Chance     verdict.Number  `json:"probability"` // with which it would have been, at least
	Components []Certified     `json:"components"`
	References []Reference     `json:"references"`
	Searched   []Searched      `json:"searched"` // indexes of fingerprints, which give leads and clear nothing
	Limits     []string        `json:"limits"`
	Nonce      *string         `json:"nonce"`
}

// Certified is one component of the model against all references.
type Certified struct {
	Name      string         `json:"name"`
	Share     verdict.Number `json:"parametersShare"`
	Unrelated int            `json:"unrelated"` // references that it is unrelated to within the floor
	Open      int            `json:"open"`      // references that it could not be told from
	Shared    []Sharing      `json:"shared"`
}

// Sharing is what a component has of a reference.
type Sharing struct {
	Reference string           `json:"reference"`
	Relation  verdict.Relation `json:"relation"`
	Frozen    bool             `json:"frozen"` // every value is the reference's, up to storage
	Log10P    *verdict.Number  `json:"log10P"`
	Effect    verdict.Number   `json:"effect"`
}

// Reference is one model that the claim was held against.
type Reference struct {
	Ref       string            `json:"ref"`
	Relation  verdict.Relation  `json:"relation"`
	Direction verdict.Direction `json:"direction"` // from the reference to the model, by dates and an assumption
	Kinds     []verdict.Kind    `json:"kinds"`
	Log10P    *verdict.Number   `json:"log10P"`
	Reached   bool              `json:"floorReached"`
	Because   []string          `json:"because"`
	Subject   report.Subject    `json:"subject"`
}

// Searched is an index of fingerprints that the claim was held against. Sketches show
// leads: they can be forged or arranged, and read no more than a sample of units, so
// that no floor is reached and not finding anything clears nothing.
type Searched struct {
	Index   string `json:"index"`
	Entries int    `json:"entries"` // that were searched
	Left    int    `json:"left"`    // that could not be read
	Leads   []Lead `json:"leads"`
}

// Lead is an entry of an index to compare the model's weights with.
type Lead struct {
	Name   string          `json:"name"`
	Same   bool            `json:"same"`   // the entry states the digest of the model's values
	Log10P *verdict.Number `json:"log10P"` // corrected for the entries searched; null where no exact test found it
	Note   string          `json:"note"`
}

// scratchLimits are what no certificate says.
var scratchLimits = []string{
	"The claim was held against these references only. A model that is not among them may be the origin.",
	"Undisguised descent is excluded down to the floor; a disguise of the weights is excluded only as far as each comparison says.",
	"Learning from another model's outputs, its data or its code leaves no trace in weights that this could find.",
	"That configurations, tokenizers, profiles of standard deviations or norm gains look alike was counted for nothing: strangers share these.",
}

// Scratch holds the claim that a model was trained from scratch against
// references, which are opened in turn, and adds what searches of indexes found.
func Scratch(ctx context.Context, ref string, references []string, searched []Searched, o *report.Options) (*Certificate, error) {
	if len(references)+len(searched) == 0 {
		return nil, fmt.Errorf("from-scratch: no references")
	}
	m, err := formats.Open(ctx, ref, o.Opening())
	if err != nil {
		return nil, err
	}
	defer m.Close()
	model := report.FromCheckpoint(ctx, m)
	c := &Certificate{Schema: ScratchSchema, Tool: report.ThisTool(), Because: []string{}, Components: []Certified{}, References: []Reference{}, Searched: append([]Searched{}, searched...), Limits: slices.Clone(scratchLimits)}
	c.Model = report.Subject{Ref: model.Ref, Files: []report.File{}}
	for _, r := range references {
		if err := c.against(ctx, model, r, o); err != nil {
			return nil, fmt.Errorf("%s: %w", escape.Printable(r), err)
		}
	}
	c.judge()
	return c, m.Verify()
}

// against compares the model with one reference.
func (c *Certificate) against(ctx context.Context, model report.Input, ref string, o *report.Options) error {
	m, err := formats.Open(ctx, ref, o.Opening())
	if err != nil {
		return err
	}
	defer m.Close()
	r, err := report.Build(ctx, report.FromCheckpoint(ctx, m), model, o)
	if err != nil {
		return err
	}
	c.Model, c.Nonce = r.Subjects[1], r.Nonce
	x := Reference{Ref: r.Subjects[0].Ref, Relation: r.Verdict.Relation, Direction: r.Verdict.Direction, Kinds: r.Verdict.Kinds, Log10P: r.Verdict.Log10P, Because: r.Verdict.Because, Subject: r.Subjects[0]}
	if r.Power != nil && r.Power.Reached {
		x.Reached = true
		c.Floor, c.Chance = &r.Power.Cosine, r.Power.Probability
	}
	c.References = append(c.References, x)
	for _, p := range r.Components {
		c.component(p, x.Ref)
	}
	return m.Verify()
}

func (c *Certificate) component(p report.Component, ref string) {
	i := slices.IndexFunc(c.Components, func(x Certified) bool { return x.Name == p.Name })
	if i < 0 {
		i = len(c.Components)
		c.Components = append(c.Components, Certified{Name: p.Name, Share: p.ParametersShare, Shared: []Sharing{}})
	}
	x := &c.Components[i]
	switch p.Relation {
	case verdict.NoEvidence:
		x.Unrelated++
	case verdict.Inconclusive:
		x.Open++
	default:
		frozen := p.Relation == verdict.Identical || p.Relation == verdict.Reencoded
		x.Shared = append(x.Shared, Sharing{ref, p.Relation, frozen, p.Log10P, p.Effect})
	}
}

// judge sums up. What is shared contradicts the claim only where dates and a stated
// assumption say that the model was made from the reference: weights name no direction,
// and the reference may have been made from the model.
func (c *Certificate) judge() {
	open, shared, older := false, false, map[string]bool{}
	for _, r := range c.References {
		related := slices.Contains(verdict.Related.MetBy(), r.Relation)
		older[r.Ref] = related && r.Direction == verdict.AToB
		shared = shared || related || r.Relation == verdict.SharedInit
		open = open || !r.Reached && !related
	}
	for _, x := range c.Components {
		open = open || x.Open > 0
		for _, s := range x.Shared {
			shared = true
			c.Because = append(c.Because, s.words(x))
			if older[s.Reference] && s.Relation != verdict.SharedInit {
				c.Outcome = Contradicted
			}
		}
	}
	c.conclude(shared, open)
	if open {
		c.Floor = nil
	}
	c.search()
}

// search adds what indexes show: leads, and that no entry is cleared. A claim that
// was confirmed against models is unproven against these.
func (c *Certificate) search() {
	if len(c.Searched) == 0 {
		return
	}
	entries, leads := 0, 0
	for _, s := range c.Searched {
		entries += s.Entries
		for _, l := range s.Leads {
			leads++
			c.Because = append(c.Because, fmt.Sprintf("lead: %s: %s", escape.Printable(l.Name), l.Note))
		}
	}
	c.Because = append(c.Because, fmt.Sprintf("of %s, %s: sketches clear no entry, as they reach no floor; compare the weights of leads, and give the models themselves as references", counted(entries, "fingerprint"), counted(leads, "lead")))
	if c.Outcome == Confirmed {
		c.Outcome = Unproven
	}
	c.Limits = append(c.Limits, "Entries of an index were held against by sketches alone. A floor down to which descent would have been found is stated of models that were read, never of fingerprints.")
}

// words says what a component shares.
func (s *Sharing) words(x Certified) string {
	how := "is related to that of"
	switch {
	case s.Frozen:
		how = "holds the same values as that of"
	case s.Relation == verdict.SharedInit:
		how = "shares an initialisation, which a common seed explains as well, with that of"
	}
	return fmt.Sprintf("%s (%.1f %% of the parameters) %s %s", x.Name, 100*float64(x.Share), how, escape.Printable(s.Reference))
}

// conclude gives the outcome, where it is not a contradiction by dates already.
func (c *Certificate) conclude(shared, open bool) {
	say := func(o Outcome, format string, args ...any) {
		c.Outcome, c.Because = o, append(c.Because, fmt.Sprintf(format, args...))
	}
	switch {
	case len(c.References) == 0:
		c.Outcome = Unproven
	case c.Outcome == Contradicted:
		say(Contradicted, "by dates and the assumption beside them, the model was made from the reference, or both from a third")
	case shared:
		say(Unproven, "weights do not tell whether the model was made from the reference, the reference from the model, or both from a third, nor whether one only carries values of the other: dates of both may (--dated)")
	case open:
		say(Unproven, "some components could not be told from some references: see the table")
	default:
		say(Confirmed, "every component is unrelated to each of %d references: undisguised descent with mean likeness %g or more would have been found with probability %g", len(c.References), float64(*c.Floor), float64(c.Chance))
	}
	if open && c.Outcome == Contradicted {
		c.Because = append(c.Because, "of other components nothing is certified where the table says open")
	}
}

// WriteJSON writes the certificate as indented JSON.
func (c *Certificate) WriteJSON(w io.Writer) error { return escape.WriteJSON(w, c) }

// WriteText writes the certificate for people.
func (c *Certificate) WriteText(w io.Writer) error {
	t := &columns.Text{}
	t.Line("%s  from-scratch: %s", c.Outcome, escape.Printable(c.Model.Ref))
	against := counted(len(c.References), "reference")
	for _, s := range c.Searched {
		against += fmt.Sprintf(" and %s of %s", counted(s.Entries, "fingerprint"), escape.Printable(s.Index))
	}
	t.Line("source claim, against %s", against)
	for _, b := range c.Because {
		t.Row("", b)
	}
	t.Line("")
	t.Line("%-22s %6s %10s %5s  shared with", "component", "share", "unrelated", "open")
	for _, x := range c.Components {
		var with []string
		for _, s := range x.Shared {
			word := fmt.Sprintf("%s (%s)", filepath.Base(s.Reference), s.Relation)
			if s.Frozen {
				word = fmt.Sprintf("%s (%s, frozen)", filepath.Base(s.Reference), s.Relation)
			}
			with = append(with, escape.Printable(word))
		}
		t.Line("%-22s %5.1f%% %4d of %-3d %4d  %s", x.Name, 100*float64(x.Share), x.Unrelated, len(c.References), x.Open, strings.Join(with, ", "))
	}
	t.Line("")
	for _, l := range c.Limits {
		t.Row("limits", l)
	}
	_, err := io.WriteString(w, t.String())
	return err
}

// References lists the models that a folder holds: its own, if it is one, else
// what each entry in it is.
func References(ctx context.Context, folder string, o *report.Options) ([]string, error) {
	dir, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range dir {
		at := filepath.Join(folder, e.Name())
		m, err := formats.Open(ctx, at, o.Opening())
		if err != nil {
			continue // no model
		}
		m.Close()
		out = append(out, at)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%s: holds no model that can be opened", escape.Printable(folder))
	}
	return out, nil
}

// counted is a number of things, in words that agree with it.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
