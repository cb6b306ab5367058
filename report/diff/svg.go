package diff

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/similarity/diff"
)

// Sizes of the picture, in pixels.
const (
	cellWide, cellHigh = 62, 18
	leftWide, topHigh  = 92, 84
	letter             = 6.4
	border             = 12
)

// sheet follows the reader's light or dark setting. The picture holds no script
// and no link.
const sheet = `<style>text{font:11px ui-monospace,monospace;fill:#1a1a1a}.l{fill:#565656}.w{fill:#fff}rect{stroke:#fff;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#ececec}.l{fill:#b4b4b4}rect{stroke:#16181b}}</style>`

// shades colour a change by its size, on a scale of powers of ten: none, up to
// .1 %, 1 %, 10 %, 100 %, more.
var shades = []struct {
	upTo  float64
	fill  string
	light bool // text on it is
}{
	{0, "#e6e9ed", false},
	{0.001, "#cfe2f3", false},
	{0.01, "#9fc5e8", false},
	{0.1, "#5b94cf", true},
	{1, "#2563a8", true},
	{math.Inf(1), "#7a1f4b", true},
}

// marks of forms that a colour does not tell.
var formMarks = map[diff.Form]string{diff.Scaled: "×", diff.Projected: "⊥", diff.LowRank: "r", diff.Rows: "≡", diff.Replaced: "new", diff.Reshaped: "shape", diff.OnlyA: "A only", diff.OnlyB: "B only"}

// WriteSVG draws a table of layers and kinds of tensor: how much each changed, and
// in which form.
func (d *Diff) WriteSVG(w io.Writer) error {
	kinds, rows := d.grid()
	wide := leftWide + cellWide*len(kinds) + border
	line := escape.Printable(string(d.Verdict.Relation))
	for _, k := range d.Verdict.Kinds {
		line += " · " + string(k)
	}
	outside := d.outside()
	titles := []string{"A " + short(d.Subjects[0].Ref), "B " + short(d.Subjects[1].Ref), line}
	for _, t := range append(slices.Clone(titles), outside...) {
		wide = max(wide, border*2+int(letter*float64(len([]rune(t)))))
	}
	high := topHigh + cellHigh*len(rows) + 16 + 16*len(outside) + 34 + border
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="difference of two models" width="%d" height="%d" viewBox="0 0 %d %d">%s`, wide, high, wide, high, sheet)
	for i, t := range titles {
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`, border, 18+16*i, html.EscapeString(t))
	}
	for i, k := range kinds {
		fmt.Fprintf(&b, `<text class="l" x="%d" y="%d" text-anchor="middle">%s</text>`, leftWide+cellWide*i+cellWide/2, topHigh-8, html.EscapeString(clip(k, 9)))
	}
	for y, r := range rows {
		fmt.Fprintf(&b, `<text class="l" x="%d" y="%d">%s</text>`, border, topHigh+cellHigh*y+13, html.EscapeString(r.name))
		for x, k := range kinds {
			if t := r.by[k]; t != nil {
				b.WriteString(t.cell(leftWide+cellWide*x, topHigh+cellHigh*y))
			}
		}
	}
	at := topHigh + cellHigh*len(rows) + 20
	for i, o := range outside {
		fmt.Fprintf(&b, `<text x="%d" y="%d">%s</text>`, border, at+16*i, html.EscapeString(o))
	}
	b.WriteString(legend(at + 16*len(outside)))
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// gridRow is a layer of B.
type gridRow struct {
	name string
	by   map[string]*Tensor
}

// grid sorts the tensors of layers into a table.
func (d *Diff) grid() (kinds []string, rows []gridRow) {
	at := map[int]int{}
	for i := range d.Tensors {
		t := &d.Tensors[i]
		if t.LayerB < 0 || t.B == nil {
			continue
		}
		k := kind(t.Role)
		if !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
		r, ok := at[t.LayerB]
		if !ok {
			r = len(rows)
			at[t.LayerB] = r
			name := fmt.Sprintf("layer %d", t.LayerB)
			if t.LayerA >= 0 && t.LayerA != t.LayerB {
				name += fmt.Sprintf(" (%d)", t.LayerA)
			}
			rows = append(rows, gridRow{name, map[string]*Tensor{}})
		}
		rows[r].by[k] = t
	}
	return kinds, rows
}

// outside lists what stands in no layer.
func (d *Diff) outside() (out []string) {
	for i := range d.Tensors {
		t := &d.Tensors[i]
		if t.LayerB >= 0 && t.B != nil || len(out) == 12 {
			continue
		}
		words := fmt.Sprintf("%s: %s", escape.Printable(t.Role), t.Form)
		if t.Relative > 0 {
			words += fmt.Sprintf(", %.2g %%", 100*float64(t.Relative))
		}
		if len(t.Added) > 0 {
			words += fmt.Sprintf(", %d rows added", len(t.Added))
		}
		out = append(out, words)
	}
	return out
}

// cell draws a tensor. Its title says in full what the colour and the mark say.
func (t *Tensor) cell(x, y int) string {
	s := shades[0]
	for _, s = range shades {
		if float64(t.Relative) <= s.upTo {
			break
		}
	}
	mark := formMarks[t.Form]
	if t.Relative > 0 {
		mark = strings.TrimSpace(fmt.Sprintf("%.2g%% %s", 100*float64(t.Relative), mark))
	}
	if t.Form == diff.Scaled {
		mark = fmt.Sprintf("×%.3g", float64(t.Factor))
	}
	class := ""
	if s.light {
		class = ` class="w"`
	}
	return fmt.Sprintf(`<g><title>%s: %s, change %.3g %%, %d of %d rows</title><rect x="%d" y="%d" width="%d" height="%d" fill="%s"/><text%s x="%d" y="%d" text-anchor="middle">%s</text></g>`,
		html.EscapeString(escape.Printable(t.Role)), t.Form, 100*float64(t.Relative), t.RowsDiff, t.Rows, x, y, cellWide, cellHigh, s.fill, class, x+cellWide/2, y+13, html.EscapeString(mark))
}

func legend(y int) string {
	var b strings.Builder
	x := border
	for i, words := range []string{"equal", "to .1 %", "to 1 %", "to 10 %", "to 100 %", "more"} {
		fmt.Fprintf(&b, `<rect x="%d" y="%d" width="12" height="12" fill="%s"/><text class="l" x="%d" y="%d">%s</text>`, x, y+4, shades[i].fill, x+16, y+14, words)
		x += 26 + int(letter*float64(len(words)))
	}
	return b.String()
}

// short is the end of a reference.
func short(ref string) string {
	r := []rune(escape.Printable(ref))
	if len(r) <= 60 {
		return string(r)
	}
	return "…" + string(r[len(r)-59:])
}

func clip(s string, n int) string {
	if i := strings.LastIndexByte(s, '.'); i >= 0 && len(s) > n {
		s = s[i+1:]
	}
	r := []rune(s)
	if len(r) > n {
		return string(r[:n])
	}
	return s
}
