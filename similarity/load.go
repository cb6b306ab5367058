package similarity

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Look says how much of each axis is read.
type Look struct {
	Units    int  // at most so many units of an axis
	Heads    int  // at most so many value channels of a layer, in whole heads
	Experts  int  // at most so many experts of a layer
	Features int  // rows sampled as features where units are columns of an embedding
	Layers   int  // at most so many layers, evenly spread; 0 = all
	Columns  bool // also read units that are columns of large matrices (down, o)
	Anchors  int  // shared tokens for anchored coordinates; 0 = raw coordinates only
	Wide     int  // longest axis that may be read whole where the two sides differ in length
	Share    int  // percent of the budget left that the look may use
}

// Looks are the stages of the exact tests: few units of all layers, then many
// of some, also on token-anchored coordinates. A pair that the first look
// settles is never looked at twice.
var Looks = []Look{
	{Units: 64, Heads: 64, Experts: 2, Features: 256, Wide: 512, Share: 40},
	{Units: 1024, Heads: 512, Experts: 8, Features: 512, Layers: 8, Anchors: 512, Wide: 1 << 14, Share: 90},
}

// Axes reads the axes of a look, or returns those already read.
func (p *Pair) Axes(ctx context.Context, look int) ([]*Axis, error) {
	if done, ok := p.axes[look]; ok {
		return done, nil
	}
	l := Looks[look]
	var out []*Axis
	reads, writes := map[string]*anchor{}, map[string]*anchor{}
	if l.Anchors > 0 {
		for _, t := range p.Towers {
			r, w, err := p.anchors(ctx, t, l.Anchors)
			if err != nil {
				return nil, err
			}
			reads[t.B.Name], writes[t.B.Name] = r, w
		}
	}
	announced := 0
	plans := p.choose(look)
	for i, pl := range plans {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i == announced {
			n, err := p.announce(ctx, plans[i:], l)
			if err != nil {
				return nil, err
			}
			announced += n
		}
		axes, err := p.load(ctx, pl, l, reads[pl.axis.Tower], writes[pl.axis.Tower])
		if err != nil {
			return nil, err
		}
		out = append(out, axes...)
	}
	p.axes[look] = out
	return out, nil
}

// announce tells the readers of both subjects which rows the next plans will
// read, and returns how many plans that is. A distant server is then asked for
// all of them at once.
func (p *Pair) announce(ctx context.Context, plans []plan, l Look) (n int, err error) {
	var wants []tensor.Want
	held := int64(0)
	for _, pl := range plans {
		w := p.wants(pl, l)
		more := int64(0)
		for _, x := range w {
			more += x.Bytes()
		}
		if n > 0 && held+more > 2*tensor.FetchBytes {
			break
		}
		n, held, wants = n+1, held+more, append(wants, w...)
	}
	return n, tensor.FetchAll(ctx, wants)
}

// wants lists the rows a plan reads, as far as they are sampled: not of axes
// that are read whole, nor of views whose units are columns.
func (p *Pair) wants(pl plan, l Look) (out []tensor.Want) {
	x := pl.axis
	total := pl.total(0)
	if total != pl.total(1) {
		return nil
	}
	units := p.positions(&x, total, l.Units)
	for _, v := range pl.views {
		if v.columns {
			continue
		}
		out = append(out, v.a.Want(shifted(units, v.atA)), v.b.Want(shifted(units, v.atB)))
		if v.gains && v.a.Gain != nil && v.b.Gain != nil {
			out = append(out, v.a.Gain.Want(), v.b.Gain.Want())
		}
	}
	return out
}

func shifted(units []int, by int) []int {
	out := make([]int, len(units))
	for i, u := range units {
		out[i] = u + by
	}
	return out
}

// load reads one axis of both subjects and compares its units, in raw
// coordinates where the two sides share them and in token-anchored ones where
// there are anchors.
func (p *Pair) load(ctx context.Context, pl plan, l Look, reads, writes *anchor) ([]*Axis, error) {
	x := pl.axis
	x.Coordinates = "raw"
	x.A.Total, x.B.Total = pl.total(0), pl.total(1)
	most := [2]int{l.Units, l.Units}
	if x.A.Total != x.B.Total && max(x.A.Total, x.B.Total) > l.Units {
		if l.Wide == 0 || max(x.A.Total, x.B.Total) > l.Wide {
			x.Skipped = "the two sides have different numbers of units, and all of them would have to be read"
			return []*Axis{&x}, nil
		}
		most = wideSample(x.A.Total, x.B.Total, l.Units)
	}
	x.A.Units = p.positions(&x, x.A.Total, most[0])
	x.B.Units = p.positions(&x, x.B.Total, most[1])
	x.A.Eligible, x.B.Eligible = trues(len(x.A.Units)), trues(len(x.B.Units))
	var views []bothSides
	for _, v := range pl.views {
		a, b, err := p.readView(ctx, v, &x, l)
		if err != nil {
			return nil, err
		}
		eligible(a.raw, len(x.A.Units), a.dim, x.A.Eligible)
		eligible(b.raw, len(x.B.Units), b.dim, x.B.Eligible)
		views = append(views, bothSides{v, a, b})
	}
	x.A.marks = mark(views[0].a.raw, views[0].a.n, views[0].a.dim, x.A.Eligible)
	x.B.marks = mark(views[0].b.raw, views[0].b.n, views[0].b.dim, x.B.Eligible)
	x.weigh(views)
	raw := x.on(views, func(v bothSides) (bothSides, bool) { return v, v.a.dim == v.b.dim })
	out := []*Axis{raw}
	if reads != nil && writes != nil && x.Component != "embeddings" && x.Component != "generic" {
		x.Coordinates = "anchored"
		if raw.Table { // a table is one in any coordinates
			x.Skipped, x.Table = raw.Skipped, true
		}
		anchored, err := x.throughTokens(views, reads, writes)
		if err != nil {
			return nil, err
		}
		out = append(out, anchored)
	}
	return out, nil
}

// throughTokens compares the units by their responses to tokens. Where these
// are much the same for all units, because few directions make up the tokens,
// the tokens are evened out first.
func (x Axis) throughTokens(views []bothSides, reads, writes *anchor) (*Axis, error) {
	by := func(reads, writes *anchor) *Axis {
		return x.on(views, func(v bothSides) (bothSides, bool) {
			by := reads
			if v.plan.columns {
				by = writes
			}
			if v.a.dim != by.da || v.b.dim != by.db {
				return v, false
			}
			return bothSides{v.plan, by.respond(v.a, false), by.respond(v.b, true)}, true
		})
	}
	out := by(reads, writes)
	if !out.flat {
		return out, nil
	}
	r, err := reads.evened()
	if err != nil {
		return nil, err
	}
	w, err := writes.evened()
	if err != nil {
		return nil, err
	}
	return by(r, w), nil
}

// bothSides holds one view as read.
type bothSides struct {
	plan viewPlan
	a, b sample
}

// on compares the units in one system of coordinates; to brings a view into
// it, or says that it cannot.
func (x Axis) on(views []bothSides, to func(bothSides) (bothSides, bool)) *Axis {
	x.A.Eligible, x.B.Eligible = slices.Clone(x.A.Eligible), slices.Clone(x.B.Eligible)
	var kept []bothSides
	for _, v := range views {
		if v, ok := to(v); ok && v.a.dim > 0 {
			v.a.centre(x.A.Eligible)
			v.b.centre(x.B.Eligible)
			kept = append(kept, v)
		}
	}
	if len(kept) == 0 {
		x.Skipped = "the two sides have no common coordinates: their widths differ"
		return &x
	}
	for _, v := range kept {
		x.check(v.a, x.A, "A")
		x.check(v.b, x.B, "B")
		view := View{Name: v.plan.name, Odd: v.plan.odd}
		view.compare(v.a, v.b, len(x.A.Units), len(x.B.Units))
		x.Views = append(x.Views, view)
	}
	for i, v := range kept {
		if x.leads(v.plan) {
			x.Views[i].Leads = directions(i, v.a, v.b, &x)
		}
	}
	return &x
}

// leads tells whether a view is one on which leading directions are compared:
// one a layer, and where there are many layers one layer in six.
func (x *Axis) leads(v viewPlan) bool {
	few := x.deep < 12 || x.LayerB%6 == 1
	return x.Skipped == "" && (v.name == "gate" || v.name == "v" || v.name == "embedding" || v.name == "rows" || v.name == "up" && !v.odd) && few
}

// total is the axis' length on one side.
func (pl plan) total(side int) int {
	v := pl.views[0]
	m := v.a
	if side == 1 {
		m = v.b
	}
	switch {
	case pl.axis.Component == "attention":
		return pl.units
	case v.columns:
		return m.Cols
	}
	return m.Rows
}

// wideSample reads the larger side of an axis whole, so that every unit of the
// smaller one can find its original.
func wideSample(a, b, units int) [2]int {
	units = max(units, 512) // as many as the first look reads whole
	if a > b {
		return [2]int{a, units}
	}
	return [2]int{units, b}
}

// positions samples the units of an axis, less those that chose its layers.
// Both sides of an axis of one length get the same positions, and so do all
// layers of a tower.
func (p *Pair) positions(x *Axis, total, most int) []int {
	name := x.sample
	if name == "" {
		name = x.Name
	}
	all := rng.New(p.Seed, "units of "+name).Sample(total, min(total, most+len(x.avoid)))
	out := all[:0]
	for _, u := range all {
		if _, held := slices.BinarySearch(x.avoid, u); !held && len(out) < most {
			out = append(out, u)
		}
	}
	return out
}

// check runs the guards of one side of one view.
func (x *Axis) check(s sample, side Side, name string) {
	if x.Skipped != "" {
		return
	}
	if n := side.count(); n < minUnits {
		x.Skipped = fmt.Sprintf("%s has fewer than %d units that can be told apart", name, minUnits)
		return
	}
	if why := basis(s.raw, s.n, s.dim, side.Eligible); why != "" {
		x.Skipped, x.Table = name+": "+why, true
		return
	}
	g := gramOf(s.unit, s.n, s.dim, side.Eligible)
	if why := g.defect(); why != "" {
		x.Skipped, x.flat = name+": "+why, true
		return
	}
	if why := structured(s.raw, s.unit, s.n, s.dim, side.Eligible, g); why != "" {
		x.Skipped = "the units of " + name + " are not exchangeable: " + why
	}
}

// compare fills in the cosines between all units of B and all of A.
func (v *View) compare(a, b sample, na, nb int) {
	v.Cosine = make([]float32, nb*na)
	dense.MulNT(v.Cosine, b.unit, a.unit, nb, na, a.dim)
	var squares float64
	count := 0
	for j := range nb {
		for i := range na {
			if i != j {
				c := float64(v.Cosine[j*na+i])
				squares += c * c
				count++
			}
		}
	}
	v.Spread = math.Sqrt(squares / float64(max(1, count)))
}

func trues(n int) []bool {
	b := make([]bool, n)
	for i := range b {
		b[i] = true
	}
	return b
}
