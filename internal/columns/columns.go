// Package columns lays out text for people: rows with a label and words that
// wrap beside it.
package columns

import (
	"fmt"
	"slices"
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

// Width is the number of columns that this text has.
func (t *Text) Width() int {
	if t.Columns == 0 {
		return width
	}
	return t.Columns
}

// Indent is where the words of a row stand.
const Indent = 14

// Row writes a label and a text that wraps beside it. Empty texts are left out.
func (t *Text) Row(label, words string) {
	if words != "" {
		t.hang(Indent, label, words)
	}
}

// Hang writes a line as it is where it fits, and wraps it behind its first letters
// where it does not.
func (t *Text) Hang(label, words string) {
	if n := utf8.RuneCountInString(label); n+utf8.RuneCountInString(escape.Visible(words)) > t.Width() {
		t.hang(n, label, words)
		return
	}
	t.Line("%s%s", label, words)
}

// hang wraps words behind a label.
func (t *Text) hang(indent int, label, words string) {
	for i, line := range Wrap(words, t.Width()-indent) {
		t.place(indent, FirstOnly(label, i), line)
	}
}

// place writes a label with one line of words. A word that is wider than its place
// begins further left, on a line of its own where a label is in the way; one that
// is wider than the text is broken.
func (t *Text) place(indent int, label, line string) {
	r := []rune(line)
	if len(r) <= t.Width()-indent {
		t.Line("%-*s%s", indent, label, line)
		return
	}
	if strings.TrimSpace(label) != "" {
		t.Line("%s", label)
	}
	for ; len(r) > t.Width(); r = r[t.Width():] {
		t.Line("%s", string(r[:t.Width()]))
	}
	t.Line("%*s%s", min(indent, t.Width()-len(r), len(line)), "", string(r))
}

// Wrap breaks words into lines of at most room letters, except for single words
// that are longer.
func Wrap(words string, room int) (lines []string) {
	used := 0
	for i, w := range strings.Fields(escape.Visible(words)) {
		n := utf8.RuneCountInString(w)
		if i == 0 || used+1+n > room {
			lines, used = append(lines, w), n
			continue
		}
		lines[len(lines)-1] += " " + w
		used += 1 + n
	}
	return lines
}

// Clip cuts words behind what fits into a number of rows of the default width.
func Clip(words string, rows int) string {
	const room = width - Indent
	all := Wrap(words, room)
	if len(all) <= rows && !slices.ContainsFunc(all, func(s string) bool { return utf8.RuneCountInString(s) > room }) {
		return words
	}
	last := []rune(all[min(rows, len(all))-1])
	for len(last) > room-2 {
		at := strings.LastIndex(string(last), " ")
		if at < 0 {
			last = last[:room-2]
			break
		}
		last = []rune(string(last)[:at])
	}
	kept := append(slices.Clone(all[:min(rows, len(all))-1]), strings.TrimRight(string(last), " ,;:")+" …")
	return strings.Join(kept, " ")
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

// Grouped writes a number whole, its digits in threes.
func Grouped(n int64) string {
	s := fmt.Sprint(n)
	for at := len(s) - 3; at > 0 && s[at-1] != '-'; at -= 3 {
		s = s[:at] + "," + s[at:]
	}
	return s
}

// Range writes what lies above one number, up to another; 0 is no bound on either side.
func Range(from, to int64) string {
	switch {
	case from == 0:
		return "up to " + Grouped(to)
	case to == 0:
		return "above " + Grouped(from)
	}
	return "above " + Grouped(from) + ", up to " + Grouped(to)
}
