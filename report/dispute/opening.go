package dispute

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

// Purposes keep digests of one use from standing for another's.
const (
	commitPurpose = "weightprint 2026 dispute commitment v1"
	noncePurpose  = "weightprint 2026 dispute nonce v1"
)

// saltBytes is how long a salt is.
const saltBytes = 32

// Opening is what a party keeps secret until the exchange: its files by digest, and
// the salt that keeps anyone from guessing them.
type Opening struct {
	Schema string `json:"schema"`
	Exchange
}

// openingSchema names the form of an opening's file.
const openingSchema = "weightprint.dispute-opening/1"

// NewOpening digests every file of the model at path, a folder or a file; symbolic
// links, of which caches of models are made, count as what they lead to.
func NewOpening(ctx context.Context, path string) (*Opening, error) {
	m, err := oms.Make(ctx, path, &oms.Options{AllowSymlinks: true})
	if err != nil {
		return nil, err
	}
	s, err := m.Statement()
	if err != nil {
		return nil, err
	}
	var salt [saltBytes]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, err
	}
	return &Opening{openingSchema, Exchange{hex.EncodeToString(salt[:]), s}}, nil
}

// Encode is the opening's file.
func (o *Opening) Encode() ([]byte, error) {
	b, err := json.Marshal(o)
	return append(b, '\n'), err
}

// DecodeOpening reads an opening's file.
func DecodeOpening(text []byte) (*Opening, error) {
	var o Opening
	if err := strictjson.Known(text, &o); err != nil {
		return nil, fmt.Errorf("%w: opening: %w", ErrTranscript, err)
	}
	if o.Schema != openingSchema || o.Manifest == nil {
		return nil, fmt.Errorf("%w: the schema of the opening is %.40q, not %q", ErrTranscript, o.Schema, openingSchema)
	}
	return &o, nil
}

// commitment binds an opening to one party of one dispute: without them the other
// party could repeat a commitment that it saw, and later its opening.
func (x Exchange) commitment(first string, who Author) (string, error) {
	if salt, err := hex.DecodeString(x.Salt); err != nil || len(salt) != saltBytes || x.Manifest == nil {
		return "", fmt.Errorf("%w: the salt has not %d bytes in hexadecimal, or no file is listed", ErrTranscript, saltBytes)
	}
	b, err := json.Marshal(x.Manifest)
	return derive(commitPurpose, first, string(who), x.Salt, string(b)), err
}

// files is the manifest of an opened commitment: whole files by SHA-256.
func (x Exchange) files() (*oms.Manifest, error) {
	m, err := oms.FromStatement(x.Manifest)
	if err == nil && m.SHA256() == nil {
		err = fmt.Errorf("%w: the files are not listed whole, by SHA-256", ErrTranscript)
	}
	return m, err
}

// Nonce draws what nobody could foresee: of both commitments and the beacon's value.
func Nonce(a, b, beacon string) string { return derive(noncePurpose, a, b, beacon) }

// derive is BLAKE3 in its mode for keys, over parts with their lengths.
func derive(purpose string, parts ...string) string {
	h := blake3.NewDeriveKey(purpose)
	for _, p := range parts {
		h.Write(binary.LittleEndian.AppendUint64(nil, uint64(len(p))))
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}
