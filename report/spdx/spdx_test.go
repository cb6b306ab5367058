package spdx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/python"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/spdx"
	"github.com/weightprint/weightprint/report/verdict"
)

// graph is what a document holds, by kind of element.
func graph(t *testing.T, r *report.Report) (text []byte, elements map[string][]map[string]any) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, spdx.Write(r, &b))
	var doc struct {
		Graph []map[string]any `json:"@graph"`
	}
	require.NoError(t, json.Unmarshal(b.Bytes(), &doc))
	elements = map[string][]map[string]any{}
	ids := map[string]bool{}
	for _, e := range doc.Graph {
		elements[e["type"].(string)] = append(elements[e["type"].(string)], e)
		if id, ok := e["spdxId"].(string); ok {
			require.False(t, ids[id], "two elements are %s", id)
			ids[id] = true
		}
	}
	for _, e := range elements["Relationship"] {
		require.True(t, ids[e["from"].(string)])
		for _, to := range e["to"].([]any) {
			require.True(t, ids[to.(string)])
		}
	}
	return b.Bytes(), elements
}

// related lists the kinds of relations that lead from B.
func related(elements map[string][]map[string]any) (out []string) {
	for _, e := range elements["Relationship"] {
		if kind := e["relationshipType"].(string); kind != "contains" && kind != "hasEvidence" {
			out = append(out, kind)
		}
	}
	return out
}

func TestDocument(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	checker, checked := python.Find(t, "spdx_python_model")
	for _, s := range demo.Steps {
		r, err := report.Compare(context.Background(), filepath.Join(dir, s.A), filepath.Join(dir, s.B), nil)
		require.NoError(t, err)
		text, got := graph(t, r)
		again, _ := graph(t, r)
		require.Equal(t, text, again)
		require.NotContains(t, string(text), dir)
		require.Len(t, got["ai_AIPackage"], 2)
		require.Equal(t, r.Subjects[1].Files[0].SHA256, got["software_File"][1]["verifiedUsing"].([]any)[0].(map[string]any)["hashValue"])
		require.Contains(t, got["Annotation"][0]["statement"], s.Want)
		if s.Want == string(verdict.NoEvidence) {
			require.Empty(t, related(got))
		} else {
			require.Equal(t, []string{"hasVariant"}, related(got))
		}
		if checked {
			file := filepath.Join(t.TempDir(), "report.spdx.json")
			require.NoError(t, os.WriteFile(file, text, 0o600))
			out, err := python.Run(checker, "testdata/validate.py", file)
			require.NoError(t, err, out)
			require.NoError(t, os.WriteFile(file, bytes.Replace(text, []byte(`"relationshipType": "contains"`), []byte(`"relationshipType": "swallows"`), 1), 0o600))
			_, err = python.Run(checker, "testdata/validate.py", file)
			require.Error(t, err)
		}
	}
}

// A relation names a direction only where the verdict does.
func TestDirections(t *testing.T) {
	r := &report.Report{Verdict: verdict.Verdict{Relation: verdict.Related}, Subjects: [2]report.Subject{{Ref: "a"}, {Ref: "b"}}}
	for direction, want := range map[verdict.Direction]string{verdict.AToB: "descendantOf", verdict.BToA: "ancestorOf", verdict.Undetermined: "hasVariant"} {
		r.Verdict.Direction = direction
		_, got := graph(t, r)
		require.Equal(t, []string{want}, related(got))
	}
	for _, relation := range []verdict.Relation{verdict.SharedInit, verdict.NoEvidence, verdict.Inconclusive} {
		r.Verdict.Relation = relation
		_, got := graph(t, r)
		require.Empty(t, related(got), relation)
	}
}
