package dispute

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
)

// Begin is a transcript of one line.
func Begin(ctx context.Context, x Init, key *intoto.PrivateKey) (*Transcript, error) {
	x.Policy = verdict.PolicyVersion
	o := (&report.Options{Budget: x.Budget, Depth: x.Depth}).WithDefaults()
	x.Budget, x.Depth = o.Budget, o.Depth
	t := &Transcript{}
	return t, t.add(ctx, Runner, x, Attached{}, key)
}

// Commit adds the commitment to an opening.
func (t *Transcript) Commit(ctx context.Context, who Author, o *Opening, seen string, with Attached, key *intoto.PrivateKey) error {
	if len(t.lines) == 0 {
		return fmt.Errorf("%w: it is empty", ErrTranscript)
	}
	c, err := o.commitment(hexSum(t.lines[0]), who)
	if err != nil {
		return err
	}
	return t.add(ctx, who, Commit{c, seen}, with, key)
}

// Exchange opens a commitment.
func (t *Transcript) Exchange(ctx context.Context, who Author, o *Opening, with Attached, key *intoto.PrivateKey) error {
	return t.add(ctx, who, o.Exchange, with, key)
}

// Compare runs the comparison that was agreed on, after it has held the models
// against the opened commitments, and adds it. It returns the report's JSON, which
// is an exhibit. A model that is not as committed to is ErrForged.
func (t *Transcript) Compare(ctx context.Context, a, b, beacon string, with Attached, key *intoto.PrivateKey) (text []byte, err error) {
	s, err := t.Replay(ctx)
	if err != nil {
		return nil, err
	}
	if s.Init.Policy != verdict.PolicyVersion {
		return nil, fmt.Errorf("%w: policy %d was agreed on, this program judges by %d", ErrForged, s.Init.Policy, verdict.PolicyVersion)
	}
	for i, path := range []string{a, b} {
		if err := s.holds(ctx, Sides[i], path); err != nil {
			return nil, err
		}
	}
	nonce := s.Nonce(beacon)
	r, err := report.Compare(ctx, a, b, s.options(nonce))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		return nil, err
	}
	if err := s.about(out.Bytes(), nonce); err != nil {
		return nil, err // a file changed while it was read
	}
	x := Run{beacon, nonce, s.Command(nonce), r.Tool, NewExhibit("report.json", out.Bytes()), string(r.Verdict.Relation)}
	return out.Bytes(), t.add(ctx, Runner, x, with, key)
}

// options are those of the command.
func (s *State) options(nonce string) *report.Options {
	return &report.Options{Budget: s.Init.Budget, Depth: s.Init.Depth, Nonce: nonce, Pin: true}
}

// holds requires that a model is the one that a party committed to, file for file.
func (s *State) holds(ctx context.Context, who Author, path string) error {
	x, ok := s.Opened[who]
	if !ok {
		return fmt.Errorf("%w: %s withholds its opening", ErrForged, who)
	}
	m, err := x.files()
	if err != nil {
		return err
	}
	d, err := m.Verify(ctx, path, false)
	if err != nil {
		return err
	}
	if d != nil {
		return fmt.Errorf("%w: the model of %s is not the one committed to: %.200q %s", ErrForged, who, d.Name, d.What)
	}
	return nil
}

// Close ends the record: after the comparison, or before it where a party withholds
// its opening, which is then on record.
func (t *Transcript) Close(ctx context.Context, with Attached, key *intoto.PrivateKey) error {
	s, err := t.Replay(ctx)
	if err != nil {
		return err
	}
	return t.add(ctx, Runner, Close{s.withheld(), s.labels()}, with, key)
}

// CheckReport holds the report among the exhibits against the record: the very
// bytes, the options and nonce that were agreed on, and files that were committed
// to.
func (s *State) CheckReport(text []byte) error {
	if s.Run == nil {
		return errors.New("no comparison was run")
	}
	if sum := hexSum(text); sum != s.Run.Report.SHA256 {
		return fmt.Errorf("%w: the report has SHA-256 %s, the transcript states %s", ErrForged, sum, s.Run.Report.SHA256)
	}
	return s.about(text, s.Run.Nonce)
}

// about requires that a report is of this dispute.
func (s *State) about(text []byte, nonce string) error {
	r, err := report.ParseJSON(text)
	if err != nil {
		return err
	}
	want := s.options(nonce).WithDefaults()
	o := r.Options.WithDefaults()
	switch {
	case o.Nonce != want.Nonce || o.Budget != want.Budget || o.Depth != want.Depth || !o.Pin || o.Lenient || o.Policy != want.Policy:
		return fmt.Errorf("%w: the report was made with other options than those agreed on", ErrForged)
	case r.Policy.Version != s.Init.Policy:
		return fmt.Errorf("%w: the report is of policy %d, agreed on was %d", ErrForged, r.Policy.Version, s.Init.Policy)
	case s.Run != nil && string(r.Verdict.Relation) != s.Run.Relation:
		return fmt.Errorf("%w: the report finds %s, the transcript states %.40q", ErrForged, r.Verdict.Relation, s.Run.Relation)
	}
	for i, who := range Sides {
		if err := s.committed(who, r.Subjects[i]); err != nil {
			return err
		}
	}
	return nil
}

// committed requires that all files of a subject are among those committed to.
func (s *State) committed(who Author, x report.Subject) error {
	m, err := s.Opened[who].files()
	if err != nil {
		return err
	}
	known := map[string]bool{}
	for _, sum := range m.SHA256() {
		known[sum] = true
	}
	if len(x.Files) == 0 {
		return fmt.Errorf("%w: the report lists no file of %s", ErrForged, who)
	}
	for _, f := range x.Files {
		if !known[f.SHA256] {
			return fmt.Errorf("%w: the report is about a file of %s, %.200q, that was not committed to", ErrForged, who, f.Path)
		}
	}
	return nil
}
