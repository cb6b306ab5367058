// Package aligned is the stage of a comparison behind opening: tensors get their
// roles, and towers and layers of A are put against those of B by names and shapes.
// No value is read here.
package aligned

import (
	"bytes"
	"slices"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/similarity/align"
)

// Side is one of the two subjects, as it was opened.
type Side struct {
	Ref      string
	Format   string // of its files
	Layout   string // how matrices are packed, "" where they are not or nothing is known of it
	Files    int    // 0 where the model was not opened from one checkpoint
	Model    tensor.Model
	Tokens   []string // token strings by row of the embedding, nil if unknown
	Warnings []string
	Bytes    int64 // of all stored values
}

// Pairing is two subjects with what stands against what.
type Pairing struct {
	*align.Pair
	Sides [2]Side // their models are read through the accounts of the pair
}

// New gives both sides their roles and pairs them. Every random choice of the
// comparison follows from the headers of both models, whichever is named first,
// and from the nonce, which nobody could foresee who made the files.
func New(sides [2]Side, nonce string) *Pairing {
	a, b := subject(sides[0]), subject(sides[1])
	if len(a.Net.Towers) > 0 != (len(b.Net.Towers) > 0) { // names that only one side has say nothing of the other
		a.Net, b.Net = roles.Unnamed(a.Rows), roles.Unnamed(b.Rows)
	}
	seed := slices.Concat(headers(sides), []byte(nonce)) // package rng hashes it whole
	sides[0].Model, sides[1].Model = a.Rows, b.Rows      // nothing is read beside the accounts
	return &Pairing{Pair: align.NewPair(a, b, seed, align.NoLimit), Sides: sides}
}

func subject(s Side) *align.Subject { return align.NewSubject(s.Ref, s.Model, s.Tokens) }

// headers are the digests of both headers, in their own order.
func headers(sides [2]Side) []byte {
	a, b := fingerprint.Header(sides[0].Model), fingerprint.Header(sides[1].Model)
	if bytes.Compare(a[:], b[:]) > 0 {
		a, b = b, a
	}
	return slices.Concat(a[:], b[:])
}

// Networks returns the two networks.
func (p *Pairing) Networks() [2]*roles.Network { return [2]*roles.Network{p.A.Net, p.B.Net} }
