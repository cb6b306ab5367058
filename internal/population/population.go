// Package population makes the networks that the calibrated tests are held against:
// small language models that share nothing, and pairs that share one thing each. All of
// it follows from one seed; nothing is read.
package population

import (
	"math/rand/v2"

	"github.com/weightprint/weightprint/internal/adversary"
)

// Seed is where every random choice starts.
const Seed = 18

// Shapes of the networks.
var Shapes = []adversary.Build{
	{Layers: 3, Hidden: 64, Width: 128, Heads: 4, KV: 2, Dim: 16, Vocab: 160},
	{Layers: 2, Hidden: 96, Width: 160, Heads: 6, KV: 2, Dim: 16, Vocab: 96},
	{Layers: 5, Hidden: 64, Width: 96, Heads: 4, KV: 4, Dim: 16, Vocab: 128, Tied: true},
	{Layers: 2, Hidden: 64, Width: 192, Heads: 2, KV: 1, Dim: 32, Vocab: 160},
	{Layers: 3, Hidden: 80, Width: 128, Heads: 5, KV: 5, Dim: 16, Vocab: 128},
	{Layers: 2, Hidden: 128, Width: 160, Heads: 4, KV: 1, Dim: 32, Vocab: 96},
}

// Each is how many networks of a shape share nothing, and Extra how many pairs of a
// shape there are of another kind, unless that says otherwise.
const Each, Extra = 50, 2

// school is how network i of a shape is trained: most briefly, every eighth for long.
func school(i int) adversary.Schooling {
	s := adversary.Schooling{Steps: 40, Batch: 3, Long: 24, Rate: 8e-3}
	if i%8 == 7 {
		s.Steps *= 3
	}
	return s
}

// stream is a source of random numbers for one purpose of network i of a shape.
func stream(shape, i int, purpose uint64) *rand.Rand {
	return rand.New(rand.NewPCG(Seed, purpose<<32|uint64(shape)<<16|uint64(i)))
}

// Purposes of streams.
const (
	drawn    = iota // initialisation
	language        // of the corpus
	texts           // drawn from it
	other           // whatever else
)

// Member trains network i of a shape: initialisation, language and texts are its own.
func Member(shape, i int) *adversary.Decoder {
	d := adversary.New(stream(shape, i, drawn), Shapes[shape])
	d.Train(stream(shape, i, texts), corpus(shape, i), school(i))
	return d
}

func corpus(shape, i int) *adversary.Corpus {
	return adversary.NewCorpus(stream(shape, i, language), Shapes[shape].Vocab)
}
