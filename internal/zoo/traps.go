package zoo

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
)

// Trap makes two networks that look alike for a reason that is no common
// origin, or for one that is less than derivation.
type Trap struct {
	ID, Name string
	Make     func(r *rand.Rand) (a, b *Model)
	Want     []string // relations that are right
	Trained  bool     // Make trains networks, which takes a while
}

var (
	strangers = []string{"no-evidence", "inconclusive"}
	sameSeed  = []string{"shared-init", "no-evidence", "inconclusive"}
	component = []string{"related"} // in a part that the caller checks
)

// Traps lists what has misled comparisons of weights, with strangers to whom
// it happens on both sides alike.
var Traps = []Trap{
	{"T1", "equal norm gains near one", onBoth(gainsNearOne), strangers, false},
	{"T2", "biases that are zero or tiny", onBoth(tinyBiases), strangers, false},
	{"T3", "the same profile of sizes over depth", onBoth(depthProfile), strangers, false},
	{"T4", "embeddings that share the tokens' frequencies and meanings", sharedMeanings, strangers, false},
	{"T5", "position tables", onBoth(positionTables), strangers, false},
	{"T6", "one seed, other data", oneSeed, sameSeed, true},
	{"T7", "residual projections still zero", onBoth(zeroProjections), strangers, false},
	{"T8", "constant, zero and identity tensors, unused tokens", onBoth(fillers), strangers, false},
	{"T9", "tiny tensors", tiny, strangers, false},
	{"T10", "a few columns that carry the length", heavyColumns, strangers, false},
	{"T11", "the same configuration and names", onBoth(func(*rand.Rand, *Model) {}), strangers, false},
	{"T12", "a frozen public encoder in both", frozenEncoder, component, false},
	{"T13", "the same quantisation grid", onBoth(sameGrid), strangers, false},
	{"T14", "the same data in the same order", sameData, strangers, true},
	{"T15", "teacher and student", taught, strangers, true},
	{"T16", "sorted, dead and constant units at the same places", onBoth(sortedUnits), strangers, false},
	{"T17", "one seed, other data, and the norm gains of the other put on", gainsOfTheOther, sameSeed, true},
	{"T18", "one seed, other data, norm gains folded away in one and drawn anew in the other", gainsDrawn, sameSeed, true},
}

// draw gives a network of random shape.
func draw(r *rand.Rand) (s Shape) {
	return Shape{Layers: 1 + r.IntN(3), Hidden: 24 + 8*r.IntN(4), Width: 48 + 16*r.IntN(3), Heads: 2, KVHeads: 1 + r.IntN(2), HeadDim: 16, Vocab: 96 + 32*r.IntN(3), Untied: r.IntN(2) == 0}
}

// onBoth does the same to two strangers. What it draws is drawn alike.
func onBoth(change func(*rand.Rand, *Model)) func(*rand.Rand) (a, b *Model) {
	return func(r *rand.Rand) (*Model, *Model) {
		s := draw(r)
		a, b := Random(r, s, Quirks{}), Random(r, s, Quirks{})
		x, y := r.Uint64(), r.Uint64()
		change(rand.New(rand.NewPCG(x, y)), a)
		change(rand.New(rand.NewPCG(x, y)), b)
		return a, b
	}
}

// each visits the values of the tensors whose name contains part.
func (m *Model) each(part string, f func(name string, values []float32, rows, cols int)) {
	for _, t := range m.tensors {
		if strings.Contains(t.Name, part) {
			rows, cols := 1, int(t.Shape[0])
			if len(t.Shape) == 2 {
				rows, cols = int(t.Shape[0]), int(t.Shape[1])
			}
			f(t.Name, m.Values(t.Name), rows, cols)
		}
	}
}

func gainsNearOne(r *rand.Rand, m *Model) {
	m.each("norm", func(_ string, v []float32, _, _ int) {
		for i := range v {
			v[i] = 1 + 0.05*float32(r.NormFloat64())
		}
	})
}

func tinyBiases(r *rand.Rand, m *Model) {
	size := []float64{0, 1e-6, 1e-3}[r.IntN(3)]
	for _, t := range m.Tensors() {
		if name, ok := strings.CutSuffix(t.Name, "_proj.weight"); ok {
			v := make([]float32, t.Shape[0])
			for i := range v {
				v[i] = float32(size * r.NormFloat64())
			}
			m.Add(name+"_proj.bias", v, t.Shape[0])
		}
	}
}

func depthProfile(r *rand.Rand, m *Model) {
	slope := r.NormFloat64()
	m.each("_proj", func(name string, v []float32, _, _ int) {
		var layer int
		fmt.Sscanf(name, "model.layers.%d.", &layer)
		scale := float32(math.Exp(slope*float64(layer)) * (1 + float64(len(name)%7)))
		for i := range v {
			v[i] *= scale
		}
	})
}

// sharedMeanings gives both embeddings the same few factors of every token,
// each network with directions of its own for them.
func sharedMeanings(r *rand.Rand) (*Model, *Model) {
	s := draw(r)
	a, b := Random(r, s, Quirks{}), Random(r, s, Quirks{})
	const factors = 6
	meaning := make([][factors]float64, s.Vocab)
	for t := range meaning {
		size := math.Exp(r.NormFloat64())
		for k := range meaning[t] {
			meaning[t][k] = 3 * size * r.NormFloat64()
		}
	}
	for _, m := range []*Model{a, b} {
		for _, name := range []string{"model.embed_tokens.weight", "lm_head.weight"} {
			v := m.Values(name)
			basis := normal(r, factors*s.Hidden, 1)
			for i := range v {
				for k := range factors {
					v[i] += float32(meaning[i/s.Hidden][k] * basis[k*s.Hidden+i%s.Hidden])
				}
			}
		}
	}
	return a, b
}

func positionTables(r *rand.Rand, m *Model) {
	hidden := int(m.byName["model.embed_tokens.weight"].Shape[1])
	const positions = 64
	table := func(name string, f func(p, k int) float64) {
		v := make([]float32, positions*hidden)
		for i := range v {
			v[i] = float32(f(i/hidden, i%hidden))
		}
		m.Add(name, v, positions, int64(hidden))
	}
	table("model.embed_positions.weight", func(p, k int) float64 {
		return math.Sin(float64(p)*math.Pow(1e-4, float64(k/2*2)/float64(hidden)) + math.Pi/2*float64(k%2))
	})
	turn := r.Float64()
	table("model.position_helix.weight", func(p, k int) float64 {
		return math.Cos(float64(p)*(0.05+0.02*float64(k%3)) + float64(k)*turn)
	})
	table("model.causal_mask.weight", func(p, k int) float64 {
		if k > p {
			return -1e9
		}
		return 0
	})
	frequencies := make([]float32, 8)
	for k := range frequencies {
		frequencies[k] = float32(math.Pow(1e-4, float64(k)/8))
	}
	m.Add("model.layers.0.self_attn.rotary_emb.inv_freq", frequencies, 8)
}

func zeroProjections(_ *rand.Rand, m *Model) {
	for _, part := range []string{"o_proj", "down_proj", "lm_head"} {
		m.each(part, func(_ string, v []float32, _, _ int) { clear(v) })
	}
}

func fillers(_ *rand.Rand, m *Model) {
	m.each("q_proj", func(_ string, v []float32, _, _ int) {
		for i := range v {
			v[i] = 0.02
		}
	})
	m.each("up_proj", func(_ string, v []float32, rows, cols int) {
		clear(v)
		for i := range rows {
			v[i*cols+i%cols] = 1
		}
	})
	v, s := m.Values("model.embed_tokens.weight"), int(m.byName["model.embed_tokens.weight"].Shape[1])
	for i := len(v) / 3; i < len(v); i++ {
		v[i] = float32(i%s) / 100 // tokens that no text has, filled alike
	}
}

func tiny(r *rand.Rand) (*Model, *Model) {
	s := Shape{Layers: 1, Hidden: 4 + r.IntN(12), Width: 4 + r.IntN(28), Heads: 1, KVHeads: 1, HeadDim: 4, Vocab: 8 + r.IntN(24)}
	return Random(r, s, Quirks{Ties: 0.2}), Random(r, s, Quirks{Ties: 0.2})
}

func heavyColumns(r *rand.Rand) (*Model, *Model) {
	s, q := draw(r), Quirks{Heavy: true, Common: 2 * r.Float64(), Correlated: r.IntN(2) == 0}
	return Random(r, s, q), Random(r, s, q)
}

// frozenEncoder gives both strangers the same vision tower.
func frozenEncoder(r *rand.Rand) (*Model, *Model) {
	a, b := onBoth(func(*rand.Rand, *Model) {})(r)
	tower := Random(r, Shape{Layers: 2, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 32}, Quirks{})
	for _, m := range []*Model{a, b} {
		for l := range 2 {
			for from, to := range map[string]string{"self_attn.q_proj": "self_attn.q_proj", "self_attn.k_proj": "self_attn.k_proj", "self_attn.v_proj": "self_attn.v_proj", "self_attn.o_proj": "self_attn.out_proj", "mlp.gate_proj": "mlp.fc1"} {
				v := tower.Values(fmt.Sprintf("model.layers.%d.%s.weight", l, from))
				shape := tower.byName[fmt.Sprintf("model.layers.%d.%s.weight", l, from)].Shape
				m.Add(fmt.Sprintf("vision_tower.vision_model.encoder.layers.%d.%s.weight", l, to), append([]float32(nil), v...), shape...)
			}
			v := tower.Values(fmt.Sprintf("model.layers.%d.mlp.down_proj.weight", l))
			m.Add(fmt.Sprintf("vision_tower.vision_model.encoder.layers.%d.mlp.fc2.weight", l), append([]float32(nil), v...), 32, 64)
		}
	}
	return a, b
}

// sameGrid rounds all matrices to the same sixteen levels.
func sameGrid(r *rand.Rand, m *Model) {
	step := float32(0.2 + 0.3*r.Float64())
	m.each("", func(_ string, v []float32, rows, _ int) {
		if rows == 1 {
			return
		}
		for i, x := range v {
			v[i] = step * float32(math.Max(-8, math.Min(7, math.Round(float64(x/step)))))
		}
	})
}

func sortedUnits(r *rand.Rand, m *Model) {
	dead := 8 + r.IntN(16)
	for _, part := range []string{"gate_proj", "up_proj", "v_proj"} {
		m.each(part, func(_ string, v []float32, rows, cols int) {
			for i := range rows {
				row := v[i*cols : (i+1)*cols]
				for k := range row {
					switch {
					case part == "up_proj" && i < dead:
						row[k] = 0
					case part == "gate_proj" && i >= rows-dead:
						row[k] = float32(i)
					default:
						row[k] *= 1 + float32(i)/4
					}
				}
			}
		})
	}
}

// The networks below are trained here.
const (
	netHidden, netWidth, netVocab = 24, 48, 48
	netSteps, netBatch, netRate   = 120, 24, 4e-3
)

// learn trains a network on data of its own.
func learn(r *rand.Rand, n *Net) *Net {
	n.Train(r, NewChain(r, netVocab), netSteps, netBatch, netRate)
	return n
}

func fresh(r *rand.Rand) *Net { return NewNet(r, 2, netHidden, netWidth, netVocab) }

// oneSeed trains one draw twice, on other data.
func oneSeed(r *rand.Rand) (*Model, *Model) {
	seed := fresh(r)
	return learn(r, seed.Clone()).Model(), learn(r, seed).Model()
}

// gainsOfTheOther puts the gains of one on the other, whose columns make up for it.
func gainsOfTheOther(r *rand.Rand) (*Model, *Model) {
	a, b := oneSeed(r)
	PutOnGains(a, b)
	return a, b
}

// gainsDrawn folds the gains of one away and multiplies those of the other at random.
func gainsDrawn(r *rand.Rand) (*Model, *Model) {
	a, b := oneSeed(r)
	FoldGains(a)
	RescaleGains(r, b)
	return a, b
}

// taught trains a fresh network on the answers of a trained one.
func taught(r *rand.Rand) (*Model, *Model) {
	teacher, student := learn(r, fresh(r)), fresh(r)
	student.Train(r, teacher.Taught(), netSteps, netBatch, netRate)
	return teacher.Model(), student.Model()
}

// sameData trains two fresh networks on the same batches in the same order.
func sameData(r *rand.Rand) (*Model, *Model) {
	chain, x, y := NewChain(r, netVocab), r.Uint64(), r.Uint64()
	var out [2]*Model
	for i := range out {
		n := fresh(r)
		n.Train(rand.New(rand.NewPCG(x, y)), chain, netSteps, netBatch, netRate)
		out[i] = n.Model()
	}
	return out[0], out[1]
}
