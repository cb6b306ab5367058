// Package hostile has strings that must not act, whatever output they reach,
// and checks that they do not. Names of tensors, metadata and paths come from
// strangers.
package hostile

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// cores are strings that do something somewhere: in terminals, in Markdown, in
// HTML and SVG, in Graphviz, in spreadsheets, in a log.
var cores = []string{
	"\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "\x1b[2J\x1b[H", "\x9b31m", "\x07\x08\x7f", "nul\x00", "\r\nX-Header: y", "a\rb", "\v\f",
	"a\u202eb", "\u2066x\u2069", "\u200bzero\u200d", "\ufeffbom", "a\u2028b\u2029c", "\u0085", "\U000e0041tag", "\xff\xfe\xc0\xaf", "\xed\xa0\x80", "e\u0301\u0301\u0301",
	"<script>alert(1)</script>", "</title><script>1</script>", "\"><img src=x onerror=alert(1)>", "' onload='x", "\" onload=\"x", "<svg/onload=1>", "]]><!--", "--><b>", "</style><p>", "&lt;script&gt;", "<a href=javascript:1>x</a>", "<?xml version=\"1.0\"?>", "<!DOCTYPE x [<!ENTITY y SYSTEM \"file:///etc/passwd\">]>",
	"](javascript:alert(1))", "[x](javascript:1)", "![i](http://x.example/p.png)", "| cell | cell |", "`code`", "```\nblock\n```", "# heading", "<https://x.example>", "~~gone~~ **bold** _it_", "\\\\| \\", "[x]: http://x.example", "@everyone #1 GH-1",
	"=HYPERLINK(\"http://x.example\",\"x\")", "+cmd|' /C calc'!A0", "@SUM(1)", "-1+1",
	"\";}digraph{", "\\\" -> x", "\\N\\G\\L", "{{.}}", "${x}", "%s%n%x", "$(id)", "`id`", "'; DROP TABLE x;--",
	"../../etc/passwd", "C:\\x\\y", "CON", "very long " + strings.Repeat("name ", 60),
}

// wraps put a core into a name.
var wraps = []string{"%s", "layers.0.%s", "%s.weight", "x %s y"}

// Strings returns 200 hostile strings; the last is of one mebibyte, or of
// sixteen kibibytes where short.
func Strings(short bool) []string {
	var out []string
	for _, w := range wraps {
		for _, c := range cores {
			out = append(out, fmt.Sprintf(w, c))
		}
	}
	size := 1 << 20
	if short {
		size = 1 << 14
	}
	return append(out[:199:199], strings.Repeat("A\x1b<", size/3))
}

// Check tells what in an output of the given form ("text", "json", "md",
// "html", "svg", "dot") could act; nil for nothing.
func Check(form, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s is no valid UTF-8", form)
	}
	for i, c := range s {
		if c != '\n' && !unicode.IsGraphic(c) {
			return fmt.Errorf("%s holds %U at %d: …%q", form, c, i, s[max(0, i-20):min(len(s), i+20)])
		}
	}
	switch form {
	case "html", "svg":
		return markup(form, s)
	case "md":
		return markdown(s)
	case "dot":
		return dot(s)
	}
	return nil
}

var (
	tag       = regexp.MustCompile(`<([^>]*)>`)
	tagName   = regexp.MustCompile(`^/?([a-zA-Z!?][a-zA-Z0-9]*)`)
	attribute = regexp.MustCompile(`\s([a-zA-Z][a-zA-Z0-9:-]*)="[^"<>]*"`)
	sheets    = regexp.MustCompile(`(?s)<style>.*?</style>`)
)

// elements and attributes are all that pages and pictures are made of.
var (
	elements   = words("!doctype html head meta title style body header main h1 h2 p span div dl dt dd b br ul li figure figcaption table caption thead tbody tr th td code details summary svg desc path text rect line circle g")
	attributes = words("lang charset http-equiv content name class scope viewBox width height role aria-label d stroke-width stroke-dasharray stroke fill x y x1 x2 y1 y2 cx cy r rx font-size font-family textLength lengthAdjust transform text-anchor xmlns open")
)

func words(s string) map[string]bool {
	out := map[string]bool{}
	for _, w := range strings.Fields(s) {
		out[w] = true
	}
	return out
}

// markup requires that every tag is one of ours, with attributes of ours, all
// of them quoted.
func markup(form, s string) error {
	s = sheets.ReplaceAllString(s, "<style></style>")
	for _, m := range tag.FindAllStringSubmatch(s, -1) {
		name := tagName.FindStringSubmatch(m[1])
		if name == nil || !elements[name[1]] {
			return fmt.Errorf("%s holds the tag <%.40s>", form, m[1])
		}
		rest := " " + strings.TrimSuffix(strings.TrimPrefix(m[1], name[0]), "/")
		for _, a := range attribute.FindAllStringSubmatch(rest, -1) {
			if !attributes[a[1]] {
				return fmt.Errorf("%s holds the attribute %s", form, a[1])
			}
		}
		if left := strings.TrimSpace(attribute.ReplaceAllString(rest, "")); left != "" && left != "html" {
			return fmt.Errorf("%s holds %.40q inside the tag <%.40s>", form, left, m[1])
		}
	}
	if strings.Count(s, "<") != strings.Count(s, ">") {
		return fmt.Errorf("%s holds a lone angle bracket", form)
	}
	return nil
}

// active is what makes Markdown act when no backslash stands before it.
var active = []string{"<", ">", "](", "![", "]:", "~~", "@"}

// markdown requires that everything with a meaning is escaped, and that the
// rows of a table have the cells of its head.
func markdown(s string) error {
	s = unescaped(s)
	for _, a := range active {
		if strings.Contains(s, a) {
			return fmt.Errorf("md holds %q unescaped", a)
		}
	}
	cells := 0
	for _, line := range strings.Split(s, "\n") {
		n := strings.Count(line, "|")
		switch {
		case n == 0:
			cells = 0
		case cells == 0:
			cells = n
		case n != cells:
			return fmt.Errorf("a row of a table has %d bars where its head has %d: %.60q", n, cells, line)
		}
	}
	return nil
}

// unescaped is s without what stands behind a backslash.
func unescaped(s string) string {
	var b strings.Builder
	for {
		i := strings.IndexByte(s, '\\')
		if i < 0 || i+1 >= len(s) {
			return b.String() + s
		}
		b.WriteString(s[:i] + "\x00")
		s = s[i+2:]
	}
}

// dot requires that outside quoted strings nothing stands but our own
// statements.
func dot(s string) error {
	s = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`).ReplaceAllString(s, "Q")
	line := regexp.MustCompile(`^(digraph lineage \{|  node \[[a-z=, ]*\];|  rankdir=[A-Z]+;|  n\d+ \[label=Q\];|  n\d+ -> n\d+ \[label=Q(, dir=none)?\];|\}|)$`)
	for _, l := range strings.Split(s, "\n") {
		if !line.MatchString(l) {
			return fmt.Errorf("dot holds the statement %.60q", l)
		}
	}
	return nil
}
