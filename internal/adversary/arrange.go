package adversary

import "math"

// An arranger moves an own network after a victim's. All of its steps are moves.
type arranger struct{ own, victim *Decoder }

// units pairs the hidden units of every block: by the gate rows alone, or by all
// views with signs that fit.
func (a arranger) units(gateOnly bool) {
	for l, b := range a.own.Blocks {
		if l >= len(a.victim.Blocks) {
			return
		}
		v := a.victim.Blocks[l]
		score := mulT(unitRows(v.Gate, true), unitRows(b.Gate, true))
		signed := NewMatrix(score.R, score.C)
		if !gateOnly {
			signed = mulT(unitRows(v.Up, true), unitRows(b.Up, true)).plus(mulT(unitRows(v.Down.transposed(), true), unitRows(b.Down.transposed(), true)), 1)
			for i, x := range signed.V {
				score.V[i] += math.Abs(x)
			}
		}
		p := pairUnits(score)
		by := ones(len(p))
		for i, j := range p {
			if i < signed.R && signed.V[i*signed.C+j] < 0 {
				by[i] = -1
			}
		}
		b.units(p, by)
	}
}

// pairUnits completes an assignment of rows to columns to an order of all columns.
func pairUnits(score *Matrix) []int {
	if score.R > score.C {
		score = score.pickRows(span(0, score.C))
	}
	p := assign(score)
	used := make([]bool, score.C)
	for _, j := range p {
		used[j] = true
	}
	for j, u := range used {
		if !u {
			p = append(p, j)
		}
	}
	return p
}

// heads pairs key-value heads by the likeness of their signatures and products, and
// the query heads of each.
func (a arranger) heads(score func(l, own, victim int) float64) {
	d := a.own
	ratio := d.Heads / d.KV
	for l, b := range d.Blocks[:min(len(d.Blocks), len(a.victim.Blocks))] {
		each := NewMatrix(d.Heads, d.Heads).each(func(v, o int, _ float64) float64 { return score(l, o, v) })
		groups, within := NewMatrix(d.KV, d.KV), map[[2]int][]int{}
		for v := range d.KV {
			for o := range d.KV {
				part := each.part(v*ratio, ratio, o*ratio, ratio)
				within[[2]int{v, o}] = assign(part)
				for i, j := range within[[2]int{v, o}] {
					groups.V[v*d.KV+o] += part.V[i*ratio+j]
				}
			}
		}
		var p []int
		for v, o := range assign(groups) {
			for _, j := range within[[2]int{v, o}] {
				p = append(p, o*ratio+j)
			}
		}
		d.headOrder(b, p)
	}
}

// rawHeads scores heads by the overlap of the subspaces of their rows.
func (a arranger) rawHeads() {
	a.heads(func(l, own, victim int) float64 {
		return a.overlap(l, own, victim, func(b *Block) *Matrix { return b.O.transposed() }, false) + a.overlap(l, own, victim, func(b *Block) *Matrix { return b.V }, true) + a.overlap(l, own, victim, func(b *Block) *Matrix { return b.K }, true)
	})
}

func (a arranger) overlap(l, own, victim int, of func(*Block) *Matrix, grouped bool) float64 {
	if grouped {
		own, victim = a.own.group(own), a.victim.group(victim)
	}
	x, y := of(a.own.Blocks[l]).part(own*a.own.Dim, a.own.Dim, 0, a.own.Hidden()), of(a.victim.Blocks[l]).part(victim*a.victim.Dim, a.victim.Dim, 0, a.own.Hidden())
	return length(mulT(unitRows(x, false), unitRows(y, false)).V)
}

// channels turns the value channels of every head after the victim's (Procrustes).
func (a arranger) channels() {
	d := a.own
	for l, b := range d.Blocks {
		v := a.victim.Blocks[l]
		for g := range d.KV {
			m := mulT(v.V.part(g*d.Dim, d.Dim, 0, v.V.C), b.V.part(g*d.Dim, d.Dim, 0, b.V.C))
			for h := range d.Heads {
				if d.group(h) == g {
					m.plus(tMul(v.O.part(0, v.O.R, h*d.Dim, d.Dim), b.O.part(0, b.O.R, h*d.Dim, d.Dim)), 1)
				}
			}
			r := polar(m)
			d.values(b, g, r, r.transposed())
		}
	}
}

// planes turns every rotary plane of keys and queries after the victim's, and trades
// their lengths.
func (a arranger) planes() {
	d, half := a.own, a.own.Dim/2
	for l, b := range d.Blocks {
		v := a.victim.Blocks[l]
		for g := range d.KV {
			angle, scale := make([]float64, half), make([]float64, half)
			for p := range half {
				sin, cos := planeFit(v.K, b.K, g*d.Dim+p, half)
				for h := range d.Heads {
					if d.group(h) == g {
						s, c := planeFit(v.Q, b.Q, h*d.Dim+p, half)
						sin, cos = sin+s, cos+c
					}
				}
				angle[p] = math.Atan2(sin, cos)
				scale[p] = math.Sqrt(planeSize(v.K, g*d.Dim+p, half) / math.Max(1e-9, planeSize(b.K, g*d.Dim+p, half)))
				if scale[p] < 0.1 || scale[p] > 10 {
					scale[p] = 1
				}
			}
			d.planes(b, g, angle, scale)
		}
	}
}

// planeFit gives sine and cosine, times a length, of the angle that brings rows
// (i, i+half) of y nearest to those of x.
func planeFit(x, y *Matrix, i, half int) (sin, cos float64) {
	a, b, c, d := x.Row(i), x.Row(i+half), y.Row(i), y.Row(i+half)
	return dot(b, c) - dot(a, d), dot(a, c) + dot(b, d)
}

func planeSize(m *Matrix, i, half int) float64 { return length(m.Row(i)) + length(m.Row(i+half)) }

// overlapAll sums, over all matrices of folded networks, how residual dimensions of
// the victim (rows) and the own network (columns) go together.
func (a arranger) overlapAll() *Matrix {
	const tokens = 3 // weight of embeddings against a matrix
	m := scaled(tMul(a.victim.Embed, a.own.Embed), tokens)
	if a.victim.Head != nil && a.own.Head != nil {
		m.plus(tMul(a.victim.Head, a.own.Head), tokens)
	}
	for l, b := range a.own.Blocks {
		v := a.victim.Blocks[l]
		for _, pair := range [][2]*Matrix{{v.Q, b.Q}, {v.K, b.K}, {v.V, b.V}, {v.Gate, b.Gate}, {v.Up, b.Up}} {
			m.plus(tMul(pair[0], pair[1]), 1)
		}
		m.plus(mulT(v.O, b.O), 1).plus(mulT(v.Down, b.Down), 1)
	}
	return m
}

// stream reorders and flips the residual dimensions after the victim's.
func (a arranger) stream() {
	m := a.overlapAll()
	p := assign(absolute(m.Clone()))
	s := ones(len(p))
	for i, j := range p {
		if m.V[i*m.C+j] < 0 {
			s[i] = -1
		}
	}
	a.own.reorder(p, s)
}

// rounds is how often matching and turning alternate.
const rounds = 6

// everything alternates a rotation of the whole stream with the pairing of units,
// heads, value channels and rotary planes, then takes over the victim's gains.
func everything(own, victim *Decoder) *Decoder {
	d := own.folded()
	a := arranger{d, victim.folded()}
	for range rounds {
		d.turn(polar(a.overlapAll()))
		a.units(false)
		a.rawHeads()
		a.channels()
		a.planes()
	}
	d.wear(victim)
	return d
}
