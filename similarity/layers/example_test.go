package layers_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/layers"
)

// A network of which layer 1 was dropped shows where its layers came from.
func ExampleMap() {
	r := rand.New(rand.NewPCG(1, 1))
	a := zoo.Random(r, zoo.Shape{Layers: 4, Hidden: 32, Width: 96, Heads: 2, KVHeads: 2, HeadDim: 16, Vocab: 100}, zoo.Quirks{}) // in practice formats.Open
	b := zoo.New()
	b.Meta = a.Meta
	for _, t := range a.Tensors() {
		if !strings.Contains(t.Name, "layers.1.") {
			b.Add(strings.NewReplacer("layers.2.", "layers.1.", "layers.3.", "layers.2.").Replace(t.Name), a.Values(t.Name), t.Shape...)
		}
	}
	pair := align.NewPair(&align.Subject{Name: "a", Net: roles.Map(a)}, &align.Subject{Name: "b", Net: roles.Map(b)}, []byte("seed"), align.NoLimit)
	m, err := layers.Map(context.Background(), pair, pair.Towers[0])
	if err != nil {
		panic(err)
	}
	for _, l := range m.Pairs {
		fmt.Println(l.B, "from", l.A)
	}
	// Output:
	// 0 from 0
	// 1 from 2
	// 2 from 3
}
