package html_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/html"
)

// hostile are strings that must not act in any form of a report.
var hostile = []string{
	"\x1b[31mred", "\x1b]0;title\x07", "a\u202eb", "nul\x00", "<script>alert(1)</script>", "](javascript:alert(1))", "=HYPERLINK(\"x\")",
	"\" onload=\"x", "'><img src=x>", "\r\nX: y", "| cell | cell |", "`code`", strings.Repeat("A", 1<<20),
}

func TestHostileNames(t *testing.T) {
	for _, h := range hostile {
		if testing.Short() {
			h = h[:min(len(h), 1<<14)]
		}
		n := report.Number(-3)
		r := &report.Report{Components: []report.Component{{Name: h, Log10P: &n}}, Warnings: []string{h}, Layers: []report.Layer{{B: 0, Log10P: &n}},
			Evidence: []report.Evidence{{Test: "agreement", Axis: h, Controls: &report.Standing{N: 1}}, {Skipped: h}}}
		r.Subjects[0].Ref = h
		r.Verdict.Because = []string{h}
		for name, write := range map[string]func(*bytes.Buffer) error{
			"html": func(b *bytes.Buffer) error { return html.Write(r, b) },
			"md":   func(b *bytes.Buffer) error { return r.WriteMarkdown(b) },
			"text": func(b *bytes.Buffer) error { return r.WriteText(b) },
			"json": func(b *bytes.Buffer) error { return r.WriteJSON(b) },
		} {
			var b bytes.Buffer
			require.NoError(t, write(&b), name)
			for _, c := range b.String() {
				require.False(t, c != '\n' && (unicode.IsControl(c) || c >= 0x202a && c <= 0x202e), "%s holds %U", name, c)
			}
			if name == "md" {
				require.NotContains(t, strings.ReplaceAll(b.String(), `\<`, ""), "<")
				require.NotContains(t, b.String(), "](javascript")
			}
			if name == "html" {
				require.NotContains(t, b.String(), "<img")
				require.NotContains(t, b.String(), "<script")
				require.Contains(t, b.String(), "default-src 'none'")
			}
		}
	}
}
