package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/report/faithful"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
	"github.com/weightprint/weightprint/store"
)

// What an output may take the place of: a file whose content shows that the
// same verb, or one like it, wrote it. Results can be made again from the
// models and replace each other; a signature, a list of records or an index is
// never replaced by one.

// marks tell the forms of a result: all of them stand in its first bytes.
var marks = []struct {
	begins   string
	contains []string
}{
	{"{\n  \"schema\": \"weightprint.", nil},
	{"{\n", []string{`"bomFormat": "CycloneDX"`, `"name": "weightprint"`}},
	{"{\n", []string{`"$schema": "https://docs.oasis-open.org/sarif/`, `"name": "weightprint"`}},
	{"<?xml ", []string{`<testsuites name="weightprint audit"`}},
	{"{\n", []string{`"@context": "https://spdx.org/rdf/3`, `"name": "weightprint"`}},
	{"<!doctype html>\n", []string{"<title>weightprint: "}},
	{"<svg ", []string{`aria-label="lineage of `}},
	{"<svg ", []string{`aria-label="difference of `}},
	{"# Difference of two models", nil},
	{"digraph lineage {\n", nil},
	{"# ", []string{" parameters, read "}},
	{"A  ", []string{" parameters, read ", "\nB  "}},
	{"challenge", []string{"b3:", "\nbeacon "}},
	{"no claim: the model's files declare no parent", nil},
	{"confirmed  ", []string{"\nsource "}},
	{"contradicted  ", []string{"\nsource "}},
	{"unproven  ", []string{"\nsource "}},
	{"", []string{"\n  weight    ± 95 %  relation "}},
	{"", []string{"\nquantised  ", "\nsource     "}},
	{"# ", []string{"| quantised | "}},
	{"", []string{"; reading the headers took ", "\n   would "}},
	{"", []string{", family ", " parameters in ", " tensors, "}},
	{"", []string{"\nfingerprint of ", " parameters, version "}},
	{"", []string{"\n└─ "}},
}

// isResult tells a report, listing, plan, lineage, recipe or audit, or an
// unsigned statement of a comparison.
func isResult(head []byte) bool {
	if !text(head) {
		return false
	}
	s := string(head)
next:
	for _, m := range marks {
		if !strings.HasPrefix(s, m.begins) {
			continue
		}
		for _, part := range m.contains {
			if !strings.Contains(s, part) {
				continue next
			}
		}
		return !isRecords(head)
	}
	of := statementOf(head)
	return of == intoto.ComparisonType || of == faithful.PredicateType
}

// text tells whether the first bytes of a file are text; a character may be cut.
func text(head []byte) bool {
	for n := 0; n < utf8.UTFMax && n < len(head); n++ {
		if utf8.Valid(head[:len(head)-n]) {
			return !bytes.ContainsRune(head, 0)
		}
	}
	return false
}

func isFingerprint(head []byte) bool { return bytes.HasPrefix(head, []byte(fingerprint.Magic)) }

func isManifest(head []byte) bool { return statementOf(head) == oms.PredicateType }

// statementOf is the type of the predicate of an unsigned statement.
func statementOf(head []byte) string {
	var s struct {
		Type      string `json:"_type"`
		Predicate string `json:"predicateType"`
	}
	if json.Unmarshal(head, &s) != nil || s.Type != intoto.StatementType {
		return ""
	}
	return s.Predicate
}

// isSigned tells a signed comparison, and a bundle of a signed model in the form
// in which it is written here: with the name of a key and no log. Bundles of
// other makers are theirs.
func isSigned(head []byte) bool {
	var e struct {
		Payload string `json:"payload"`
	}
	if json.Unmarshal(head, &e) == nil && e.Payload != "" {
		b, err := base64.StdEncoding.DecodeString(e.Payload)
		return err == nil && statementOf(b) == intoto.ComparisonType
	}
	return bytes.HasPrefix(head, []byte("{\n  \"mediaType\": \"application/vnd.dev.sigstore.bundle.")) && bytes.Contains(head, []byte("\"publicKey\": {")) && bytes.Contains(head, []byte("\"tlogEntries\": []"))
}

// recordStart begins every line of fingerprint --ndjson.
const recordStart = `{"schema":"` + store.LineSchema + `",`

// isRecords tells a file of records; one whose first was cut off still begins
// like one.
func isRecords(head []byte) bool {
	n := min(len(head), len(recordStart))
	return string(head[:n]) == recordStart[:n]
}
