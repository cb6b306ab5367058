// Package fingerprinttest makes fingerprints without models, for tests and benchmarks
// that need many.
package fingerprinttest

import (
	"context"
	"math/rand/v2"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/zoo"
)

// Small and Middle are shapes of networks: the first has three axes of eight
// units and nothing for tokens to find, the second all that a fingerprint can
// hold.
var (
	Small  = zoo.Shape{Layers: 3, Hidden: 64, Width: 192, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 40}
	Middle = zoo.Shape{Layers: 6, Hidden: 96, Width: 256, Heads: 6, KVHeads: 3, HeadDim: 16, Vocab: 1024, Untied: true}
)

// Of fingerprints a random network of a shape.
func Of(s zoo.Shape, seed uint64, o *fingerprint.Options) *fingerprint.Fingerprint {
	f, err := fingerprint.Compute(context.Background(), zoo.Random(rand.New(rand.NewPCG(seed, 3)), s, zoo.Quirks{}), o)
	if err != nil {
		panic(err) // values in memory can be read
	}
	return f
}

// Like returns a fingerprint of the same axes as another whose digests and
// bits are drawn from r: a stranger.
func Like(f *fingerprint.Fingerprint, r *rand.Rand) *fingerprint.Fingerprint {
	c := *f
	draw(r, c.Header[:])
	if c.Complete {
		draw(r, c.Root[:])
	}
	c.Sketches, c.Probes = slices.Clone(f.Sketches), slices.Clone(f.Probes)
	for i := range c.Sketches {
		s := &c.Sketches[i]
		s.Words = random(r, len(s.Words))
	}
	for i := range c.Probes {
		p := &c.Probes[i]
		p.Units, p.Profile, p.Signs = slices.Clone(p.Units), random(r, len(p.Profile)), r.Uint32()&(1<<len(p.Units)-1)
		for t, u := range r.Perm(p.Length)[:len(p.Units)] {
			p.Units[t] = u
		}
	}
	if f.Tokens != nil {
		t := *f.Tokens
		t.Signs = random(r, len(t.Signs))
		if pad := published(&t) % 64; pad > 0 {
			t.Signs[len(t.Signs)-1] &= 1<<pad - 1
		}
		c.Tokens = &t
	}
	return &c
}

// Child is Like of which a share of the bits of sketched units differs, as training
// would have it.
func Child(f *fingerprint.Fingerprint, share float64, r *rand.Rand) *fingerprint.Fingerprint {
	c := Like(f, r)
	for i := range c.Sketches {
		for w := range c.Sketches[i].Words {
			word := f.Sketches[i].Words[w]
			for b := range 64 {
				if r.Float64() < share {
					word ^= 1 << b
				}
			}
			c.Sketches[i].Words[w] = word
		}
	}
	return c
}

// published counts the signs that a sketch of tokens holds.
func published(t *fingerprint.Tokens) (n int) {
	for _, sign := range t.Table() {
		if sign != 0 {
			n++
		}
	}
	return n
}

func draw(r *rand.Rand, b []byte) {
	for i := range b {
		b[i] = byte(r.Uint32())
	}
}

func random(r *rand.Rand, n int) []uint64 {
	out := make([]uint64, n)
	for i := range out {
		out[i] = r.Uint64()
	}
	return out
}
