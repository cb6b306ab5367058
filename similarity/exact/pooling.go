package exact

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/stats"
)

const null = "A and B come from independent random initialisations; the units of an axis are exchangeable"

// checkLoss pays for the order check: it stops a good axis at most this often,
// so that conditioning on passing it inflates a p-value by no more.
var checkLoss = -math.Log(1 - axis.OrderCheckLoss)

// component is the axes of one part of one tower.
type component struct {
	name, tower, coordinates string
	axes                     []*axis.Axis
	seed                     []byte
}

// components groups axes in the order of their first appearance.
func components(axes []*axis.Axis) []*component {
	var out []*component
	for _, x := range axes {
		i := slices.IndexFunc(out, func(c *component) bool {
			return c.name == x.Component && c.tower == x.Tower && c.coordinates == x.Coordinates
		})
		if i < 0 {
			i = len(out)
			out = append(out, &component{name: x.Component, tower: x.Tower, coordinates: x.Coordinates})
		}
		out[i].axes = append(out[i].axes, x)
	}
	return out
}

// tally is what one axis adds to a pooled test.
type tally struct {
	axis    *axis.Axis
	count   float64 // the statistic's part
	squares float64 // of the terms of count, where the test needs them
	n       int     // units or pairs that took part
	p       stats.LogP
}

// evidence starts a result for a component, with the axes that gave none.
func (c *component) evidence(test string, skipped map[string]int) similarity.Evidence {
	e := similarity.Evidence{Test: test, Axis: c.name, Component: c.name, Tower: c.tower, LayerA: -1, LayerB: -1, Tier: similarity.Exact, Null: null}
	if c.tower != "main" {
		e.Axis = c.tower + "." + c.name
	}
	if c.coordinates != "raw" {
		e.Axis += " (" + c.coordinates + ")"
	}
	reasons := make([]string, 0, len(skipped))
	for why := range skipped {
		reasons = append(reasons, why)
	}
	slices.Sort(reasons)
	for _, why := range reasons {
		if len(c.axes) == 0 { // none was read
			e.Warnings = append(e.Warnings, "no p-value: "+why)
			continue
		}
		e.Warnings = append(e.Warnings, fmt.Sprintf("%d of %d axes give no p-value: %s", skipped[why], len(c.axes), why))
	}
	return e
}

// gather runs f over the usable axes of a component. f returns ok = false and
// a reason for axes it cannot use.
func (c *component) gather(f func(*axis.Axis) (tally, string)) (all []tally, skipped map[string]int) {
	skipped = map[string]int{}
	for _, x := range c.axes {
		why := x.Skipped
		var t tally
		if why == "" {
			t, why = f(x)
		}
		if why != "" {
			skipped[why]++
			continue
		}
		t.axis = x
		all = append(all, t)
	}
	return all, skipped
}

// results closes a test on a component: the component as a whole, combined by
// pool, then each of its layers.
func (c *component) results(test string, all []tally, skipped map[string]int, pool func([]tally) stats.LogP) []similarity.Evidence {
	e := c.evidence(test, skipped)
	if len(all) == 0 {
		e.Skipped = "no axis could be used"
		return []similarity.Evidence{e}
	}
	once := fresh(all)
	if n := len(all) - len(once); n > 0 {
		e.Warnings = append(e.Warnings, fmt.Sprintf("%d of %d axes repeat another one in both subjects and are not counted again", n, len(all)))
	}
	cost := 0.0
	for _, t := range once {
		e.Statistic += t.count
		e.N += t.n
		cost += checkLoss + float64(t.axis.Charge)
	}
	if e.N > 0 {
		e.Effect = e.Statistic / float64(e.N)
	}
	var p stats.LogP
	if c.name == "generic" {
		p = best(once)
	} else {
		p = min(0, pool(once)+stats.LogP(cost))
	}
	e.P = &p
	return append([]similarity.Evidence{e}, byLayer(e, all)...)
}

// fresh keeps the first of all axes that repeat one another.
func fresh(all []tally) []tally {
	var out []tally
	for _, t := range all {
		if !slices.ContainsFunc(out, func(o tally) bool { return t.axis.Repeats(o.axis) }) {
			out = append(out, t)
		}
	}
	return out
}

// best combines axes that one symmetry may move together, as a permutation of
// a residual stream moves the rows of all matrices that write to it: the
// smallest p-value times their number.
func best(all []tally) stats.LogP {
	p := stats.LogP(0)
	for _, t := range all {
		p = min(p, t.p)
	}
	return min(0, p+stats.LogP(checkLoss+math.Log(float64(len(all)))))
}

// byLayer repeats a pooled result axis by axis, for the reader who wants to
// know where the evidence lies.
func byLayer(e similarity.Evidence, all []tally) []similarity.Evidence {
	var out []similarity.Evidence
	for _, t := range all {
		if t.axis.LayerB < 0 {
			continue
		}
		l := e
		p := min(0, t.p+stats.LogP(checkLoss)+t.axis.Charge)
		l.Axis, l.LayerA, l.LayerB, l.Statistic, l.N, l.P, l.Warnings = t.axis.Name, t.axis.LayerA, t.axis.LayerB, t.count, t.n, &p, nil
		l.Effect = t.count / float64(max(1, t.n))
		out = append(out, l)
	}
	return out
}

// perComponent makes a Test of a stage from a per-component function.
func perComponent(name, doc string, stage int, run func(*component) []similarity.Evidence) *similarity.Test {
	return &similarity.Test{Name: name, Doc: doc, Tier: similarity.Exact, Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		axes, err := axis.Read(ctx, p, stage)
		if err != nil {
			return nil, err
		}
		var out []similarity.Evidence
		for _, c := range components(axes) {
			c.seed = p.Seed
			out = append(out, run(c)...)
		}
		return out, nil
	}}
}
