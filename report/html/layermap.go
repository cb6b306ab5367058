package html

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/weightprint/weightprint/report"
)

// Sizes of the layer map, in points.
const (
	mapRow  = 18
	mapGap  = 130 // between the two columns
	mapLeft = 60
	mapBars = 200
	mostMap = 400 // rows
)

// layerMap draws the layers of A on the left, those of B in the middle with a
// line to their source, and on the right a bar as long as the p-value is small.
func layerMap(all []report.Layer) template.HTML {
	all = all[:min(len(all), mostMap)]
	last, most := 0, 1.0
	for _, l := range all {
		if l.A != nil {
			last = max(last, min(*l.A, mostMap-1))
		}
		if l.Log10P != nil {
			most = math.Max(most, clamp(-float64(*l.Log10P), 0, 1e9))
		}
	}
	var b strings.Builder
	head := func(x int, anchor, words string) {
		fmt.Fprintf(&b, `<text class="f-soft" x="%d" y="13" font-size="13" text-anchor="%s">%s</text>`, x, anchor, words)
	}
	head(mapLeft, "end", "A")
	head(mapLeft+mapGap, "start", "B")
	head(mapLeft+mapGap+70, "start", "−log10 p")
	at := func(row int) int { return 32 + row*mapRow }
	from := map[int]bool{}
	for i, l := range all {
		b.WriteString(layerRow(l, at(i), at, from, most))
	}
	if len(from) == 0 {
		last = -1
	}
	for a := range last + 1 {
		t := soft
		if from[a] {
			t = ink
		}
		fmt.Fprintf(&b, `<text class="f-%s" x="%d" y="%d" font-size="13" text-anchor="end">%d</text>`, t, mapLeft, at(a), a)
	}
	high := float64(at(max(last+1, len(all))))
	return frame(mapLeft+mapGap+70+mapBars+50, high, "Layers of B and their sources in A", layerWords(all), b.String())
}

// layerRow draws one layer of B.
func layerRow(l report.Layer, y int, at func(int) int, from map[int]bool, most float64) string {
	var b strings.Builder
	name := fmt.Sprint(l.B)
	if l.Tower != "" && l.Tower != "main" {
		name = template.HTMLEscapeString(short(l.Tower, 5)) + "." + name
	}
	t := none
	if l.A != nil && *l.A >= 0 && *l.A < mostMap {
		t = bar
		from[*l.A] = true
		fmt.Fprintf(&b, `<line class="s-bar" stroke-width="1.5" x1="%d" y1="%d" x2="%d" y2="%d"/>`, mapLeft+6, at(*l.A)-4, mapLeft+mapGap-6, y-4)
	}
	fmt.Fprintf(&b, `<text class="f-ink" x="%d" y="%d" font-size="13">%s</text>`, mapLeft+mapGap, y, name)
	if l.Log10P == nil {
		fmt.Fprintf(&b, `<text class="f-soft" x="%d" y="%d" font-size="12">not tested</text>`, mapLeft+mapGap+70, y)
		return b.String()
	}
	p := clamp(-float64(*l.Log10P), 0, 1e9)
	long := p / most * mapBars
	fmt.Fprintf(&b, `<rect class="f-%s" x="%d" y="%d" width="%s" height="11"/><text class="f-ink" x="%s" y="%d" font-size="12">%.1f</text>`,
		t, mapLeft+mapGap+70, y-10, figure(math.Max(long, 1)), figure(float64(mapLeft+mapGap+76)+long), y, p)
	return b.String()
}

// layerWords says what the map shows.
func layerWords(all []report.Layer) string {
	var found, lost []string
	for _, l := range all {
		if l.A != nil {
			found = append(found, fmt.Sprintf("%d from %d", l.B, *l.A))
		} else {
			lost = append(lost, fmt.Sprint(l.B))
		}
	}
	s := "No layer of B has a source in A."
	if len(found) > 0 {
		s = "Layers of B with their source in A: " + strings.Join(found, ", ") + "."
	}
	if len(found) > 0 && len(lost) > 0 {
		s += " Without a source: " + strings.Join(lost, ", ") + "."
	}
	return s
}
