package fingerprint

import (
	"encoding"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/zeebo/blake3"
)

// Digest is a 256-bit BLAKE3 hash. Its text form is "b3:" and 64 hexadecimal
// digits.
type Digest [32]byte

var (
	_ encoding.TextMarshaler   = Digest{}
	_ encoding.TextUnmarshaler = (*Digest)(nil)
)

// String returns the text form.
func (d Digest) String() string { return "b3:" + hex.EncodeToString(d[:]) }

// MarshalText returns the text form.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText parses the text form.
func (d *Digest) UnmarshalText(text []byte) error {
	v, err := ParseDigest(string(text))
	*d = v
	return err
}

// ParseDigest parses the text form.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	digits, ok := strings.CutPrefix(s, "b3:")
	if !ok || len(digits) != 2*len(d) || strings.ToLower(digits) != digits {
		return d, fmt.Errorf("fingerprint: %q is no digest of the form b3:<64 hexadecimal digits>", s)
	}
	if _, err := hex.Decode(d[:], []byte(digits)); err != nil {
		return Digest{}, fmt.Errorf("fingerprint: digest %q: %w", s, err)
	}
	return d, nil
}

// purpose separates the uses of the hash: no two of them can give the same
// digest from different things.
type purpose string

const (
	purposeLeaf   purpose = "weightprint v1 leaf of values"
	purposeNode   purpose = "weightprint v1 tree node"
	purposeTensor purpose = "weightprint v1 tensor"
	purposeHeader purpose = "weightprint v1 model header"
	purposeBare   purpose = "weightprint v1 model root without names"
	purposeStored purpose = "weightprint v1 stored bytes"
	purposeCoded  purpose = "weightprint v1 stored tensor"
	purposeRoles  purpose = "weightprint v1 model root over roles"
)

// newHash returns a hasher for one purpose.
func newHash(p purpose) *blake3.Hasher { return blake3.NewDeriveKey(string(p)) }

// sum finishes a hasher.
func sum(h *blake3.Hasher) (d Digest) {
	h.Sum(d[:0])
	return d
}
