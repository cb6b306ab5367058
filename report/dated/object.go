package dated

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

// binding is what a stamped file commits to: values, files by their SHA-256, or
// nothing where it is none of the forms below.
type binding struct {
	what       string
	root       *fingerprint.Digest
	files      []string
	commitment *commitment.Commitment
}

// forms are what a stamped file may be, each told by its content. The first that
// reads it counts.
var forms = []func([]byte) *binding{ofFingerprint, ofCommitment, ofStatement, ofEnvelope, ofReport, ofList}

// bind reads what a file commits to beside its own bytes.
func bind(b []byte) binding {
	for _, read := range forms {
		if x := read(b); x != nil {
			return *x
		}
	}
	return binding{what: "a file"}
}

// ofFingerprint takes the digest over all values; sketches bind nothing.
func ofFingerprint(b []byte) *binding {
	f, err := fingerprint.Decode(b)
	if err != nil || !f.Complete {
		return nil
	}
	return &binding{what: "a fingerprint of values " + f.Root.String(), root: &f.Root}
}

func ofCommitment(b []byte) *binding {
	c, err := commitment.DecodeCommitment(b)
	if err != nil {
		return nil
	}
	return &binding{what: "commitment " + c.Root.String(), commitment: &c}
}

// ofStatement reads a manifest, or a statement whose subjects are files: a
// comparison that was signed is one.
func ofStatement(b []byte) *binding {
	s, err := intoto.ParseStatement(b)
	if err != nil {
		return nil
	}
	if s.PredicateType == oms.PredicateType {
		m, err := oms.FromStatement(s)
		if err != nil {
			return nil
		}
		return &binding{what: "a manifest", files: sorted(slices.Collect(maps.Values(m.SHA256())))}
	}
	var files []string
	for _, x := range s.Subject {
		if d := x.Digest["sha256"]; isSHA256(d) {
			files = append(files, d)
		}
	}
	return &binding{what: "a statement", files: sorted(files)}
}

// ofEnvelope reads what was signed. By whom plays no part: a time stamp shows that
// the text existed, and a signature carries no date of its own.
func ofEnvelope(b []byte) *binding {
	e, err := intoto.ParseEnvelope(b)
	if err != nil {
		return nil
	}
	s, err := e.Unverified()
	if err != nil {
		return nil
	}
	text, err := s.JSON()
	if err != nil {
		return nil
	}
	x := ofStatement(text)
	if x != nil {
		x.what = strings.Replace(x.what, "a ", "a signed ", 1)
	}
	return x
}

func ofReport(b []byte) *binding {
	r, err := report.ParseJSON(b)
	if err != nil {
		return nil
	}
	x := &binding{what: "a report"}
	for i := range r.Subjects {
		for _, f := range r.Subjects[i].Files {
			if isSHA256(f.SHA256) {
				x.files = append(x.files, f.SHA256)
			}
		}
	}
	x.files = sorted(x.files)
	return x
}

// ofList reads what sha256sum writes: a digest, two characters and a name a line.
func ofList(b []byte) *binding {
	x := &binding{what: "a list of SHA-256"}
	for line := range bytes.Lines(b) {
		sum, name, ok := strings.Cut(strings.TrimRight(string(line), "\r\n"), " ")
		if !ok || name == "" || !isSHA256(sum) {
			return nil
		}
		x.files = append(x.files, sum)
	}
	if len(x.files) == 0 {
		return nil
	}
	x.files = sorted(x.files)
	return x
}

func isSHA256(s string) bool {
	b, err := hex.DecodeString(s)
	return err == nil && len(b) == 32 && strings.ToLower(s) == s
}

func sorted(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// opens makes the question of a commitment: is this the model? Nil without the
// opening, which alone can tell.
func opens(c *commitment.Commitment, all []*commitment.Opening) func(context.Context, tensor.Model) (bool, error) {
	for _, o := range all {
		if o.Commitment() != *c {
			continue
		}
		return func(ctx context.Context, m tensor.Model) (bool, error) {
			got, err := commitment.Commit(ctx, m, o.Secret)
			if err != nil {
				return false, fmt.Errorf("opening the commitment: %w", err)
			}
			return got.Commitment() == *c, nil
		}
	}
	return nil
}
