package faithful

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
)

// PredicateType is the type of the predicate that states what was found.
// docs/faithful-quantisation/v1 describes it.
const PredicateType = "https://github.com/weightprint/weightprint/tree/main/docs/faithful-quantisation/v1"

// Predicate is what was found, in short, and the digest of the report itself.
type Predicate struct {
	Tool         report.Tool `json:"tool"`
	ReportSchema string      `json:"reportSchema"`
	ReportSHA256 string      `json:"reportSha256"` // of what WriteJSON writes
	Verdict      Verdict     `json:"verdict"`
	Because      []string    `json:"because"`
	Importance   bool        `json:"importance"`
	Blocks       Blocks      `json:"blocks"`
	Types        []Type      `json:"types"`
	Deviating    []string    `json:"deviating"` // tensors
	Unpaired     []string    `json:"unpaired"`
	Missing      []string    `json:"missing"`
	Limits       []string    `json:"limits"`
	NotExcluded  []string    `json:"notExcluded"`
}

// Statement puts the report as a predicate over the files of both models, which
// must have been digested (Options.Pin).
func (r *Report) Statement() (*intoto.Statement, error) {
	quantised, err := intoto.Pinned("quantised", r.Quantised)
	if err != nil {
		return nil, err
	}
	source, err := intoto.Pinned("source", r.Source)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if err := r.WriteJSON(&text); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text.Bytes())
	p := Predicate{r.Tool, r.Schema, hex.EncodeToString(sum[:]), r.Verdict, r.Because, r.Importance, r.Blocks, r.Types, []string{}, r.Unpaired, r.Missing, r.Limits, r.NotExcluded}
	for _, t := range r.Tensors {
		if t.Verdict == Deviates {
			p.Deviating = append(p.Deviating, t.Name)
		}
	}
	return intoto.NewStatement(append(quantised, source...), PredicateType, p)
}

// WriteStatement writes what Statement states, without a signature.
func (r *Report) WriteStatement(w io.Writer) error {
	s, err := r.Statement()
	if err != nil {
		return err
	}
	return escape.WriteJSON(w, s)
}
