// Package html writes a report as one HTML file that needs nothing else: no
// script, no style sheet, font or picture from elsewhere, and a policy that
// forbids them. It prints, and follows the reader's light or dark setting.
package html

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/report"
)

// Write writes the report.
func Write(r *report.Report, w io.Writer) error { return page.Execute(w, r) }

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"safe":    tensor.Printable,
	"log":     report.Log,
	"upper":   func(s report.Relation) string { return strings.ToUpper(string(s)) },
	"percent": func(x report.Number) string { return fmt.Sprintf("%.1f %%", 100*float64(x)) },
	"three":   func(x report.Number) string { return fmt.Sprintf("%.3f", float64(x)) },
	"six":     func(x report.Number) string { return fmt.Sprintf("%.6g", float64(x)) },
	"name":    func(i int) string { return []string{"A", "B"}[i] },
	"layers":  layers,
	"among":   among,
}).Parse(source))

const source = `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>weightprint: {{.Verdict.Relation}}</title>
<style>
:root{color-scheme:light dark;--ink:#1a1a1a;--paper:#ffffff;--soft:#5a5a5a;--line:#cccccc;--bar:#2b6cb0;--none:#9a9a9a}
@media (prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#16181b;--soft:#b0b0b0;--line:#444444;--bar:#7fb2e5;--none:#777777}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.6rem;margin:.5rem 0}h2{font-size:1.15rem;margin:1.6rem 0 .4rem}
table{border-collapse:collapse;font-size:.9rem}td,th{border-bottom:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}
.wide{overflow-x:auto}.n{text-align:right;font-variant-numeric:tabular-nums}.soft{color:var(--soft)}
svg{max-width:100%;height:auto}svg text{fill:var(--ink);font:12px system-ui,sans-serif}.bar{fill:var(--bar)}.none{fill:var(--none)}.rule{stroke:var(--line)}
@media print{body{max-width:none}}
</style></head><body>
<h1>{{upper .Verdict.Relation}}{{if ne .Verdict.Tier "none"}} <span class="soft">({{.Verdict.Tier}} tier)</span>{{end}}</h1>
<ul>{{range $i, $s := .Subjects}}<li><b>{{name $i}}</b> {{safe $s.Ref}} <span class="soft">{{$s.Format}}, {{$s.Parameters}} parameters, {{$s.BytesRead}} of {{$s.BytesTotal}} bytes read{{if $s.Root}}, values {{$s.Root}}{{end}}</span></li>{{end}}</ul>
<table><tr><th>strength</th><td>{{.Verdict.Strength}}</td></tr><tr><th>score</th><td>{{three .Verdict.Score}}</td></tr>
<tr><th>kinds</th><td>{{range $i, $k := .Verdict.Kinds}}{{if $i}}, {{end}}{{$k}}{{end}}</td></tr><tr><th>direction</th><td>{{.Verdict.Direction}}</td></tr></table>
<h2>Because</h2><ul>{{range .Verdict.Because}}<li>{{safe .}}</li>{{end}}</ul>
{{if .Verdict.Alternatives}}<h2>Not excluded</h2><ul>{{range .Verdict.Alternatives}}<li>{{safe .}}</li>{{end}}</ul>{{end}}
<h2>Components of B</h2><div class="wide"><table><tr><th>component</th><th class="n">tensors</th><th class="n">share</th><th>relation</th><th class="n">log10 p</th><th class="n">effect</th></tr>
{{range .Components}}<tr><td>{{safe .Name}}</td><td class="n">{{.Tensors}}</td><td class="n">{{percent .ParametersShare}}</td><td>{{.Relation}}</td><td class="n">{{log .Log10P}}</td><td class="n">{{three .Effect}}</td></tr>{{end}}</table></div>
{{if .Layers}}<h2>Layers of B</h2>{{layers .Layers}}{{end}}
<h2>Evidence</h2><div class="wide"><table><tr><th>test</th><th>axis</th><th>tier</th><th class="n">statistic</th><th class="n">n</th><th class="n">effect</th><th class="n">log10 p</th><th>among controls</th></tr>
{{range .Evidence}}<tr><td>{{.Test}}</td><td>{{safe .Axis}}</td><td>{{.Tier}}</td>{{if .Skipped}}<td colspan="5" class="soft">not run: {{safe .Skipped}}</td>{{else}}<td class="n">{{six .Statistic}}</td><td class="n">{{.N}}</td><td class="n">{{three .Effect}}</td><td class="n">{{log .Log10P}}</td><td>{{if .Controls}}{{among .}}{{end}}</td>{{end}}</tr>{{end}}</table></div>
{{if .Warnings}}<h2>Warnings</h2><ul>{{range .Warnings}}<li>{{safe .}}</li>{{end}}</ul>{{end}}
<h2>Limits</h2><ul>{{range .Limits}}<li>{{safe .}}</li>{{end}}</ul>
<p class="soft">weightprint {{safe .Tool.Version}}, schema {{.Schema}}, budget {{.Options.Budget}}, depth {{.Options.Depth}}</p>
</body></html>
`

// layers draws one bar a layer: how small its p-value is, and where it comes
// from.
func layers(all []report.Layer) template.HTML {
	const row, left, wide = 18, 170, 420
	most := 1.0
	for _, l := range all {
		if l.Log10P != nil {
			most = math.Max(most, -float64(*l.Log10P))
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %d %d" width="%d" role="img" aria-label="one bar for each layer of B, as long as its p-value is small">`, left+wide+80, row*len(all)+4, left+wide+80)
	for i, l := range all {
		y := i*row + 13
		from, class, length, figure := "no source found", "none", 0.0, "–"
		if l.A != nil {
			from, class = fmt.Sprintf("layer %d of A", *l.A), "bar"
		}
		if l.Log10P != nil {
			length, figure = -float64(*l.Log10P)/most*wide, report.Log(l.Log10P)
		}
		fmt.Fprintf(&b, `<text x="0" y="%d">%d: %s</text><rect class="%s" x="%d" y="%d" width="%.0f" height="12"/><text x="%.0f" y="%d">%s</text>`, y, l.B, from, class, left, y-10, math.Max(length, 1), left+length+6, y, figure)
	}
	b.WriteString("</svg>")
	return template.HTML(b.String())
}

// among draws the case on a line from 0 to 1 beside the largest control.
func among(e report.Evidence) template.HTML {
	const wide = 160
	at := func(x report.Number) float64 { return 4 + math.Max(0, math.Min(1, float64(x)))*wide }
	s := e.Controls
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %d 18" width="%d" role="img" aria-label="effect %.3f, largest of %d controls %.3f"><line class="rule" x1="4" x2="%d" y1="9" y2="9"/><rect class="none" x="4" y="6" width="%.1f" height="6"/><circle class="bar" cx="%.1f" cy="9" r="4"/></svg><br><span class="soft">largest of %d: %.3g, p %.2g</span>`,
		wide+8, wide+8, float64(e.Effect), s.N, float64(s.Largest), wide+4, at(s.Largest)-4, at(e.Effect), s.N, float64(s.Largest), float64(s.P)))
}
