// Package glossary explains the words of reports: relations, kinds, tests, exit
// codes and whatever else stands in them. It is one table, so that a word means the
// same wherever it is looked up.
package glossary

import (
	_ "embed"
	"slices"
	"strings"
)

// Entry explains one word.
type Entry struct {
	Group string // what sort of word it is, such as "relation"
	Term  string
	Words string
}

// terms has a line for each group, "# group", and one for each term, "term: words".
//
//go:embed terms.txt
var terms string

// All lists every entry, in the order of the table.
func All() []Entry { return slices.Clone(all) }

var all = parse(terms)

func parse(text string) (out []Entry) {
	group := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if name, ok := strings.CutPrefix(line, "# "); ok {
			group = name
			continue
		}
		if term, words, ok := strings.Cut(line, ": "); ok {
			out = append(out, Entry{group, term, words})
		}
	}
	return out
}

// Find looks a term up, whatever its case and with blanks for hyphens, one or several
// of them. A word may stand in several groups.
func Find(term string) (out []Entry) {
	for _, word := range forms(fold(term)) {
		for _, e := range all {
			if fold(e.Term) == word {
				out = append(out, e)
			}
		}
		if out != nil {
			return out
		}
	}
	return nil
}

// forms are the spellings under which a word may stand: as it is, then one of several,
// several of one, and without the tier that a verdict is said to be of.
func forms(word string) []string {
	one := strings.TrimSuffix(word, "s")
	if word == "axes" {
		one = "axis"
	}
	return []string{word, one, word + "s", strings.TrimSuffix(word, " tier")}
}

// Group lists the entries of a group.
func Group(name string) (out []Entry) {
	for _, e := range all {
		if e.Group == name {
			out = append(out, e)
		}
	}
	return out
}

// fold brings spellings together.
func fold(s string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(s), func(r rune) bool { return r == ' ' || r == '-' || r == '_' }), " ")
}

// Mentions lists the terms whose words speak of one.
func Mentions(term string) (out []Entry) {
	for _, e := range all {
		if strings.Contains(fold(e.Words), fold(term)) {
			out = append(out, e)
		}
	}
	return out
}

// Names lists all terms.
func Names() []string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = e.Term
	}
	return out
}
