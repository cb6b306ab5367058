package recipe_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/recipe"
)

// Find how much of each parent a merge holds.
func ExampleFind() {
	r := rand.New(rand.NewPCG(1, 1))
	base := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	parents, child := []*zoo.Model{base.Clone(), base.Clone()}, base.Clone()
	for _, t := range base.Tensors() {
		x, y, out := parents[0].Values(t.Name), parents[1].Values(t.Name), child.Values(t.Name)
		for i := range out { // two fine-tunes, and three parts of one with one part of the other
			x[i] += 0.1 * float32(r.NormFloat64())
			y[i] += 0.1 * float32(r.NormFloat64())
			out[i] = 0.75*x[i] + 0.25*y[i]
		}
	}
	var pairs []*align.Pair
	for _, p := range parents {
		pairs = append(pairs, align.NewPair(&align.Subject{Net: roles.Map(p)}, &align.Subject{Net: roles.Map(child)}, nil, align.NoLimit))
	}
	found, err := recipe.Find(context.Background(), pairs)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s %.2f\n", found.Method, found.Weights)
	// Output:
	// linear [0.75 0.25]
}
