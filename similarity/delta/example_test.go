package delta_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/delta"
)

// Adding the product of a column and a row to a matrix leaves a difference of
// rank one.
func ExampleMeasure() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 1, Hidden: 64, Width: 96, Heads: 2, KVHeads: 2, HeadDim: 32, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	v := b.Values("model.layers.0.mlp.up_proj.weight")
	for i := range v {
		v[i] += 0.01 * float32((i/64%7-3)*(i%64%5-2))
	}
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	for _, m := range pair.Match().Matrices {
		s, err := delta.Measure(context.Background(), m, pair.Seed, 96)
		if err != nil {
			panic(err)
		}
		if s.Largest > 0 {
			fmt.Printf("%s: rank %d, %.1f %% of the matrix\n", m.B.Role, s.Rank, 100*s.Relative)
		}
	}
	// Output:
	// layers.0.mlp.up: rank 1, 2.8 % of the matrix
}
