package invariants_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/invariants"
)

// Attention heads that were mixed, turned and put into another order keep what
// they compute, and so keep the invariants.
func ExampleTests() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 32, Width: 64, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 300}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	zoo.DisguiseAll(r, b)
	pair := similarity.NewPair(&similarity.Subject{Name: "a", Net: roles.Map(a)}, &similarity.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), 0)
	found, err := similarity.Run(context.Background(), pair, invariants.Tests())
	if err != nil {
		panic(err)
	}
	for _, e := range found {
		fmt.Printf("%s %.3f\n", e.Test, e.Effect)
	}
	// Output:
	// qk-sizes 1.000
	// qk-phases 1.000
	// ov-spectra 1.000
	// token-gram 1.000
	// token-gram-used 1.000
	// token-signs 1.000
}
