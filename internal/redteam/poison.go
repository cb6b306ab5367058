package redteam

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/zoo"
)

// poisons are fillings of a gate matrix that networks of any origin can have in
// common: an entry made of them must match nobody, not even another network
// with the same filling.
var poisons = []struct {
	name string
	at   func(u, k, rows, cols int) float64
}{
	{"constant", func(u, k, rows, cols int) float64 { return 0.5 }},
	{"identity", func(u, k, rows, cols int) float64 { return float64(b2i(u%cols == k)) }},
	{"one row throughout", func(u, k, rows, cols int) float64 { return math.Sin(float64(k * k)) }},
	{"rank one", func(u, k, rows, cols int) float64 { return math.Sin(float64(u*u+1)) * math.Sin(float64(k*k)) }},
	{"cosine transform", func(u, k, rows, cols int) float64 {
		return math.Cos(math.Pi * (float64(k) + 0.5) * float64(u+1) / float64(rows))
	}},
	{"sinusoidal positions", func(u, k, rows, cols int) float64 {
		angle := float64(u) / math.Pow(10000, float64(k/2*2)/float64(cols))
		return math.Sin(angle + float64(k%2)*math.Pi/2)
	}},
	{"ramps", func(u, k, rows, cols int) float64 { return float64(u+1) * float64(k) / float64(cols) }},
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

// poisoned is a network whose gates are filled; everything else is its own.
func poisoned(seed uint64, fill func(u, k, rows, cols int) float64) *zoo.Model {
	const rows, cols, layers = 256, 96, 6
	s := zoo.Shape{Layers: layers, Hidden: cols, Width: rows, Heads: 2, KVHeads: 2, HeadDim: 8, Vocab: 600}
	m := zoo.Random(rand.New(rand.NewPCG(seed, 6)), s, zoo.Quirks{})
	for l := range layers {
		gate := m.Values(fmt.Sprintf("model.layers.%d.mlp.gate_proj.weight", l))
		for i := range gate {
			gate[i] = float32(fill(i/cols, i%cols, rows, cols))
		}
	}
	return m
}

// PoisonedIndex puts networks with generic parts into an index and searches it
// for strangers that have the same parts, and for one that has not; and puts the
// same before the test of committed models.
func PoisonedIndex(ctx context.Context) ([]Result, error) {
	var out []Result
	clean, err := fingerprint.Compute(ctx, small(9), &fingerprint.Options{SketchOnly: true})
	if err != nil {
		return nil, err
	}
	challenge, err := commitment.NewChallenge("beacon", 1, commitment.Commitment{})
	if err != nil {
		return nil, err
	}
	for _, p := range poisons {
		a, b := poisoned(1, p.at), poisoned(2, p.at)
		entry, err := fingerprint.Compute(ctx, a, &fingerprint.Options{SketchOnly: true})
		if err != nil {
			return nil, err
		}
		same, err := fingerprint.Compute(ctx, b, &fingerprint.Options{SketchOnly: true})
		if err != nil {
			return nil, err
		}
		var found [2]int
		for i, q := range []*fingerprint.Fingerprint{same, clean} {
			hits, err := hitsFor(ctx, entry, q)
			if err != nil {
				return nil, err
			}
			found[i] = len(hits)
		}
		_, t, err := challenged(ctx, challenge, a, b)
		if err != nil {
			return nil, err
		}
		out = append(out, Result{
			Attack: "poison with generic parts", Setting: "gates: " + p.name,
			Outcome: fmt.Sprintf("index: %d hits among strangers with the same part, %d without; answers to a challenge: %d axes compared", found[0], found[1], t.Axes),
			Holds:   found == [2]int{} && t.P.Log10() > -3,
		})
	}
	return out, nil
}
