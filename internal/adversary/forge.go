package adversary

import (
	"math"
)

// pair is a unit of the victim and one of the own network that an attack wants to
// look alike. The sign is that of the own up row.
type pair struct {
	layer, victim, own int
	sign               float64
}

// views are the gate and up rows of one layer, each of length one, of both sides.
type views struct{ ga, ua, gb, ub *Matrix }

func viewsOf(victim, own *Block, x, y *Matrix) views {
	view := func(m, tokens *Matrix) *Matrix {
		if tokens != nil {
			m = mulT(m, tokens)
		}
		return unitRows(m, false)
	}
	return views{view(victim.Gate, x), view(victim.Up, x), view(own.Gate, y), view(own.Up, y)}
}

// aim chooses k pairs a layer that one rotation can bring together: gate and up rows
// lie at like angles on both sides, to each other and to those chosen before.
func aim(all map[int]views, layers []int, k int) (chosen []pair) {
	state := map[int]*aiming{}
	for _, l := range layers {
		state[l] = newAiming(all[l])
	}
	for range k {
		for _, l := range layers {
			p := state[l].best(l)
			chosen = append(chosen, p)
			for _, m := range layers {
				state[m].regard(all[l], p)
			}
			state[l].remove(p)
		}
	}
	return chosen
}

// aiming is how badly each pair of a layer fits, and the sign it would need.
type aiming struct {
	v    views
	cost *Matrix
	sign *Matrix
}

func newAiming(v views) *aiming {
	s := &aiming{v, NewMatrix(v.ga.R, v.gb.R), NewMatrix(v.ga.R, v.gb.R)}
	within := func(g, u *Matrix) []float64 {
		out := make([]float64, g.R)
		for i := range out {
			out[i] = dot(g.Row(i), u.Row(i))
		}
		return out
	}
	a, b := within(v.ga, v.ua), within(v.gb, v.ub)
	s.cost.each(func(i, k int, _ float64) float64 {
		gap := math.Abs(a[i]) - math.Abs(b[k])
		return gap * gap
	})
	s.sign.each(func(i, k int, _ float64) float64 {
		if a[i]*b[k] < 0 {
			return -1
		}
		return 1
	})
	return s
}

func (s *aiming) best(layer int) pair {
	at := 0
	for i, v := range s.cost.V {
		if v < s.cost.V[at] {
			at = i
		}
	}
	return pair{layer, at / s.cost.C, at % s.cost.C, s.sign.V[at]}
}

func (s *aiming) remove(p pair) {
	s.cost.each(func(i, k int, v float64) float64 {
		if i == p.victim || k == p.own {
			return math.Inf(1)
		}
		return v
	})
}

// regard adds what every pair of this layer misses of the angles to a chosen pair.
func (s *aiming) regard(from views, p pair) {
	products := func(m *Matrix, row []float64, by float64) []float64 {
		out := make([]float64, m.R)
		for i := range out {
			out[i] = by * dot(m.Row(i), row)
		}
		return out
	}
	ga, ua, gb, ub := from.ga.Row(p.victim), from.ua.Row(p.victim), from.gb.Row(p.own), from.ub.Row(p.own)
	gg, gg2 := products(s.v.ga, ga, 1), products(s.v.gb, gb, 1)
	gu, gu2 := products(s.v.ga, ua, 1), products(s.v.gb, ub, p.sign)
	uu, uu2 := products(s.v.ua, ua, 1), products(s.v.ub, ub, p.sign)
	ug, ug2 := products(s.v.ua, ga, 1), products(s.v.ub, gb, 1)
	s.cost.each(func(i, k int, v float64) float64 {
		sign := s.sign.V[i*s.sign.C+k]
		return v + square(gg[i]-gg2[k]) + square(gu[i]-gu2[k]) + square(uu[i]-sign*uu2[k]) + square(ug[i]-sign*ug2[k])
	})
}

func square(x float64) float64 { return x * x }

// sides lists the gate and up rows of the pairs, victim's and own.
func sides(all map[int]views, pairs []pair) (x, y *Matrix) {
	var a, b []*Matrix
	for _, p := range pairs {
		v := all[p.layer]
		a = append(a, v.ga.pickRows([]int{p.victim}), v.ua.pickRows([]int{p.victim}))
		b = append(b, v.gb.pickRows([]int{p.own}), scaled(v.ub.pickRows([]int{p.own}), p.sign))
	}
	return stack(a...), stack(b...)
}

// bring finds the rotation that brings the pairs together, the laggards weighted
// again and again.
func bring(x, y *Matrix) *Matrix {
	const turns = 24
	r := polar(tMul(x, y))
	for range turns {
		moved := mulT(y, r)
		weighted := x.Clone().each(func(i, _ int, v float64) float64 {
			return v * math.Max(0.05, 1.2-dot(x.Row(i), moved.Row(i)))
		})
		r = polar(tMul(weighted, y))
	}
	return r
}

// rotationAt is the rotation of the own residual stream aimed at total pairs, spread
// over the layers. Both networks are folded.
func rotationAt(own, victim *Decoder, layers []int, total int) *Matrix {
	all := viewsOfAll(own, victim, nil, nil)
	k := min(max(1, total/len(layers)), own.Blocks[0].Gate.R)
	return bring(sides(all, aim(all, layers, k)))
}

// climb improves a map of the own stream for the number of units that agree: what
// agrees, and what nearly does, is what it aims at next, so many pairs as there is
// room for. The best map seen is kept.
func climb(all map[int]views, r *Matrix, room int, fit func(x, y *Matrix) *Matrix) (best *Matrix, most int) {
	const turns = 10
	best, most = r, -1
	for range turns {
		pairs, n := near(all, r, room)
		if n > most {
			best, most = r, n
		}
		if len(pairs) == 0 {
			break
		}
		r = fit(sides(all, pairs))
	}
	return best, most
}

// near lists the pairs that agree under a map, then those whose weaker view is
// strongest, as many as there is room for, and counts the former.
func near(all map[int]views, r *Matrix, room int) (pairs []pair, agree int) {
	var rest []pair
	var weak []float64
	for l := range len(all) {
		v := all[l]
		gate, up := mulT(unitRows(mulT(v.gb, r), false), v.ga), mulT(unitRows(mulT(v.ub, r), false), v.ua)
		mg, mu := mutual(gate), mutual(absolute(up.Clone()))
		for b, a := range mg {
			other := mu[b]
			if a < 0 {
				a = other
			}
			if a < 0 {
				continue
			}
			p := pair{l, a, b, math.Copysign(1, up.V[b*up.C+a])}
			if mg[b] == other {
				pairs = append(pairs, p)
				continue
			}
			rest, weak = append(rest, p), append(weak, math.Min(gate.V[b*gate.C+a], math.Abs(up.V[b*up.C+a])))
		}
	}
	agree = len(pairs)
	for _, i := range largest(weak, room-agree) {
		pairs = append(pairs, rest[i])
	}
	return pairs, agree
}

// viewsOfAll are the views of all layers.
func viewsOfAll(own, victim *Decoder, x, y *Matrix) map[int]views {
	all := map[int]views{}
	for l := range own.Blocks {
		all[l] = viewsOf(victim.Blocks[l], own.Blocks[l], x, y)
	}
	return all
}
