// Package units holds the exact tests on unit labels: is unit j of B the one
// most like unit j of A (fixed points)? Do the matches of B's units come in
// order (order)? Do matched units agree in sign (signs)? Is every unit closer
// to its namesake than to its neighbour's (swaps)?
//
// Null of all of them: A and B come from independent random initialisations.
// Then the units of A carry their labels, and where flipping a unit leaves the
// network unchanged also their signs, in uniformly random order as seen from
// B. Proofs are in docs/STATISTICS.md.
//
// Assumptions, checked on the data by package similarity before any p-value
// is given: the units are exchangeable (no trend along the axis), can be told
// apart, span enough dimensions, and are no fixed table.
package units

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity"
)

const null = "A and B come from independent random initialisations; the units of an axis are exchangeable"

// checkLoss pays for the order check: it stops a good axis at most this often,
// so that conditioning on passing it inflates a p-value by no more.
var checkLoss = -math.Log(1 - similarity.OrderCheckLoss)

// component is the axes of one part of one tower.
type component struct {
	name, tower, coordinates string
	axes                     []*similarity.Axis
}

// components groups axes in the order of their first appearance.
func components(axes []*similarity.Axis) []*component {
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
	axis    *similarity.Axis
	count   float64 // the statistic's part
	squares float64 // of the terms of count, where the test needs them
	n       int     // units or pairs that took part
	p       similarity.LogP
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
		e.Warnings = append(e.Warnings, fmt.Sprintf("%d of %d axes give no p-value: %s", skipped[why], len(c.axes), why))
	}
	return e
}

// gather runs f over the usable axes of a component. f returns ok = false and
// a reason for axes it cannot use.
func (c *component) gather(f func(*similarity.Axis) (tally, string)) (all []tally, skipped map[string]int) {
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
func (c *component) results(test string, all []tally, skipped map[string]int, pool func([]tally) similarity.LogP) []similarity.Evidence {
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
	var p similarity.LogP
	if c.name == "generic" {
		p = best(once)
	} else {
		p = min(0, pool(once)+similarity.LogP(cost))
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
func best(all []tally) similarity.LogP {
	p := similarity.LogP(0)
	for _, t := range all {
		p = min(p, t.p)
	}
	return min(0, p+similarity.LogP(checkLoss+math.Log(float64(len(all)))))
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
		p := min(0, t.p+similarity.LogP(checkLoss)+t.axis.Charge)
		l.Axis, l.LayerA, l.LayerB, l.Statistic, l.N, l.P, l.Warnings = t.axis.Name, t.axis.LayerA, t.axis.LayerB, t.count, t.n, &p, nil
		l.Effect = t.count / float64(max(1, t.n))
		out = append(out, l)
	}
	return out
}

// tests makes a Test of every look from a per-component function.
func perComponent(name, doc string, look int, run func(*similarity.Pair, *component) []similarity.Evidence) *similarity.Test {
	return &similarity.Test{Name: name, Doc: doc, Tier: similarity.Exact, Run: func(ctx context.Context, p *similarity.Pair) ([]similarity.Evidence, error) {
		axes, err := p.Axes(ctx, look)
		if err != nil {
			return nil, err
		}
		var out []similarity.Evidence
		for _, c := range components(axes) {
			out = append(out, run(p, c)...)
		}
		return out, nil
	}}
}

// Tests lists the exact tests of a look.
func Tests(look int) []*similarity.Test {
	return []*similarity.Test{FixedPoints(look), Order(look), Signs(look), Swaps(look)}
}

// table holds the pooled likeness of B's units to A's.
type table struct {
	c      []float32 // len(B.Units) × len(A.Units)
	na, nb int
}

// pooled adds the views of an axis; views that change sign with the unit
// count by their size, so that an attacker's sign flips change nothing.
func pooled(x *similarity.Axis) table {
	t := table{na: len(x.A.Units), nb: len(x.B.Units)}
	t.c = make([]float32, t.na*t.nb)
	for _, v := range x.Views {
		for k, c := range v.Cosine {
			if v.Odd {
				c = float32(math.Abs(float64(c)))
			}
			t.c[k] += c
		}
	}
	return t
}

// matches returns for each eligible unit of B the index of the unit of A most
// like it, -1 for units that are not eligible. A's units are tried in an
// order drawn at random, so that ties go to a random unit and never favour
// the same place on both sides.
func matches(p *similarity.Pair, x *similarity.Axis, t table) []int {
	order := rng.New(p.Seed, "ties of "+x.Name).Perm(t.na)
	out := make([]int, t.nb)
	for j := range out {
		out[j] = -1
		if !x.B.Eligible[j] {
			continue
		}
		best := float32(math.Inf(-1))
		for _, i := range order {
			if c := t.c[j*t.na+i]; x.A.Eligible[i] && c > best {
				best, out[j] = c, i
			}
		}
	}
	return out
}

// Partners returns the index into A's units of each of B's units' mutual best
// match, -1 for none.
func Partners(p *similarity.Pair, x *similarity.Axis) []int { return mutual(p, x, pooled(x)) }

// mutual keeps the matches that hold in both directions, so that each unit of
// A is used at most once.
func mutual(p *similarity.Pair, x *similarity.Axis, t table) []int {
	forth := matches(p, x, t)
	order := rng.New(p.Seed, "ties back of "+x.Name).Perm(t.nb)
	back := make([]int, t.na)
	for i := range back {
		back[i] = -1
		best := float32(math.Inf(-1))
		for _, j := range order {
			if c := t.c[j*t.na+i]; x.B.Eligible[j] && c > best {
				best, back[i] = c, j
			}
		}
	}
	for j, i := range forth {
		if i >= 0 && back[i] != j {
			forth[j] = -1
		}
	}
	return forth
}
