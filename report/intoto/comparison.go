package intoto

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"

	_ "embed"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// ComparisonType is the type of the predicate that states a comparison of two
// models. docs/weight-comparison/v1 describes it.
const ComparisonType = "https://github.com/weightprint/weightprint/tree/main/docs/weight-comparison/v1"

// ComparisonSchema is the JSON Schema of the predicate.
//
//go:embed comparison.schema.json
var ComparisonSchema []byte

// Names of the two digests of our own in subjects. FORMAT.md defines them.
const (
	valuesDigest = "weightprintValuesV1" // over all values of a model
	storedDigest = "weightprintStoredV1" // over the bytes of a file
)

// ErrUnpinned is returned for reports whose subjects are not pinned.
var ErrUnpinned = errors.New("the files of a subject were not read whole, so nothing pins it")

// Comparison is the predicate: what a report found, in short, and the digests
// of the report itself.
type Comparison struct {
	Tool         report.Tool        `json:"tool"`
	Report       ReportDigests      `json:"report"`
	Propositions Propositions       `json:"propositions"`
	Subjects     [2]ComparedSubject `json:"subjects"`
	Options      report.Options     `json:"options"`
	Verdict      verdict.Verdict    `json:"verdict"`
	Components   []report.Component `json:"components"`
	Evidence     Summary            `json:"evidence"`
	Limits       []string           `json:"limits"`
}

// ReportDigests pin the report that a statement is about.
type ReportDigests struct {
	Schema   string `json:"schema"`
	SHA256   string `json:"sha256"`   // of the file that compare --json writes
	Findings string `json:"findings"` // SHA-256 without the program's version and the names of the subjects: see report.Report.Digest
}

// Is tells whether text is the report.
func (d ReportDigests) Is(text []byte) bool { return hexSum(text) == d.SHA256 }

// Propositions are what the evidence is weighed between.
type Propositions struct {
	Common      string `json:"common"`
	Independent string `json:"independent"`
}

// ComparedSubject describes one side.
type ComparedSubject struct {
	Side       string              `json:"side"` // "A" or "B"
	Name       string              `json:"name"` // under which it was opened, without folders
	Format     string              `json:"format"`
	Parameters int64               `json:"parameters"`
	BytesRead  int64               `json:"bytesRead"`
	BytesTotal int64               `json:"bytesTotal"`
	Values     *fingerprint.Digest `json:"values"` // null when not all values were read
	Header     fingerprint.Digest  `json:"header"`
	Signed     *SignedModel        `json:"signed,omitempty"`
}

// SignedModel cites a statement that pins the files of a model, such as an
// OpenSSF Model Signing manifest.
type SignedModel struct {
	PredicateType string   `json:"predicateType"`
	Subject       Resource `json:"subject"`
	Files         int      `json:"files"` // files of the report whose digests it states
}

// Signed is a statement that lists the files of a model.
type Signed struct {
	Statement *Statement
	Files     map[string]string // SHA-256 in hexadecimal by path
}

// cite holds the files of a report against those of a signed model: each must
// be listed with the same digest.
func (x *Signed) cite(files []report.File) (*SignedModel, error) {
	if x == nil {
		return nil, nil
	}
	for _, f := range files {
		digest, ok := x.Files[f.Path]
		switch {
		case !ok:
			return nil, fmt.Errorf("the signed model does not list %.200q by its SHA-256", f.Path)
		case digest != f.SHA256:
			return nil, fmt.Errorf("%.200q has SHA-256 %s in the signed model and %s in the report", f.Path, digest, f.SHA256)
		}
	}
	return &SignedModel{x.Statement.PredicateType, x.Statement.Subject[0], len(files)}, nil
}

// Summary counts the tests and names the smallest p-value.
type Summary struct {
	Tests     int      `json:"tests"`
	Skipped   int      `json:"skipped"`
	Strongest *Tested  `json:"strongest"` // of the exact tier
	Beside    []Tested `json:"beside"`    // calibrated results with their controls
}

// Tested is one result in the summary.
type Tested struct {
	Test     string            `json:"test"`
	Axis     string            `json:"axis"`
	Effect   verdict.Number    `json:"effect"`
	N        int               `json:"n"`
	Log10P   *verdict.Number   `json:"log10P"`
	Null     string            `json:"null"`
	Controls *verdict.Standing `json:"controls,omitempty"`
}

// propositions are the same for every comparison.
var propositions = Propositions{
	Common:      "the weights of A and B, or of parts of them, have a common origin",
	Independent: "A and B come from independent random initialisations",
}

// FromReport states what a report found about two models, and cites signed
// models of A and B where they are given. The files of both must have been
// digested (a full budget, or the option Pin): ErrUnpinned.
func FromReport(r *report.Report, signed [2]*Signed) (*Statement, error) {
	var subjects []Resource
	for i, s := range r.Subjects {
		pinned, err := Pinned(side(i), s)
		if err != nil {
			return nil, err
		}
		subjects = append(subjects, pinned...)
	}
	c, err := compared(r)
	if err != nil {
		return nil, err
	}
	for i, x := range signed {
		if c.Subjects[i].Signed, err = x.cite(r.Subjects[i].Files); err != nil {
			return nil, fmt.Errorf("subject %s: %w", side(i), err)
		}
	}
	return NewStatement(subjects, ComparisonType, c)
}

// Write writes what FromReport states, without a signature.
func Write(r *report.Report, w io.Writer) error {
	s, err := FromReport(r, [2]*Signed{})
	if err != nil {
		return err
	}
	return escape.WriteJSON(w, s)
}

func side(i int) string { return string(rune('A' + i)) }

// Pinned pins one side under a name: all values where they were read, and each
// file. The files must have been digested: ErrUnpinned.
func Pinned(side string, s report.Subject) (out []Resource, err error) {
	if s.Root != nil {
		out = append(out, Resource{side, map[string]string{valuesDigest: hex.EncodeToString(s.Root[:])}})
	}
	for _, f := range s.Files {
		if f.Digest == nil || f.SHA256 == "" {
			return nil, fmt.Errorf("%w: %s of %s; compare with --pin or --budget full", ErrUnpinned, f.Path, side)
		}
		out = append(out, Resource{side + "/" + f.Path, map[string]string{"sha256": f.SHA256, storedDigest: hex.EncodeToString(f.Digest[:])}})
	}
	if len(s.Files) == 0 {
		return nil, fmt.Errorf("%w: %s was not opened from files", ErrUnpinned, side)
	}
	return out, nil
}

// compared sums a report up.
func compared(r *report.Report) (*Comparison, error) {
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		return nil, err
	}
	findings, err := r.Digest()
	if err != nil {
		return nil, err
	}
	c := &Comparison{
		Tool: r.Tool, Report: ReportDigests{r.Schema, hexSum(text.Bytes()), findings}, Propositions: propositions,
		Options: r.Options, Verdict: r.Verdict, Components: r.Components, Evidence: summary(r.Evidence), Limits: r.Limits,
	}
	for i, s := range r.Subjects {
		c.Subjects[i] = ComparedSubject{side(i), baseName(s.Ref), s.Format, s.Parameters, s.BytesRead, s.BytesTotal, s.Root, s.Header, nil}
	}
	return c, nil
}

// baseName leaves out folders: where somebody keeps models is nobody's concern.
func baseName(ref string) string {
	return path.Base(filepath.ToSlash(strings.TrimRight(ref, `/\`)))
}

func summary(all []report.Evidence) Summary {
	s := Summary{Beside: []Tested{}}
	for _, e := range all {
		x := Tested{e.Test, e.Axis, e.Effect, e.N, e.Log10P, e.Null, e.Controls}
		s.Tests++
		switch {
		case e.Skipped != "":
			s.Skipped++
		case e.Controls != nil:
			s.Beside = append(s.Beside, x)
		case e.Log10P != nil && (s.Strongest == nil || *e.Log10P < *s.Strongest.Log10P):
			s.Strongest = &x
		}
	}
	return s
}

// ReadComparison reads the predicate of a statement.
func ReadComparison(s *Statement) (*Comparison, error) {
	if s.PredicateType != ComparisonType {
		return nil, fmt.Errorf("%w: predicate type %.120q is no comparison of weights", ErrStatement, s.PredicateType)
	}
	var c Comparison
	if err := strictjson.Unmarshal(s.Predicate, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrStatement, err)
	}
	return &c, nil
}
