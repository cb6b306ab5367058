package exact_test

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

// Once the units of a copy are permuted none is at its place, and their signs
// still agree.
func ExampleTests() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 4, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	zoo.MLPPermute(r, b)
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	found, err := similarity.Run(context.Background(), pair, exact.Tests(0))
	if err != nil {
		panic(err)
	}
	for _, e := range found {
		if e.Axis == "mlp" {
			fmt.Printf("%s: %.4g of %d, log10 p ≤ %.1f\n", e.Test, e.Statistic, e.N, e.P.Log10())
		}
	}
	// Output:
	// fixed-points: 5 of 256, log10 p ≤ 0.0
	// order: 52 of 256, log10 p ≤ 0.0
	// signs: 256 of 256, log10 p ≤ -77.0
	// swaps: -3.092 of 256, log10 p ≤ 0.0
}
