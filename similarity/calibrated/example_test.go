package calibrated_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/calibrated"
)

// Attention heads that were mixed, turned and put into another order keep what
// they compute, and so keep the invariants.
func ExampleInvariants() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 2, Hidden: 32, Width: 64, Heads: 4, KVHeads: 2, HeadDim: 16, Vocab: 300}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	zoo.DisguiseAll(r, b)
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	found, err := similarity.Run(context.Background(), pair, calibrated.Invariants())
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

// Units of a copy find each other through the tokens they answer to, though they
// were permuted and the residual stream was rotated.
func ExampleAgreement() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 3, Hidden: 32, Width: 64, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := a.Clone()
	zoo.MLPPermute(r, b)
	zoo.RotateResidual(r, b)
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	found, err := similarity.Run(context.Background(), pair, []*similarity.Test{calibrated.Agreement(1)})
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

// A child and a sibling of the seed both are alike unit by unit. The gains of
// the norms, which all start at one, are those of the parent only in the child.
func ExampleLearned() {
	r := rand.New(rand.NewPCG(1, 1))
	parent := zoo.NewNet(r, 2, 24, 64, 48)
	sibling := parent.Clone() // from the same seed
	parent.Train(r, zoo.NewChain(r, 48), 100, 24, 4e-3)
	sibling.Train(r, zoo.NewChain(r, 48), 100, 24, 4e-3)
	child := parent.Clone()
	child.Train(r, zoo.NewChain(r, 48), 20, 24, 4e-3)
	for _, x := range []struct {
		name string
		net  *zoo.Net
	}{{"a child", child}, {"a sibling of the seed", sibling}} {
		pair := align.NewPair(&align.Subject{Net: roles.Map(parent.Model())}, &align.Subject{Net: roles.Map(x.net.Model())}, []byte("seed"), align.NoLimit)
		found, err := similarity.Run(context.Background(), pair, calibrated.Learned(0))
		if err != nil {
			panic(err)
		}
		for _, e := range found {
			if e.Test == "gains" && e.LayerB < 0 {
				fmt.Printf("%s: %t\n", x.name, e.Effect > 0.7)
			}
		}
	}
	// Output:
	// a child: true
	// a sibling of the seed: false
}
