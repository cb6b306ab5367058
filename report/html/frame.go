package html

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"unicode"

	"github.com/weightprint/weightprint/internal/escape"
)

// frame puts drawn shapes into an svg element with a title and a description.
func frame(w, h float64, title, words, shapes string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 %s %s" width="%s" height="%s" role="img" aria-label="%s"><title>%s</title><desc>%s</desc>%s</svg>`,
		figure(w), figure(h), figure(w), figure(h), html.EscapeString(title), html.EscapeString(title), html.EscapeString(words), shapes))
}

// short is a name that fits into a picture.
func short(s string, n int) string {
	r := []rune(escape.Printable(s[:min(len(s), 4*n+8)]))
	for i, c := range r {
		if !unicode.IsGraphic(c) {
			r[i] = '?'
		}
	}
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return string(r)
}

// clamp keeps figures of a report that was not made here from bursting a
// picture.
func clamp(x, low, high float64) float64 {
	if math.IsNaN(x) {
		return low
	}
	return math.Max(low, math.Min(high, x))
}
