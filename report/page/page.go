// Package page is what a written report consists of, whatever its form: sections of
// lists, tables, words and drawings. A report says what its sections hold; the
// writers of text, Markdown and HTML say how a section looks.
package page

import "github.com/weightprint/weightprint/internal/columns"

// Form is what a report is written as.
type Form string

// The forms that are laid out in sections.
const (
	Text     Form = "text"
	Markdown Form = "md"
	HTML     Form = "html"
)

// Section is one part of a page under a title of its own.
type Section struct {
	Title  string
	Aside  string // a remark behind the title
	Label  string // stands for the title in text
	Blocks []Block
}

// Block is one piece of a section: the field that is set says which.
type Block struct {
	Words   string // a paragraph
	Items   []Item // a list
	Table   *Table
	Terms   []Term // names with what stands behind each
	Drawing string // the name of a drawing that the form makes itself

	Soft  bool   // words beside the matter
	Fold  string // what stands over the block where it can be folded away
	Apart bool   // a blank line goes before the block where lines count
	Label string // in place of the section's, in text
}

// Item is one entry of a list, with the command that belongs to it.
type Item struct{ Words, Command string }

// Term is a name with words, or with several lines of them.
type Term struct {
	Name, Words string
	Lines       []string
}

// Table is rows of cells that are laid out under columns.
type Table struct {
	Columns []Column
	Rows    [][]string
}

// Column is one column of a table. Figures are made by this program; all other cells
// may hold what a file says, and are escaped.
type Column struct {
	columns.Column
	Figures  bool
	Relation bool   // cells name relations
	Class    string // of cells in HTML: "name" breaks anywhere, "whole" nowhere, "soft" is pale
}

// Items makes a list of plain entries.
func Items(all []string) []Item {
	out := make([]Item, len(all))
	for i, s := range all {
		out[i].Words = s
	}
	return out
}
