package similarity_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/exact"
)

// Run a test on two networks, here one and a noisy copy.
func ExampleRun() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	for _, t := range b.Tensors() {
		v := b.Values(t.Name)
		for i := range v {
			v[i] += 0.3 * float32(r.NormFloat64())
		}
	}
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	found, err := similarity.Run(context.Background(), pair, []*similarity.Test{exact.FixedPoints(0)})
	if err != nil {
		panic(err)
	}
	for _, e := range found {
		if e.LayerB < 0 { // pooled over layers
			fmt.Printf("%s: %v of %d, p ≤ 1e%.0f\n", e.Component, e.Statistic, e.N, e.P.Log10())
		}
	}
	// Output:
	// embeddings: 32 of 32, p ≤ 1e-35
	// mlp: 128 of 128, p ≤ 1e-177
	// attention: 64 of 64, p ≤ 1e-51
}
