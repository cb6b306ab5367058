// Package html writes a report as one HTML file that needs nothing else: no
// script, no style sheet, font or picture from elsewhere, and a policy that
// forbids them. It prints, and follows the reader's light or dark setting.
//
// Its pictures are SVG, drawn from the figures of the report alone, each with
// a title and a description in words: the case among its controls, the
// likeness of each role over what chance shows, layers against layers, the
// histogram of the differences, the map of layers.
package html

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Write writes the report.
func Write(r *report.Report, w io.Writer) error { return layout.Execute(w, r) }

// style is the only style sheet; the page's policy allows it by its digest and
// no other style.
//
//go:embed style.css
var style string

//go:embed page.tmpl
var pageSource string

//go:embed drawings.tmpl
var drawingSource string

// words are what both templates may call.
var words = template.FuncMap{
	"safe":     escape.Printable,
	"prose":    prose,
	"name":     func(i int) string { return string(rune('A' + i)) },
	"pictures": Pictures,
	"layerMap": layerMap,
	"grouped":  columns.Grouped,
}

// powers are numbers that a line must not break in two.
var powers = regexp.MustCompile(`[0-9.]*e-[0-9]+`)

// prose is text whose numbers stay in one line.
func prose(text string) template.HTML {
	return template.HTML(powers.ReplaceAllString(template.HTMLEscapeString(escape.Printable(text)), `<span class="whole">$0</span>`))
}

// drawings holds a template for each drawing that a section may ask for.
var drawings = template.Must(template.New("drawings").Funcs(words).Parse(drawingSource))

var layout = template.Must(template.New("report").Funcs(words).Funcs(template.FuncMap{
	"style":    func() template.HTML { return template.HTML("<style>" + style + "</style>") },
	"policy":   policy,
	"log":      verdict.Log,
	"upper":    func(s verdict.Relation) string { return strings.ToUpper(string(s)) },
	"three":    func(x verdict.Number) string { return fmt.Sprintf("%.3f", float64(x)) },
	"kinds":    kinds,
	"plain":    func(v verdict.Verdict) string { return v.Plain() },
	"sums":     sums,
	"scale":    scale,
	"sections": sections,
	"class":    class,
}).Parse(pageSource))

// policy is the content security policy of the page.
func policy() string {
	d := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(d[:]) + "'; base-uri 'none'; form-action 'none'"
}

func kinds(all []verdict.Kind) string {
	if len(all) == 0 {
		return "none named"
	}
	words := make([]string, len(all))
	for i, k := range all {
		words[i] = string(k)
	}
	return strings.Join(words, ", ")
}
