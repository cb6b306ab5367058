package adversary

import (
	"fmt"
	"math/rand/v2"
)

// Family is a number of networks of one size that were trained apart: other seeds,
// and other languages for every second one.
type Family struct {
	Name  string
	Build Build
	Seed  uint64
}

// Families are those that this package trains.
var Families = []Family{
	{"gated-untied", Build{Layers: 4, Hidden: 64, Width: 160, Heads: 4, KV: 2, Dim: 16, Vocab: 256}, 1},
	{"narrow-tied", Build{Layers: 5, Hidden: 48, Width: 128, Heads: 6, KV: 3, Dim: 8, Vocab: 192, Tied: true}, 2},
}

// Member trains network i of the family. The first two of every four speak one
// language.
func (f Family) Member(i int) *Decoder {
	language := rand.New(rand.NewPCG(f.Seed, uint64(i/2*2%4)))
	return Grow(rand.New(rand.NewPCG(f.Seed, uint64(1000+i))), f.Build, NewCorpus(language, f.Build.Vocab))
}

// MemberName names it.
func (f Family) MemberName(i int) string { return fmt.Sprintf("%s/%d", f.Name, i) }
