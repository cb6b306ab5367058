package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/columns"
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
	code, _, stderr = call("explain", "foresee")
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

// Words that reports print beside their labels are explained as well: each step of the
// scale, each kind of control pair, one or several of a thing, a group by its name.
func TestWordsOfReportsAreExplained(t *testing.T) {
	root := rootCommand(nil, nil)
	for _, d := range (verdict.Verdict{}).Scale() {
		require.NoError(t, lookUp(&columns.Text{}, root, d.Words))
	}
	for _, s := range verdict.Controls().Stand(verdict.Agreement, 1, 64).Strata {
		require.NoError(t, lookUp(&columns.Text{}, root, s.Name))
	}
	for _, word := range []string{"units", "Axes", "heads", "tokens", "exact tier", "exit code", "kinds", "corrected p", "99 %", "attention.qk", "undecided", "the", "MiB", "A", "B"} {
		err := lookUp(&columns.Text{}, root, word)
		require.Equal(t, word == "the", err != nil, word)
	}
	require.Contains(t, exits(t, 0, "explain", "exit code"), "0, 1, 2, 3, 4, 64, 130")
}

// Every label and column of a report, as its golden files show it, is explained, and so is
// every verb.
func TestEveryLabelIsExplained(t *testing.T) {
	root := rootCommand(nil, nil)
	label := regexp.MustCompile(`^([a-zH][a-zA-Z0-9 ]+?)(?:  | B)`)
	column := regexp.MustCompile(`^(?:component|role|test|among controls) `)
	files, err := filepath.Glob("../../report/testdata/text/*-80.txt")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	words := map[string]bool{}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		table := false
		for _, line := range strings.Split(string(raw), "\n") {
			if line == "" {
				table = false
			}
			if column.MatchString(line) {
				for _, word := range regexp.MustCompile(`  +`).Split(line, -1) {
					words[strings.TrimSuffix(strings.TrimPrefix(word, "look "), ":")] = true
				}
				table = true
			} else if m := label.FindStringSubmatch(line); m != nil && !table {
				words[m[1]] = true
			}
		}
	}
	for word := range words {
		if !regexp.MustCompile(`^(?:pairs|largest|99 %|look|statistic|)$`).MatchString(word) {
			require.NoError(t, lookUp(&columns.Text{}, root, word), word)
		}
	}
	require.Greater(t, len(words), 25)
	for _, c := range root.Commands() {
		require.NoError(t, lookUp(&columns.Text{}, root, c.Name()))
	}
}
