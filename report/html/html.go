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
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Write writes the report.
func Write(r *report.Report, w io.Writer) error { return page.Execute(w, r) }

// style is the only style sheet; the page's policy allows it by its digest and
// no other style.
//
//go:embed style.css
var style string

//go:embed page.tmpl
var source string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"style":    func() template.HTML { return template.HTML("<style>" + style + "</style>") },
	"policy":   policy,
	"safe":     escape.Printable,
	"log":      verdict.Log,
	"upper":    func(s verdict.Relation) string { return strings.ToUpper(string(s)) },
	"percent":  func(x verdict.Number) string { return fmt.Sprintf("%.1f %%", 100*float64(x)) },
	"three":    func(x verdict.Number) string { return fmt.Sprintf("%.3f", float64(x)) },
	"two":      func(x verdict.Number) string { return fmt.Sprintf("%.2g", float64(x)) },
	"six":      func(x verdict.Number) string { return fmt.Sprintf("%.6g", float64(x)) },
	"name":     func(i int) string { return string(rune('A' + i)) },
	"kinds":    kinds,
	"plain":    func(v verdict.Verdict) string { return v.Plain() },
	"within":   within,
	"sums":     sums,
	"scale":    scale,
	"pictures": Pictures,
	"layerMap": layerMap,
	"hidden":   hidden,
}).Parse(source))

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

// within writes the band of a role.
func within(l report.RoleLikeness) string {
	low, high := l.Band()
	return fmt.Sprintf("%+.3f … %+.3f", low, high)
}
