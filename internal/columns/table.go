package columns

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/internal/escape"
)

// Column is one column of a table.
type Column struct {
	Head  string
	Width int  // in letters, in the default width of text
	Least int  // to which its cells may be cut in the middle where there is no room; 0 for Width
	Right bool // numbers
	Gap   int  // blanks before it, 1 unless set
	Drop  int  // columns with higher numbers are left out first where there is no room; 0 stays
}

// gap is the number of blanks before a column.
func (c *Column) gap() int { return max(1, c.Gap) }

// least is how narrow a column may be.
func (c *Column) least() int {
	if c.Least > 0 {
		return c.Least
	}
	return c.Width
}

// total is how wide columns are side by side.
func total(all []Column, width func(*Column) int) int {
	n := -1
	for i := range all {
		n += width(&all[i]) + all[i].gap()
	}
	return n
}

// Table writes rows of cells under their heads. Names are cut where the text is
// narrow, then columns are left out; where it is wide, names get more room.
// paint may colour a cell that is laid out; nil leaves all as they are.
func (t *Text) Table(all []Column, rows [][]string, paint func(row int, cell string) string) {
	all = numbers(all, rows)
	kept := t.keep(all)
	fit := make([]Column, len(kept))
	head := make([]string, len(kept))
	for i, k := range kept {
		fit[i], head[i] = all[k], all[k].Head
	}
	t.spread(fit, kept, rows)
	t.Raw(layOut(fit, head))
	for r, row := range rows {
		cells := make([]string, len(kept))
		for i, k := range kept {
			cells[i] = escape.Visible(row[k])
		}
		line := layOut(fit, cells)
		if paint != nil {
			line = paint(r, line)
		}
		t.Raw(line)
	}
}

// numbers widens columns that are never cut to their widest cell.
func numbers(all []Column, rows [][]string) []Column {
	out := slices.Clone(all)
	for i := range out {
		if out[i].Least > 0 {
			continue
		}
		for _, row := range rows {
			out[i].Width = max(out[i].Width, utf8.RuneCountInString(escape.Visible(row[i])))
		}
	}
	return out
}

// keep chooses the columns that there is room for.
func (t *Text) keep(all []Column) (kept []int) {
	least := (*Column).least
	var some []Column
	for drop := 9; drop >= 0; drop-- {
		kept, some = nil, nil
		for i := range all {
			if all[i].Drop <= drop {
				kept, some = append(kept, i), append(some, all[i])
			}
		}
		if total(some, least) <= t.Width() {
			break
		}
	}
	return kept
}

// spread gives columns of names the room that is left, or takes from them what
// is wanting, from the widest first.
func (t *Text) spread(fit []Column, kept []int, rows [][]string) {
	spare := t.Width() - total(fit, func(c *Column) int { return c.Width })
	for ; spare < 0; spare++ {
		widest := -1
		for i := range fit {
			if fit[i].Width > fit[i].least() && (widest < 0 || fit[i].Width > fit[widest].Width) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		fit[widest].Width--
	}
	for i := range fit {
		if fit[i].Least == 0 || t.Width() <= width {
			continue
		}
		for _, row := range rows {
			more := min(spare, utf8.RuneCountInString(escape.Visible(row[kept[i]]))-fit[i].Width)
			if more > 0 {
				fit[i].Width, spare = fit[i].Width+more, spare-more
			}
		}
	}
}

// layOut writes one row.
func layOut(fit []Column, cells []string) string {
	var b strings.Builder
	for i := range fit {
		c := &fit[i]
		cell := cells[i]
		if c.Least > 0 {
			cell = Fit(cell, c.Width)
		}
		pad := strings.Repeat(" ", max(0, c.Width-utf8.RuneCountInString(cell)))
		if i > 0 {
			b.WriteString(strings.Repeat(" ", c.gap()))
		}
		if c.Right {
			cell = pad + cell
		} else {
			cell += pad
		}
		b.WriteString(cell)
	}
	return strings.TrimRight(b.String(), " ") + "\n"
}
