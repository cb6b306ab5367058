package report

import (
	"github.com/weightprint/weightprint/report/page"
)

// readingSection tells the simpler story that marks suggest. In text it is part of
// the head.
func readingSection(r *Report, f page.Form) []page.Section {
	x := r.Verdict.Reading
	if x == nil {
		return nil
	}
	s := page.Section{Title: "Reading", Aside: "(no finding)"}
	if f == page.Markdown {
		s.Blocks = []page.Block{{Items: page.Items(append([]string{x.Words()}, x.Because...))}}
		return []page.Section{s}
	}
	s.Blocks = []page.Block{
		{Words: x.Story + ", if nobody arranged the files."},
		{Terms: []page.Term{{Name: "marks", Lines: x.Because}, {Name: "the reverse", Words: x.Reverse}, {Name: "at the cost of", Words: x.Cost}}},
	}
	return []page.Section{s}
}

// nextSection says what would settle an open verdict.
func nextSection(r *Report, f page.Form) []page.Section {
	steps := r.Steps()
	if len(steps) == 0 {
		return nil
	}
	var items []page.Item
	for _, s := range steps {
		switch f {
		case page.Text:
			items = append(items, page.Item{Words: s.Words + ":"}, page.Item{Words: s.Command})
		case page.Markdown:
			items = append(items, page.Item{Words: s.Words + ": " + s.Command})
		default:
			items = append(items, page.Item{Words: s.Words, Command: s.Command})
		}
	}
	title := "What to do next"
	if f == page.Markdown {
		title = "Next"
	}
	return one(title, "next", page.Block{Items: items})
}

// powerSection says what the tests could have found.
func powerSection(r *Report, _ page.Form) []page.Section {
	if r.Power == nil {
		return nil
	}
	return one("What these tests could have found", "power", page.Block{Words: r.Power.Words()})
}

// picturesSection is for forms that draw.
func picturesSection(*Report, page.Form) []page.Section {
	return one("Pictures", "", page.Block{Drawing: "pictures"})
}

// inputsSection pins both subjects.
func inputsSection(*Report, page.Form) []page.Section {
	return one("Inputs", "", page.Block{Drawing: "inputs"})
}

// madeSection says how the report was made.
func madeSection(r *Report, _ page.Form) []page.Section {
	return one("Made by", "made by", page.Block{Items: page.Items(r.Made())})
}
