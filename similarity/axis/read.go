package axis

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
)

// known holds the axes of a pair that were read, by stage.
type known struct{ axes map[int][]*Axis }

// Loaded returns the axes that a stage has read, nil if it was not reached.
func Loaded(p *align.Pair, stage int) []*Axis { return align.Kept[known](p).axes[stage] }

// Read reads the axes of a stage, or returns those already read.
func Read(ctx context.Context, p *align.Pair, stage int) ([]*Axis, error) {
	known := align.Kept[known](p)
	if done, ok := known.axes[stage]; ok {
		return done, nil
	}
	st := stages[stage]
	var out []*Axis
	reads, writes := map[string]*Anchor{}, map[string]*Anchor{}
	if st.Anchors > 0 {
		for _, t := range p.Towers {
			r, w, err := Anchors(ctx, p, t, st.Anchors)
			if err != nil {
				return nil, err
			}
			reads[t.B.Name], writes[t.B.Name] = r, w
		}
	}
	announced := 0
	plans, st, cost := choose(p, stage)
	p.Hold(cost)
	room := &scratch{}
	for i, pl := range plans {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if i == announced {
			n, err := announce(ctx, p, plans[i:], st)
			if err != nil {
				return nil, err
			}
			announced += n
		}
		axes, err := load(ctx, p, pl, st, reads[pl.axis.Tower], writes[pl.axis.Tower], room)
		if err != nil {
			return nil, err
		}
		out = append(out, axes...)
	}
	if known.axes == nil {
		known.axes = map[int][]*Axis{}
	}
	known.axes[stage] = out
	return out, nil
}

// announce tells the readers of both subjects which rows the next plans will
// read, and returns how many plans that is. A distant server is then asked for
// all of them at once.
func announce(ctx context.Context, p *align.Pair, plans []plan, st Stage) (n int, err error) {
	var wants []tensor.Want
	held := int64(0)
	for _, pl := range plans {
		w := wanted(p, pl, st)
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

// wanted lists the rows a plan reads, as far as they are sampled: not of axes
// that are read whole, nor of views whose units are columns.
func wanted(p *align.Pair, pl plan, st Stage) (out []tensor.Want) {
	x := pl.axis
	total := pl.total(0)
	if total != pl.total(1) {
		return nil
	}
	units := positions(p, &x, total, st.Units)
	for _, v := range pl.views {
		if v.columns {
			continue
		}
		out = append(out, v.a.Want(v.rows(v.a, units, v.atA)), v.b.Want(v.rows(v.b, units, v.atB)))
		if v.norm && v.a.Gain != nil && v.b.Gain != nil {
			out = append(out, v.a.Gain.Want(), v.b.Gain.Want())
		}
	}
	return out
}

// rows are where units lie in a side's matrix: block by block of each where there are blocks.
func (v viewPlan) rows(m *roles.Matrix, units []int, at int) []int {
	if v.blocks > 1 {
		return roles.Hidden{Matrix: m, Blocks: v.blocks}.RowsOf(units)
	}
	return shifted(units, at)
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
func load(ctx context.Context, p *align.Pair, pl plan, st Stage, reads, writes *Anchor, room *scratch) ([]*Axis, error) {
	defer room.release(room.mark())
	x := pl.axis
	x.Coordinates, x.seed = "raw", p.Seed
	x.A.Total, x.B.Total = pl.total(0), pl.total(1)
	most := [2]int{st.Units, st.Units}
	if x.A.Total != x.B.Total && max(x.A.Total, x.B.Total) > st.Units {
		if st.Wide == 0 || max(x.A.Total, x.B.Total) > st.Wide {
			x.Skipped = "the two sides have different numbers of units, and all of them would have to be read"
			return []*Axis{&x}, nil
		}
		most = wideSample(x.A.Total, x.B.Total, st.Units)
	}
	x.A.Units = positions(p, &x, x.A.Total, most[0])
	x.B.Units = positions(p, &x, x.B.Total, most[1])
	x.A.Eligible, x.B.Eligible = allTrue(len(x.A.Units)), allTrue(len(x.B.Units))
	var views []bothSides
	for _, v := range pl.views {
		a, b, err := readView(ctx, p, v, &x, st, room)
		if err != nil {
			return nil, err
		}
		eligible(a.Raw, len(x.A.Units), a.Dim, x.A.Eligible)
		eligible(b.Raw, len(x.B.Units), b.Dim, x.B.Eligible)
		both := bothSides{plan: v, a: a, b: b}
		if err := both.readGains(ctx); err != nil {
			return nil, err
		}
		views = append(views, both)
	}
	x.A.marks = mark(views[0].a.Raw, views[0].a.N, views[0].a.Dim, x.A.Eligible)
	x.B.marks = mark(views[0].b.Raw, views[0].b.N, views[0].b.Dim, x.B.Eligible)
	x.weigh(views)
	raw := x.on(views, room, func(v bothSides) (bothSides, bool) { return v, v.a.Dim == v.b.Dim })
	out := []*Axis{raw}
	if reads != nil && writes != nil && x.Component != "embeddings" && x.Component != "generic" {
		x.Coordinates = "anchored"
		if raw.Table { // a table is one in any coordinates
			x.Skipped, x.Table = raw.Skipped, true
		}
		anchored, err := x.throughTokens(views, reads, writes, room)
		if err != nil {
			return nil, err
		}
		out = append(out, anchored)
	}
	return out, nil
}

// total is the axis' length on one side.
func (pl plan) total(side int) int {
	v := pl.views[0]
	m := v.a
	if side == 1 {
		m = v.b
	}
	switch {
	case pl.axis.Component == "attention", v.blocks > 1:
		return pl.units
	case v.columns:
		return m.Cols
	}
	return m.Rows
}

// wideSample reads the larger side of an axis whole, so that every unit of the
// smaller one can find its original.
func wideSample(a, b, units int) [2]int {
	units = max(units, 512) // as many as the first stage reads whole
	if a > b {
		return [2]int{a, units}
	}
	return [2]int{units, b}
}

// positions samples the units of an axis, less those that chose its layers.
// Both sides of an axis of one length get the same positions, and so do all
// layers of a tower.
func positions(p *align.Pair, x *Axis, total, most int) []int {
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
