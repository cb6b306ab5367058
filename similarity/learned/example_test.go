package learned_test

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/learned"
)

// A child and a sibling of the seed both are alike unit by unit. The gains of
// the norms, which all start at one, are those of the parent only in the child.
func ExampleTests() {
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
		pair := similarity.NewPair(&similarity.Subject{Net: roles.Map(parent.Model())}, &similarity.Subject{Net: roles.Map(x.net.Model())}, []byte("seed"), 0)
		found, err := similarity.Run(context.Background(), pair, learned.Tests(0))
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
