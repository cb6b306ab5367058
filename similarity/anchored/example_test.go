package anchored_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/anchored"
)

// Units of a copy find each other through the tokens they answer to, though they
// were permuted and the residual stream was rotated.
func ExampleAgreement() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 3, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	zoo.MLPPermute(r, b)
	zoo.RotateResidual(r, b)
	pair := similarity.NewPair(&similarity.Subject{Name: "a", Net: roles.Map(a)}, &similarity.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), 0)
	found, err := similarity.Run(context.Background(), pair, []*similarity.Test{anchored.Agreement(1)})
	if err != nil {
		panic(err)
	}
	for _, e := range found {
		if e.LayerB < 0 { // pooled over layers
			fmt.Println(e.Axis, e.Statistic, "of", e.N)
		}
	}
	// Output:
	// mlp (raw) 2 of 128
	// mlp (anchored) 128 of 128
}
