package html

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// Picture is one drawing of a report, complete with its words.
type Picture struct {
	Title string
	Words string        // says in words what the drawing shows
	SVG   template.HTML // the drawing, with both as its title and description
}

// drawings are the pictures of a report in their order; each may give none.
var drawings = []func(*report.Report) []Picture{controls, roleBars, layerHeat, differences}

// Pictures draws what a report has figures for.
func Pictures(r *report.Report) (out []Picture) {
	for _, d := range drawings {
		out = append(out, d(r)...)
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

func drawn(p *plot.Plot, high float64, title, words string) Picture {
	return Picture{title, words, picture(p, high, title, words)}
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
	p := newPlot(short(e.Test, 24) + " of " + short(e.Axis, 24))
	names = append(names, "this pair")
	between(&p.X, low, high)
	rows(&p.Y, names)
	p.Add(shape(func(d pen) {
		for i, k := range kinds {
			y := float64(len(kinds) - i)
			q := make([]float64, 7)
			for j := range q {
				if j < len(k.Quantiles) {
					q[j] = clamp(float64(k.Quantiles[j]), low, high)
				}
			}
			d.line(none, 1, q[0], y, q[6], y)
			if k.N >= boxed {
				d.rect(band, q[1], q[5], y-0.3, y+0.3)
				d.rect(none, q[2], q[4], y-0.3, y+0.3)
			}
			d.line(ink, 1.5, q[3], y-0.38, q[3], y+0.38)
		}
		x := clamp(float64(e.Effect), low, high)
		d.line(mark, 1, x, -0.5, x, float64(len(kinds))+0.5)
		d.diamond(mark, x, 0, 7)
	}))
	title := fmt.Sprintf("This pair among its controls: %s", short(e.Test, 24))
	words := fmt.Sprintf("This pair shows %.3f. The largest of %d independent pairs shows %.3f, 99 %% of them no more than %.3f; conformal p %.2g. Boxes hold the middle 90 %% and 50 %% of each kind of control pair.",
		float64(e.Effect), s.N, float64(s.Largest), float64(s.Q99), float64(s.P))
	return drawn(p, 60+24*float64(len(names)), title, words)
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
	low = clamp(low, -1, 0)
	p := newPlot("mean cosine of rows at the same place")
	between(&p.X, low, 1.05)
	rows(&p.Y, names)
	p.Add(shape(func(d pen) {
		for i, l := range all {
			y := float64(len(all) - 1 - i)
			b, t := l.Band()
			x := clamp(float64(l.Cosine), low, 1.05)
			d.rect(band, clamp(b, low, 1.05), clamp(t, low, 1.05), y-0.5, y+0.5)
			d.rect(bar, math.Min(0, x), math.Max(0, x), y-0.14, y+0.14)
			d.diamond(bar, x, y, 5)
		}
		d.line(soft, 0.7, 0, -0.5, 0, float64(len(all))-0.5)
	}))
	words := "No role lies above the band in which 99.9 % of random relabellings of its rows fall. Rows are compared as the files have them, where a disguise hides everything."
	if len(beyond) > 0 {
		words = fmt.Sprintf("Above the band in which 99.9 %% of random relabellings of their rows fall: %s.", strings.Join(beyond, ", "))
	}
	return []Picture{drawn(p, 60+20*float64(len(all)), "Likeness by role", words)}
}

// grid is layer scores as a heat map takes them, layer 0 of B at the top.
type grid struct {
	*report.LayerScores
	most float64
}

func (g grid) Dims() (c, r int)   { return len(g.A), len(g.B) }
func (g grid) X(c int) float64    { return float64(c) }
func (g grid) Y(r int) float64    { return float64(r) }
func (g grid) Z(c, r int) float64 { return clamp(float64(g.Counts[len(g.B)-1-r][c]), 0, g.most) }

// heats are the steps of a heat map, from nothing to everything.
type heats struct{}

func (heats) Colors() []colour {
	out := make([]colour, 10)
	for i := range out {
		out[i] = tone(fmt.Sprintf("h%d", i))
	}
	return out
}

// layerHeat draws layers of B against layers of A.
func layerHeat(r *report.Report) []Picture {
	s := r.LayerScores
	if s == nil || len(s.A) < 2 || len(s.B) < 2 || len(s.A) > 200 || len(s.B) > 200 || s.Units < 1 || len(s.Counts) != len(s.B) {
		return nil
	}
	for _, row := range s.Counts {
		if len(row) != len(s.A) {
			return nil
		}
	}
	g := grid{s, float64(s.Units)}
	p := newPlot("layer of A")
	p.Y.Label.Text = "layer of B"
	h := plotter.NewHeatMap(g, heats{})
	h.Min, h.Max = 0, g.most
	p.Add(h)
	if len(s.A) <= 16 && len(s.B) <= 16 {
		p.Add(shape(func(d pen) { d.counts(g) }))
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = layerTicks(s.A, false), layerTicks(s.B, true)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.5, float64(len(s.A))-0.5, -0.5, float64(len(s.B))-0.5
	high := clamp(60+float64(wide-60)*float64(len(s.B))/float64(len(s.A)), 120, 640)
	if len(s.B) <= 16 {
		high = 60 + 26*float64(len(s.B))
	}
	words := fmt.Sprintf("Of %d probed units, those that find their partner, for every layer of B and of A. The largest count of each layer of B: %s.", s.Units, peaks(s))
	if s.How == verdict.Order {
		words = fmt.Sprintf("The longest run of matches in the same order, of at most %d units, for every layer of B and of A. The largest of each layer of B: %s.", s.Units, peaks(s))
	}
	return []Picture{drawn(p, high, "Layers against layers", words)}
}

// peaks lists the best layer of A for each layer of B.
func peaks(s *report.LayerScores) string {
	var out []string
	for i, row := range s.Counts {
		best := 0
		for k, n := range row {
			if n > row[best] {
				best = k
			}
		}
		if i == 32 {
			return strings.Join(out, ", ") + ", …"
		}
		out = append(out, fmt.Sprintf("%d←%d (%d)", s.B[i], s.A[best], row[best]))
	}
	return strings.Join(out, ", ")
}

// layerTicks names at most some twenty layers of an axis.
func layerTicks(layers []int, down bool) plot.ConstantTicks {
	var out plot.ConstantTicks
	every := (len(layers) + 19) / 20
	for i := 0; i < len(layers); i += every {
		at := float64(i)
		if down {
			at = float64(len(layers) - 1 - i)
		}
		out = append(out, plot.Tick{Value: at, Label: fmt.Sprint(layers[i])})
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
	p := newPlot("difference B − A, in units of its root mean square")
	between(&p.X, -reach, reach)
	between(&p.Y, 0, most)
	p.Add(shape(func(d pen) {
		for i := range n {
			d.rect(bar, -reach+float64(i)*width, -reach+float64(i+1)*width, 0, density(i))
		}
	}))
	f := plotter.NewFunction(func(x float64) float64 { return math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) })
	f.Samples, f.LineStyle.Color, f.LineStyle.Width, f.LineStyle.Dashes = 101, mark, 1.5, dashes
	p.Add(f)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -reach, reach, 0, most
	words := fmt.Sprintf("Differences of %d matrices; a share of %.2g lies further out than %g. The dashed line is Gaussian noise of the same size.", h.Matrices, (float64(h.Counts[0])+float64(h.Counts[n+1]))/total, reach)
	return []Picture{drawn(p, 220, "How the values differ", words)}
}
