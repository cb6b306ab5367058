package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
)

// The parts of SARIF 2.1.0 (OASIS Standard, Errata 01) that are written.
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool        `json:"tool"`
		Columns    string           `json:"columnKind"`
		Results    []sarifResult    `json:"results"`
		Invocation []sarifCompleted `json:"invocations"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name    string      `json:"name"`
		Version string      `json:"version"`
		Rules   []sarifRule `json:"rules"`
	}
	sarifCompleted struct {
		Successful bool `json:"executionSuccessful"`
	}
	sarifRule struct {
		ID    string    `json:"id"`
		Name  string    `json:"name"`
		Short sarifText `json:"shortDescription"`
		Full  sarifText `json:"fullDescription"`
		Level struct {
			Level string `json:"level"`
		} `json:"defaultConfiguration"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		Rule      string            `json:"ruleId"`
		Index     int               `json:"ruleIndex"`
		Kind      string            `json:"kind"`
		Level     string            `json:"level"`
		Message   sarifText         `json:"message"`
		Locations []sarifLocation   `json:"locations"`
		Prints    map[string]string `json:"partialFingerprints"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact struct {
				URI string `json:"uri"`
			} `json:"artifactLocation"`
			Region struct {
				Line int `json:"startLine"`
			} `json:"region"`
		} `json:"physicalLocation"`
	}
)

// sarifRules are the outcomes as rules, with the kind and level of a result.
var sarifRules = []struct {
	outcome           Outcome
	id, name, says    string
	kind, level, full string
}{
	{Contradicted, "WP001", "LineageContradicted", "The weights contradict a claimed lineage.", "fail", "error",
		"What the weights show excludes what is claimed or declared of the model's origin."},
	{Unproven, "WP002", "LineageUnproven", "A claimed lineage is not shown by the weights.", "open", "none",
		"The parent was not found, or what was read does not decide. This is no finding against the claim."},
	{Confirmed, "WP003", "LineageConfirmed", "The weights agree with a claimed lineage.", "pass", "none",
		"What is claimed was found. A relation names a common trained origin; it does not say who copied, or that copying was wrong."},
}

// WriteSARIF writes the outcomes as SARIF 2.1.0, for code scanning. A contradicted claim
// is an error; unproven and confirmed ones are no faults unless failing names them.
func WriteSARIF(w io.Writer, all []Audited, failing ...Outcome) error {
	run := sarifRun{Columns: "unicodeCodePoints", Results: []sarifResult{}, Invocation: []sarifCompleted{{true}}}
	tool := report.ThisTool()
	run.Tool.Driver = sarifDriver{Name: tool.Name, Version: tool.Version}
	for _, r := range sarifRules {
		rule := sarifRule{ID: r.id, Name: r.name, Short: sarifText{r.says}, Full: sarifText{r.full}}
		rule.Level.Level = r.level
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for i := range all {
		for k := range all[i].Results {
			run.Results = append(run.Results, all[i].sarif(&all[i].Results[k], failing))
		}
	}
	return escape.WriteJSON(w, sarifLog{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []sarifRun{run}})
}

// sarif is one claim as a result.
func (a *Audited) sarif(r *Result, failing []Outcome) sarifResult {
	out := sarifResult{Message: sarifText{escape.Visible(r.words())}}
	for i, rule := range sarifRules {
		if rule.outcome == r.Outcome {
			out.Rule, out.Index, out.Kind, out.Level = rule.id, i, rule.kind, rule.level
		}
	}
	if out.Kind != "fail" && r.fails(failing) {
		out.Kind, out.Level = "fail", "warning"
	}
	at := sarifLocation{}
	at.Physical.Artifact.URI, at.Physical.Region.Line = a.place(r), 1
	out.Locations = []sarifLocation{at}
	sum := sha256.Sum256([]byte(strings.Join([]string{out.Rule, r.Claim.Parent, r.Source, at.Physical.Artifact.URI}, "\x00")))
	out.Prints = map[string]string{"claim/v1": hex.EncodeToString(sum[:16])}
	return out
}
