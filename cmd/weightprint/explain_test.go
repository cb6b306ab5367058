package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/glossary"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity/suite"
)

// Every word of the closed sets, every test and every exit code is explained, once
// in its group.
func TestEveryWordIsExplained(t *testing.T) {
	want := map[string][]string{"direction": {string(verdict.AToB), string(verdict.BToA), string(verdict.Undetermined)}, "outcome of an audit": outcomeNames()}
	for _, r := range verdict.Relations() {
		want["relation"] = append(want["relation"], string(r))
	}
	for _, k := range verdict.Kinds() {
		want["kind"] = append(want["kind"], string(k))
	}
	want["test"] = append(verdict.TestNames(), verdict.SketchTestNames()...)
	for _, x := range suite.Default() {
		want["test"] = append(want["test"], x.Name)
	}
	for _, code := range []int{exitDone, exitFinding, exitError, exitInconclusive, exitMismatch, exitUsage, 130} {
		want["exit code"] = append(want["exit code"], fmt.Sprint(code))
	}
	for group, terms := range want {
		for _, term := range terms {
			n := 0
			for _, e := range glossary.Find(term) {
				if e.Group == group {
					n++
				}
			}
			require.Equal(t, 1, n, "%s %s", group, term)
		}
	}
}

func outcomeNames() []string {
	return []string{string(audit.Confirmed), string(audit.Contradicted), string(audit.Unproven)}
}

// The table reads as a table: no term twice in a group, a sentence for each.
func TestGlossaryIsWellFormed(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range glossary.All() {
		require.False(t, seen[e.Group+e.Term], e.Term)
		seen[e.Group+e.Term] = true
		require.Regexp(t, `\.$`, e.Words, e.Term)
		require.NotEmpty(t, e.Group, e.Term)
	}
	require.Greater(t, len(seen), 120)
}

func TestExplain(t *testing.T) {
	require.Contains(t, exits(t, 0, "explain", "shared-init"), "shared-init (relation)\n  The same random")
	require.Contains(t, exits(t, 0, "explain", "Shared", "INIT"), "shared-init (relation)")
	require.Contains(t, exits(t, 0, "explain", "3"), "--fail-on names it")
	require.Contains(t, exits(t, 0, "explain", "policy"), "docs/adr/0013")
	listing := exits(t, 0, "explain")
	for _, e := range glossary.All() {
		require.Contains(t, strings.Join(strings.Fields(listing), " "), e.Term)
	}
	code, _, stderr := call("explain", "realted")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "did you mean related?")
	code, _, stderr = call("explain", "beacon")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "nonce")
	code, _, stderr = call("explain", "zzzzzzzzz")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "lists all")
}

// Whoever knows more of a word than the table is asked first.
func TestExplanationsComeFirst(t *testing.T) {
	require.Equal(t, exits(t, 0, "policy", "1"), exits(t, 0, "explain", "policy", "1"))
	require.Contains(t, exits(t, 0, "explain", "policy"), "policy (weight of the evidence)")
}
