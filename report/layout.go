package report

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// width is the number of columns text is laid out for.
const width = 80

// lines collects lines of text for people.
type lines struct {
	columns int // 0 for width

	b strings.Builder
}

// raw adds text as it is.
func (t *lines) raw(s string) { t.b.WriteString(s) }

// String is all that was written.
func (t *lines) String() string { return t.b.String() }

// line adds a line, with whatever could steer a terminal spelled out.
func (t *lines) line(format string, args ...any) {
	t.b.WriteString(strings.TrimRight(tensor.Visible(fmt.Sprintf(format, args...)), " ") + "\n")
}

// row writes a label and a text that wraps beside it. Empty texts are left out.
func (t *lines) row(label, words string) {
	const indent = 14
	if words == "" {
		return
	}
	columns := t.columns
	if columns == 0 {
		columns = width
	}
	line := fmt.Sprintf("%-*s", indent, label)
	used := indent
	for i, w := range strings.Fields(words) {
		n := utf8.RuneCountInString(w)
		if i > 0 && used+1+n > columns {
			t.line("%s", line)
			line, used = strings.Repeat(" ", indent), indent
		} else if i > 0 {
			line, used = line+" ", used+1
		}
		line, used = line+w, used+n
	}
	t.line("%s", line)
}

// list writes items under one label.
func (t *lines) list(label string, items []string) {
	for i, s := range items {
		t.row(firstOnly(label, i), s)
	}
	if len(items) > 0 {
		t.line("")
	}
}

// firstOnly is the label of the first of several rows, and none of the others.
func firstOnly(label string, i int) string {
	if i > 0 {
		return ""
	}
	return label
}

// fit cuts the middle out of a name that is longer than n letters, as shown.
func fit(s string, n int) string {
	r := []rune(tensor.Visible(s))
	if len(r) <= n {
		return string(r)
	}
	tail := (n - 1) / 2
	return string(r[:n-1-tail]) + "…" + string(r[len(r)-tail:])
}

// size writes a number of bytes.
func size(n int64) string {
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

// count writes a number of parameters.
func count(n int64) string {
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
