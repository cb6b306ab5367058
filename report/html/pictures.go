package html

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Picture is one drawing of a report, complete with its words.
type Picture struct {
	Title string
	Words string        // says in words what the drawing shows
	SVG   template.HTML // the drawing, with both as its title and description
}

// charts are the pictures of a report in their order; each may give none.
var charts = []func(*report.Report) []Picture{controls, roleBars, layerHeat, differences}

// Pictures draws what a report has figures for. Where layers were seen in coordinates
// that no disguise alters, their picture comes first: it shows what decided.
func Pictures(r *report.Report) (out []Picture) {
	for _, d := range charts {
		out = append(out, d(r)...)
	}
	if s := r.LayersShown(); s != nil && s.Coordinates != "" && s.Coordinates != "files" {
		if at := slices.IndexFunc(out, func(p Picture) bool { return p.Title == s.Title() }); at > 0 {
			first := out[at]
			copy(out[1:], out[:at])
			out[0] = first
		}
	}
	return out
}

// WriteSVG writes the picture as a file of its own, which follows the reader's
// light or dark setting.
func (p Picture) WriteSVG(w io.Writer) error {
	head, rest, _ := strings.Cut(string(p.SVG), ">")
	head = strings.Replace(head, "<svg", `<svg xmlns="http://www.w3.org/2000/svg"`, 1)
	_, err := fmt.Fprintf(w, "%s><style>%s</style>%s\n", head, style, rest)
	return err
}

// strata puts the kinds of control pairs into words.
var strata = map[string]string{
	"same-data": "same data", "other-data": "other data", "distilled": "distilled", "other-shape": "other shape", "shared-init": "same initialisation",
}

// controls draws, for every calibrated test, the case among its controls. Of a
// test that was run in several ways the one that shows most is drawn.
func controls(r *report.Report) (out []Picture) {
	best := map[string]*report.Evidence{}
	var order []string
	for i := range r.Evidence {
		e := &r.Evidence[i]
		if e.Controls == nil || len(e.Controls.Strata) == 0 || len(order) == 12 {
			continue
		}
		if best[e.Test] == nil {
			order = append(order, e.Test)
		}
		if b := best[e.Test]; b == nil || e.Effect > b.Effect {
			best[e.Test] = e
		}
	}
	for _, name := range order {
		out = append(out, among(best[name]))
	}
	return out
}

// boxed is how many pairs a kind must have for its quantiles to be drawn.
const boxed = 20

// among draws one case among its controls: for each kind of pair a line over
// all, a box over the middle 90 %, a darker one over the middle half.
func among(e *report.Evidence) Picture {
	s := e.Controls
	kinds := s.Strata[:min(len(s.Strata), 8)]
	low, high := math.Min(0, float64(e.Effect)), math.Max(0.2, float64(e.Effect))
	var names []string
	for _, k := range kinds {
		name := strata[k.Name]
		if name == "" {
			name = short(k.Name, 20)
		}
		names = append(names, fmt.Sprintf("%s (%d)", name, k.N))
		for _, q := range k.Quantiles {
			low, high = math.Min(low, float64(q)), math.Max(high, float64(q))
		}
	}
	low, high = clamp(low, -2, 0), clamp(high*1.04, 0.2, 2)
	names = append(names, "this pair")
	c := newChart(between(low, high, short(e.Test, 24)+" of "+short(e.Axis, 24)), rows(names), 60+24*float64(len(names)))
	for i, k := range kinds {
		c.spread(k, float64(len(kinds)-i))
	}
	x := clamp(float64(e.Effect), low, high)
	c.stroke(mark, 1, x, -0.5, x, float64(len(kinds))+0.5)
	c.point(mark, x, 0, 7)
	title := fmt.Sprintf("This pair lies among its controls: %s of %s", short(e.Test, 24), short(e.Axis, 24))
	if e.Effect > s.Largest {
		title = fmt.Sprintf("This pair lies beyond all %d independent pairs: %s of %s", s.N, short(e.Test, 24), short(e.Axis, 24))
	}
	words := fmt.Sprintf("This pair shows %.3f. The largest of %d control pairs shows %.3f, 99 %% of them no more than %.3f; conformal p %.2g. Boxes hold the middle 90 %% and 50 %% of each kind of control pair.",
		float64(e.Effect), s.N, float64(s.Largest), float64(s.Q99), float64(s.P))
	return c.picture(title, words)
}

// spread draws the quantiles of one kind of control pair in a row.
func (c *chart) spread(k verdict.Spread, y float64) {
	q := make([]float64, 7)
	for j := range min(len(q), len(k.Quantiles)) {
		q[j] = clamp(float64(k.Quantiles[j]), c.across.low, c.across.high)
	}
	c.stroke(none, 1, q[0], y, q[6], y)
	if k.N >= boxed {
		c.box(band, q[1], q[5], y-0.3, y+0.3)
		c.box(none, q[2], q[4], y-0.3, y+0.3)
	}
	c.stroke(ink, 1.5, q[3], y-0.38, q[3], y+0.38)
}

// mostRoles bounds the bars of one picture.
const mostRoles = 24

// roleBars draws how alike the rows of each kind of role are, over the band
// that relabelling them at random gives.
func roleBars(r *report.Report) []Picture {
	all := r.Roles[:min(len(r.Roles), mostRoles)]
	if len(all) == 0 {
		return nil
	}
	low := -0.2
	var names, beyond []string
	for _, l := range all {
		b, t := l.Band()
		low = math.Min(low, math.Min(b, float64(l.Cosine)))
		names = append(names, short(l.Role, 20))
		if float64(l.Cosine) > t {
			beyond = append(beyond, short(l.Role, 20))
		}
	}
	if len(beyond) == 0 && (r.Verdict.Relation == verdict.Related || r.Verdict.Relation == verdict.Reencoded) {
		return nil // what decided lies in other coordinates
	}
	low = clamp(low, -1, 0)
	c := newChart(between(low, 1.05, "mean cosine of rows at the same place"), rows(names), 60+20*float64(len(all)))
	for i, l := range all {
		y := float64(len(all) - 1 - i)
		b, t := l.Band()
		x := clamp(float64(l.Cosine), low, 1.05)
		c.box(band, clamp(b, low, 1.05), clamp(t, low, 1.05), y-0.5, y+0.5)
		c.box(bar, 0, x, y-0.14, y+0.14)
		c.point(bar, x, y, 5)
	}
	c.stroke(soft, 0.7, 0, -0.5, 0, float64(len(all))-0.5)
	title, words := "As the files have them, no role is more alike than chance", "No role lies above the band in which 99.9 % of random relabellings of its rows fall. Rows are compared as the files have them, where a disguise hides everything."
	if len(beyond) > 0 {
		title = fmt.Sprintf("%d of %d roles are more alike at the same place than relabelling explains", len(beyond), len(all))
		words = fmt.Sprintf("Above the band in which 99.9 %% of random relabellings of their rows fall: %s.", strings.Join(beyond, ", "))
	}
	return []Picture{c.picture(title, words)}
}

// layerHeat draws layers of B against layers of A.
func layerHeat(r *report.Report) []Picture {
	s := r.LayersShown()
	if s == nil {
		return nil
	}
	high := clamp(60+float64(wide-60)*float64(len(s.B))/float64(len(s.A)), 120, 640)
	if len(s.B) <= 16 {
		high = 60 + 26*float64(len(s.B))
	}
	c := newChart(layerAxis(s.A, false, "layer of A"), layerAxis(s.B, true, "layer of B"), high)
	c.cells(s, len(s.A) <= 16 && len(s.B) <= 16)
	return []Picture{c.picture(s.Title(), s.Words())}
}

// layerAxis names at most some twenty layers of an axis.
func layerAxis(layers []int, down bool, label string) axis {
	out := axis{low: -0.5, high: float64(len(layers)) - 0.5, label: label}
	every := (len(layers) + 19) / 20
	for i := 0; i < len(layers); i += every {
		at := i
		if down {
			at = len(layers) - 1 - i
		}
		out.ticks = append(out.ticks, tick{float64(at), fmt.Sprint(layers[i])})
	}
	return out
}

// differences draws the histogram of the differences over that of Gaussian
// noise of the same size.
func differences(r *report.Report) []Picture {
	if r.Delta == nil || r.Delta.Histogram == nil {
		return nil
	}
	h := r.Delta.Histogram
	n := len(h.Counts) - 2
	total, reach := 0.0, clamp(float64(h.Reach), 1, 100)
	for _, c := range h.Counts {
		total += math.Max(0, float64(c))
	}
	if n < 1 || n > 1000 || total == 0 {
		return nil
	}
	width := 2 * reach / float64(n)
	most := 0.42
	density := func(i int) float64 { return clamp(float64(h.Counts[i+1])/total/width, 0, 10) }
	for i := range n {
		most = math.Max(most, density(i)*1.04)
	}
	c := newChart(between(-reach, reach, "difference B − A, in units of its root mean square"), between(0, most, "share of differences"), 220)
	for i := range n {
		c.box(bar, -reach+float64(i)*width, -reach+float64(i+1)*width, 0, density(i))
	}
	c.curve(mark, 1.5, func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) })
	words := fmt.Sprintf("Differences of %d matrices; a share of %.2g lies further out than %g. The dashed line is Gaussian noise of the same size.", h.Matrices, (float64(h.Counts[0])+float64(h.Counts[n+1]))/total, reach)
	apart := 0.0
	for i := range n {
		x := -reach + (float64(i)+0.5)*width
		apart += width / 2 * math.Abs(density(i)-math.Exp(-x*x/2)/math.Sqrt(2*math.Pi))
	}
	title := "The values differ as by Gaussian noise"
	if apart > likeNoise {
		title = "The values differ otherwise than by Gaussian noise"
	}
	return []Picture{c.picture(title, words)}
}

// likeNoise is which share of the differences may lie elsewhere than those of Gaussian
// noise for a picture to call them like it. It decides nothing.
const likeNoise = 0.05
