package html

import (
	"html/template"
	"strings"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/page"
)

// section is a section of the page, its drawings made.
type section struct {
	page.Section
	Blocks []block
}

type block struct {
	page.Block
	Drawn template.HTML
}

// sections are those of a report in their order. A section of which only a drawing
// that shows nothing is left is left out.
func sections(r *report.Report) (out []section, err error) {
	for _, group := range r.Sections(page.HTML) {
		for _, s := range group {
			x := section{Section: s}
			for _, b := range s.Blocks {
				drawn, err := draw(r, b.Drawing)
				if err != nil {
					return nil, err
				}
				if b.Drawing == "" || drawn != "" {
					x.Blocks = append(x.Blocks, block{b, drawn})
				}
			}
			if len(x.Blocks) > 0 {
				out = append(out, x)
			}
		}
	}
	return out, nil
}

// draw makes a drawing by the template of its name.
func draw(r *report.Report, name string) (template.HTML, error) {
	if name == "" {
		return "", nil
	}
	var b strings.Builder
	err := drawings.ExecuteTemplate(&b, name, r)
	return template.HTML(b.String()), err
}

// class is how cells of a column are set.
func class(c page.Column) string {
	if c.Right {
		return "n"
	}
	return c.Class
}
