package audit

import (
	"encoding/xml"
	"io"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
)

// The parts of the JUnit format that runners of continuous integration read.
type (
	junitSuites struct {
		XMLName  xml.Name     `xml:"testsuites"`
		Name     string       `xml:"name,attr"`
		Tests    int          `xml:"tests,attr"`
		Failures int          `xml:"failures,attr"`
		Suites   []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		File    string        `xml:"file,attr,omitempty"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Out     string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
	}
)

// WriteJUnit writes the outcomes as JUnit XML: a suite for every model, a case for every
// claim. A contradicted claim fails, an unproven one is skipped unless failing names it.
func WriteJUnit(w io.Writer, all []Audited, failing ...Outcome) error {
	out := junitSuites{Name: "weightprint audit"}
	for i := range all {
		s := all[i].junit(failing)
		out.Tests, out.Failures = out.Tests+s.Tests, out.Failures+s.Failures
		out.Suites = append(out.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	if err := e.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func (a *Audited) junit(failing []Outcome) junitSuite {
	s := junitSuite{Name: escape.Visible(a.Model), Tests: len(a.Results)}
	for i := range a.Results {
		r := &a.Results[i]
		c := junitCase{Name: escape.Visible(string(r.Claim.Relation) + " of " + r.Claim.Parent), Class: escape.Visible("lineage." + r.Source), File: a.place(r)}
		switch words := escape.Visible(r.Because); {
		case r.fails(failing):
			c.Failure = &junitMessage{Message: words, Type: string(r.Outcome)}
			s.Failures++
		case r.Outcome == Unproven:
			c.Skipped = &junitMessage{Message: words}
			s.Skipped++
		default:
			c.Out = words + "\n" + report.ThisTool().Name + " " + report.ThisTool().Version
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}
