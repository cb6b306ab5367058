package commitment

import (
	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
)

// purpose separates the uses of the hash: no two of them can give the same
// digest from different things.
type purpose string

const (
	purposeRow        purpose = "weightprint v1 commitment row"
	purposeSalt       purpose = "weightprint v1 commitment salt"
	purposeSalted     purpose = "weightprint v1 commitment salted row"
	purposeTensor     purpose = "weightprint v1 commitment tensor"
	purposeAxes       purpose = "weightprint v1 commitment axes"
	purposeCommitment purpose = "weightprint v1 commitment"
	purposeChallenge  purpose = "weightprint v1 challenge"
	purposeAnswer     purpose = "weightprint v1 answer"
	purposeOpenings   purpose = "weightprint v1 units to open"
)

// newHash returns a BLAKE3 hasher in key-derivation mode.
func newHash(p purpose) *blake3.Hasher { return blake3.NewDeriveKey(string(p)) }

// sum finishes a hasher.
func sum(h *blake3.Hasher) (d fingerprint.Digest) {
	h.Sum(d[:0])
	return d
}

// of hashes parts, one behind the other, for a purpose.
func (p purpose) of(parts ...[]byte) fingerprint.Digest {
	h := newHash(p)
	for _, b := range parts {
		h.Write(b)
	}
	return sum(h)
}
