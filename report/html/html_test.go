package html_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	stdhtml "html"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/hostile"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/html"
	"github.com/weightprint/weightprint/report/verdict"
)

// full is a report that uses every part of every form, with h wherever a
// string may come from a file.
func full(h string) *report.Report {
	n, two := verdict.Number(-3), 2
	d := fingerprint.Digest{1}
	spread := verdict.Spread{Name: h, N: 30, Independent: true, Quantiles: []verdict.Number{0, .1, .2, .3, .4, .5, .6}}
	r := &report.Report{
		Schema: report.Schema, Tool: report.Tool{Name: "weightprint", Version: h}, Seed: "00",
		Components: []report.Component{{Name: h, Relation: verdict.Related, Log10P: &n}},
		Evidence: []report.Evidence{
			{Test: "agreement", Axis: h, Effect: .5, Warnings: []string{h}, Controls: &verdict.Standing{N: 1, Strata: []verdict.Spread{spread}}},
			{Test: h, Axis: h, Tier: "exact", Skipped: h},
		},
		Layers:      []report.Layer{{Tower: h, B: 0, Log10P: &n}, {Tower: "main", B: 1, A: &two, Log10P: &n}},
		Roles:       []report.RoleLikeness{{Role: h, Matrices: 1, Rows: 4, Cosine: .9, SD: .1}},
		LayerScores: &report.LayerScores{How: h, Units: 4, A: []int{0, 1}, B: []int{0, 1}, Counts: [][]int{{4, 0}, {1, 3}}},
		Delta:       &report.Delta{Different: 1, OnlyA: []string{h}, OnlyB: []string{h}, Shapes: []string{h}, Maps: []report.UnitMap{{Axis: h}}, Histogram: &report.Histogram{Reach: 5, Matrices: 1, Counts: []int64{0, 3, 9, 3, 0}}},
		Context:     []report.Context{{Name: h, Value: h, Note: h}}, Limits: []string{h}, Warnings: []string{h},
		Methods: report.Methods{Tests: []report.Method{{Name: h, Tier: "exact", Doc: h}}},
	}
	for i := range r.Subjects {
		r.Subjects[i] = report.Subject{Ref: h, Format: h, Layout: h, Revision: h, Declared: []string{h}, Files: []report.File{{Path: h, Size: 3, Ranges: [][2]int64{{0, 3}}, ReadDigest: &d}}}
	}
	r.Verdict = verdict.Verdict{Relation: verdict.Related, Tier: "exact", Log10P: &n, Because: []string{h}, Alternatives: []string{h}, Statement: h, Strength: "strong support"}
	return r
}

// forms are all that a report can be written as.
var forms = map[string]func(*report.Report, io.Writer) error{
	"html": html.Write, "md": (*report.Report).WriteMarkdown, "text": (*report.Report).WriteText, "json": (*report.Report).WriteJSON,
}

// Nothing that stands in a file acts in any form of a report.
func TestHostileStrings(t *testing.T) {
	all := hostile.Strings(testing.Short())
	require.Len(t, all, 200)
	for i, h := range all {
		r := full(h[:min(len(h), 1<<12)])
		r.Subjects[0].Ref, r.Components[0].Name, r.Evidence[0].Axis, r.Verdict.Because[0] = h, h, h, h
		for form, write := range forms {
			var b bytes.Buffer
			require.NoError(t, write(r, &b), form)
			require.NoError(t, hostile.Check(form, b.String()), "string %d: %.40q", i, h)
		}
	}
}

// The check itself finds what it must find.
func TestHostileCheckFinds(t *testing.T) {
	for form, bad := range map[string]string{
		"text": "a\x1b[31m", "json": "\"\u202e\"", "html": "<p><script>x</script></p>", "svg": `<path onload="x"/>`, "md": "see [x](javascript:1)", "dot": "digraph lineage {\n  x -> y;\n}",
	} {
		require.Error(t, hostile.Check(form, bad), form)
	}
	require.Error(t, hostile.Check("html", `<p onclick=x>`))
	require.Error(t, hostile.Check("md", "| a | b |\n|---|---|\n| x | y | z |\n"))
}

// demoReports compares the networks that come with the program.
func demoReports(t *testing.T) (out []*report.Report) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	for _, s := range demo.Steps {
		r, err := report.Compare(context.Background(), filepath.Join(dir, s.A), filepath.Join(dir, s.B), nil)
		require.NoError(t, err)
		out = append(out, r)
	}
	return out
}

func page(t *testing.T, r *report.Report) string {
	var b bytes.Buffer
	require.NoError(t, html.Write(r, &b))
	return b.String()
}

var svgs = regexp.MustCompile(`(?s)<svg.*?</svg>`)

// Every picture is well-formed and says in words what it shows.
func TestPicturesHaveWords(t *testing.T) {
	for i, r := range demoReports(t) {
		s := page(t, r)
		require.NoError(t, hostile.Check("html", s))
		pictures := svgs.FindAllString(s, -1)
		require.GreaterOrEqual(t, len(pictures), 3, "report %d", i)
		for _, p := range pictures {
			m := regexp.MustCompile(`^<svg viewBox="[^"]+" width="[0-9.]+" height="[0-9.]+" role="img" aria-label="([^"]+)"><title>([^<]+)</title><desc>([^<]{20,})</desc>`).FindStringSubmatch(p)
			require.NotNil(t, m, p[:min(len(p), 200)])
			require.Equal(t, m[1], m[2])
			require.NoError(t, xml.Unmarshal([]byte(p), new(struct{})))
		}
	}
}

// shown is the result of a first test with controls that is drawn: of several the one that
// shows most.
func shown(r *report.Report) (best *report.Evidence) {
	for i := range r.Evidence {
		e := &r.Evidence[i]
		if e.Controls != nil && (best == nil || e.Test == best.Test && e.Effect > best.Effect) {
			best = e
		}
	}
	return best
}

// The pictures show the figures: the diagonal of a fine-tune's layers, the
// sources in its layer map, the case beyond its controls.
func TestPicturesShowTheFigures(t *testing.T) {
	r := demoReports(t)[0]
	s := page(t, r)
	for _, words := range []string{"0←0 (64), 1←1 (64)", "0 from 0, 1 from 1", "This pair lies ", " roles are more alike at the same place than relabelling explains", fmt.Sprintf("This pair shows %.3f", float64(shown(r).Effect))} {
		require.True(t, strings.Contains(s, words), words)
	}
}

// The page's policy allows its own style sheet by digest and nothing else.
func TestPolicy(t *testing.T) {
	s := page(t, full("x"))
	m := regexp.MustCompile(`(?s)<style>(.*?)</style>`).FindAllStringSubmatch(s, -1)
	require.Len(t, m, 1)
	d := sha256.Sum256([]byte(m[0][1]))
	policy := stdhtml.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(s)[1])
	require.Equal(t, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(d[:])+"'; base-uri 'none'; form-action 'none'", policy)
	for _, never := range []string{"style=", "url(", "http://", "https://", "@import"} {
		require.False(t, strings.Contains(s, never), never)
	}
}

func TestSameBytes(t *testing.T) {
	r := demoReports(t)[0]
	first := page(t, r)
	for range 3 {
		require.True(t, first == page(t, r))
	}
	// A report that went through its JSON form gives the same page.
	var b bytes.Buffer
	require.NoError(t, r.WriteJSON(&b))
	back, err := report.ReadJSON(&b)
	require.NoError(t, err)
	require.True(t, first == page(t, back))
}

// Figures that no comparison gives neither hang nor break a picture.
func TestAbsurdFigures(t *testing.T) {
	for _, x := range []verdict.Number{1e308, -1e308, 1e-308, 0} {
		r := full("x")
		r.Evidence[0].Effect = x
		r.Evidence[0].Controls.Strata[0].Quantiles = []verdict.Number{x, -x}
		r.Roles[0].Cosine, r.Roles[0].Mean, r.Roles[0].SD = x, x, x
		r.Delta.Histogram.Reach, r.Delta.Histogram.Counts = x, []int64{math.MaxInt64, math.MinInt64, -1, 5}
		r.LayerScores.Counts = [][]int{{math.MaxInt, math.MinInt}, {0, 0}}
		r.Layers[0].Log10P = &x
		far := math.MaxInt
		r.Layers[1].A = &far
		require.NoError(t, hostile.Check("html", page(t, r)))
		require.False(t, strings.Contains(page(t, r), "NaN"))
	}
	r := full("x")
	r.LayerScores.Counts = [][]int{{1}}
	page(t, r)
}

// contrast is that of two colours by WCAG 2.
func contrast(t *testing.T, a, b string) float64 {
	light := func(s string) float64 {
		n, err := strconv.ParseUint(strings.TrimPrefix(s, "#"), 16, 32)
		require.NoError(t, err)
		sum := 0.0
		for i, w := range []float64{0.2126, 0.7152, 0.0722} {
			c := float64(n>>(16-8*i)&0xff) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += w * c
		}
		return sum
	}
	x, y := light(a)+0.05, light(b)+0.05
	return math.Max(x, y) / math.Min(x, y)
}

// Text has the contrast that WCAG 2 AA asks for, shapes that carry meaning
// theirs, in light, dark and print.
func TestContrast(t *testing.T) {
	sheet, err := os.ReadFile("style.css")
	require.NoError(t, err)
	themes := regexp.MustCompile(`:root\{[^}]*\}`).FindAllString(string(sheet), -1)
	require.Len(t, themes, 3)
	for i, theme := range themes {
		v := map[string]string{}
		for _, m := range regexp.MustCompile(`--([a-z]+):(#[0-9a-f]{6})`).FindAllStringSubmatch(theme, -1) {
			v[m[1]] = m[2]
		}
		require.Len(t, v, 9)
		for _, c := range []struct {
			on, what string
			least    float64
		}{
			{"paper", "ink", 4.5}, {"paper", "soft", 4.5}, {"sheet", "ink", 4.5}, {"sheet", "soft", 4.5}, {"bar", "paper", 4.5}, {"none", "ink", 3},
			{"paper", "bar", 3}, {"paper", "none", 3}, {"paper", "mark", 3}, {"band", "bar", 3}, {"band", "mark", 3}, {"band", "ink", 4.5},
		} {
			require.GreaterOrEqual(t, contrast(t, v[c.on], v[c.what]), c.least, "theme %d: %s on %s", i, c.what, c.on)
		}
	}
}

func ExampleWrite() {
	r := &report.Report{Verdict: verdict.Verdict{Relation: verdict.Related, Tier: "exact"}}
	var b bytes.Buffer
	if err := html.Write(r, &b); err != nil {
		panic(err)
	}
	fmt.Println(strings.Contains(b.String(), "RELATED"), strings.Contains(b.String(), "<script"))
	// Output: true false
}

// The title page names the files with their SHA-256 or says why there is none, shows the
// scale whole with the place of the case, and leaves an open case without a place.
func TestTitlePage(t *testing.T) {
	r := demoReports(t)[0]
	s, _, _ := strings.Cut(page(t, r), "<main>")
	for _, words := range []string{r.Subjects[0].Files[0].SHA256, r.Subjects[1].Files[0].SHA256, "Examiner", "Exhibit", "weightprint compare ", "extremely strong support", "ratio above 1,000,000", "no support"} {
		require.Contains(t, s, words)
	}
	require.Equal(t, 1, strings.Count(s, "this case"))
	require.Contains(t, s, `class="here"><td>`+r.Verdict.Strength+`</td>`)

	open := full("x")
	open.Verdict.Relation, open.Verdict.Strength = verdict.Inconclusive, "no support"
	s, _, _ = strings.Cut(page(t, open), "<main>")
	require.NotContains(t, s, "this case")
	require.Contains(t, s, "--pin reads it")
}
