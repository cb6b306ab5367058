// Package columns lays out text for people: rows with a label and words that
// wrap beside it.
package columns

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/internal/escape"
)

// width is the number of columns text is laid out for.
const width = 80

// Text collects lines of text for people.
type Text struct {
	Columns int // 0 for width

	b strings.Builder
}

// Raw adds text as it is.
func (t *Text) Raw(s string) { t.b.WriteString(s) }

// String is all that was written.
func (t *Text) String() string { return t.b.String() }

// Line adds a line, with whatever could steer a terminal spelled out.
func (t *Text) Line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(escape.Visible(fmt.Sprintf(format, args...)), " ") + "\n")
}

// Row writes a label and a text that wraps beside it. Empty texts are left out.
func (t *Text) Row(label, words string) {
	const indent = 14
	if words == "" {
		return
	}
	columns := t.Columns
	if columns == 0 {
		columns = width
	}
	line := fmt.Sprintf("%-*s", indent, label)
	used := indent
	for i, w := range strings.Fields(words) {
		n := utf8.RuneCountInString(w)
		if i > 0 && used+1+n > columns {
			t.Line("%s", line)
			line, used = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+w, used+n
	}
	t.Line("%s", line)
}

// List writes items under one label.
func (t *Text) List(label string, items []string) {
	for i, s := range items {
		t.Row(FirstOnly(label, i), s)
	}
	if len(items) > 0 {
		t.Line("")
	}
}

// FirstOnly is the label of the first of several rows, and none of the others.
func FirstOnly(label string, i int) string {
	if i > 0 {
		return ""
	}
	return label
}

// Fit cuts the middle out of a name that is longer than n letters, as shown.
func Fit(s string, n int) string {
	r := []rune(escape.Visible(s))
	if len(r) <= n {
		return string(r)
	}
	tail := (n - 1) / 2
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}

// Size writes a number of bytes.
func Size(n int64) string {
	for _, u := range []struct {
		least  float64
		suffix string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if float64(n) >= u.least {
			return fmt.Sprintf("%.3g %s", float64(n)/u.least, u.suffix)
		}
	}
	return fmt.Sprintf("%d B", n)
}

// Count writes a number of parameters.
func Count(n int64) string {
	for _, u := range []struct {
		least  float64
		suffix string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if float64(n) >= u.least {
			return fmt.Sprintf("%.3g%s", float64(n)/u.least, u.suffix)
		}
	}
	return fmt.Sprint(n)
}
