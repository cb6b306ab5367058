// Package escape makes names and texts from files harmless: on terminals, in
// Markdown and in JSON.
package escape

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Printable returns s unchanged when every rune of it is harmless on a
// terminal, and quoted otherwise, so that names chosen by a file's author
// cannot carry control sequences into any output.
func Printable(s string) string {
	q := strconv.QuoteToGraphic(s)
	if len(q) == len(s)+2 && q[1:len(q)-1] == s {
		return s
	}
	return strconv.QuoteToASCII(s)
}

// Visible spells out the control, direction and other invisible characters of
// s and leaves the rest as it is.
func Visible(s string) string {
	var b strings.Builder
	for _, c := range s {
		if unicode.IsGraphic(c) && c != utf8.RuneError {
			b.WriteRune(c)
		} else {
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(c), "'"))
		}
	}
	return b.String()
}
