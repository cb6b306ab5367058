package report

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/verdict"
)

var renew = flag.Bool("renew", false, "write the golden files anew")

// golden reads a stored report.
func golden(t *testing.T, name string) *Report {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "text", name+".json"))
	require.NoError(t, err)
	r, err := ParseJSON(raw)
	require.NoError(t, err)
	return r
}

// stored are the reports of testdata/text.
var stored = []string{"related", "shared-init", "identical", "no-evidence", "inconclusive", "disguised"}

// The short form and the long one look as the golden files do, in every width.
func TestTextIsGolden(t *testing.T) {
	for _, name := range stored {
		r := golden(t, name)
		for _, n := range []int{40, 80, 120, 160, 200} {
			forms := map[string]func(*bytes.Buffer) error{"brief": func(b *bytes.Buffer) error { return r.WriteBrief(b, Style{Columns: n}) }}
			if name == "related" {
				forms["all"] = func(b *bytes.Buffer) error { return r.WriteStyled(b, Style{Columns: n}) }
			}
			for form, write := range forms {
				file := filepath.Join("testdata", "text", fmt.Sprintf("%s-%s-%d.txt", name, form, n))
				var got bytes.Buffer
				require.NoError(t, write(&got))
				if *renew {
					require.NoError(t, os.WriteFile(file, got.Bytes(), 0o600))
				}
				want, err := os.ReadFile(file)
				require.NoError(t, err)
				require.Equal(t, string(want), got.String(), file)
			}
		}
	}
}

// fits requires that no line is wider than n columns.
func fits(t *testing.T, n int, text string) {
	t.Helper()
	for _, line := range strings.Split(text, "\n") {
		require.LessOrEqual(t, utf8.RuneCountInString(line), n, line)
	}
}

// Both forms fit into any width from 40 to 200 columns.
func TestTextFitsItsWidth(t *testing.T) {
	for _, name := range stored {
		r := golden(t, name)
		r.Subjects[0].Ref = strings.Repeat("a-long-path/", 30)
		r.Subjects[1].Files = append(r.Subjects[1].Files, File{Path: strings.Repeat("x", 300)})
		for n := 40; n <= 200; n += 7 {
			var brief, all bytes.Buffer
			require.NoError(t, r.WriteBrief(&brief, Style{Columns: n}))
			require.NoError(t, r.WriteStyled(&all, Style{Columns: n}))
			fits(t, n, brief.String())
			fits(t, n, all.String())
		}
	}
}

// However much there is to say, the short form is one screen, and says each of
// the things that it is for.
func TestBriefIsOneScreen(t *testing.T) {
	long := strings.Repeat("many words that go on and on ", 30)
	for _, name := range stored {
		r := golden(t, name)
		v := &r.Verdict
		for k := range 6 {
			v.Because = append(v.Because, fmt.Sprint(k, long))
			v.Alternatives = append(v.Alternatives, long)
			v.Excludes = append(v.Excludes, long)
			r.Warnings = append(r.Warnings, long)
			v.Kinds = append(v.Kinds, verdict.MoEUpcycled, verdict.ContinuedPretrained)
		}
		r.Subjects[0].Ref, r.Subjects[1].Ref = strings.Repeat("s", 99), strings.Repeat("t", 99)
		if v.Relation == verdict.Inconclusive {
			v.Excludes, v.Next = nil, verdict.Steps()[:2]
		} else {
			v.Reading = &verdict.Reading{Story: long, Reverse: long, Cost: long}
		}
		var b bytes.Buffer
		require.NoError(t, r.WriteBrief(&b, Style{}))
		text := b.String()
		require.LessOrEqual(t, strings.Count(text, "\n"), 24, text)
		fits(t, 80, text)
		require.True(t, strings.HasPrefix(text, strings.ToUpper(string(v.Relation))+"\n"))
		for _, label := range []string{"\nA  ", "\nB  ", "\nhow sure  ", "\nH0 says  ", "\nbecause  ", "\nnot excluded  ", "\nwarning  "} {
			require.Contains(t, text, label, name)
		}
		require.Equal(t, v.Relation == verdict.Inconclusive, strings.Contains(text, "\nnext  "))
	}
}

// A file that gives itself an unusual name cannot speak in a command.
func TestStepsQuoteReferences(t *testing.T) {
	r := golden(t, "inconclusive")
	for ref, want := range map[string]string{"base/x.gguf": "base/x.gguf", "my model": "'my model'", "it's; rm -rf /": `'it'\''s; rm -rf /'`, "a\x1b[2J": "A", strings.Repeat("n", 101): "A"} {
		r.Subjects[0].Ref = ref
		require.Contains(t, r.Steps()[0].Command, "weightprint compare "+want+" ", ref)
	}
}
