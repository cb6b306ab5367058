package intoto

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	_ "crypto/sha512" // for P-384 and P-521
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
)

// ErrKey is returned for files that hold no key of a supported kind.
var ErrKey = errors.New("no usable key")

// PublicKey checks signatures: ed25519, or ECDSA on P-256, P-384 or P-521. It
// is a verifier as package dsse takes it.
type PublicKey struct{ public crypto.PublicKey }

// PrivateKey makes signatures. It is a signer as package dsse takes it.
type PrivateKey struct {
	PublicKey
	private crypto.Signer
}

// ParsePrivateKey reads an unencrypted private key in PEM, as "openssl genpkey"
// writes it (PKCS#8), or "openssl ecparam -genkey" (SEC 1).
func ParsePrivateKey(text []byte) (*PrivateKey, error) {
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		var key any
		var err error
		switch b.Type {
		case "PRIVATE KEY":
			key, err = x509.ParsePKCS8PrivateKey(b.Bytes)
		case "EC PRIVATE KEY":
			key, err = x509.ParseECPrivateKey(b.Bytes)
		case "ENCRYPTED PRIVATE KEY":
			return nil, fmt.Errorf("%w: the key is encrypted; decrypt it first, for example with openssl pkey", ErrKey)
		default:
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKey, err)
		}
		s, ok := key.(crypto.Signer)
		if !ok {
			return nil, unsupported(key)
		}
		public, err := newPublicKey(s.Public())
		if err != nil {
			return nil, err
		}
		return &PrivateKey{*public, s}, nil
	}
	return nil, fmt.Errorf("%w: no private key in PEM", ErrKey)
}

// ParsePublicKey reads a public key in PEM, as "openssl pkey -pubout" writes it.
func ParsePublicKey(text []byte) (*PublicKey, error) {
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type != "PUBLIC KEY" {
			continue
		}
		key, err := x509.ParsePKIXPublicKey(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: %v", ErrKey, err)
		}
		return newPublicKey(key)
	}
	return nil, fmt.Errorf("%w: no public key in PEM", ErrKey)
}

func unsupported(key any) error {
	return fmt.Errorf("%w: %T is neither ed25519 nor ECDSA on P-256, P-384 or P-521", ErrKey, key)
}

func newPublicKey(key crypto.PublicKey) (*PublicKey, error) {
	switch k := key.(type) {
	case ed25519.PublicKey:
		return &PublicKey{k}, nil
	case *ecdsa.PublicKey:
		if digests[k.Curve.Params().Name] != 0 {
			return &PublicKey{k}, nil
		}
	}
	return nil, unsupported(key)
}

// digests says which hash goes with which curve: that of the same strength, as
// the Sigstore algorithm registry has it.
var digests = map[string]crypto.Hash{"P-256": crypto.SHA256, "P-384": crypto.SHA384, "P-521": crypto.SHA512}

// hash prepares data for an ECDSA key; ok is false for ed25519, which signs
// data as it is.
func (k *PublicKey) hash(data []byte) (sum []byte, h crypto.Hash, ok bool) {
	e, ok := k.public.(*ecdsa.PublicKey)
	if !ok {
		return data, crypto.Hash(0), false
	}
	h = digests[e.Curve.Params().Name]
	x := h.New()
	x.Write(data)
	return x.Sum(nil), h, true
}

// Sign signs data.
func (k *PrivateKey) Sign(_ context.Context, data []byte) ([]byte, error) {
	sum, h, _ := k.hash(data)
	return k.private.Sign(rand.Reader, sum, h)
}

// Verify checks a signature over data.
func (k *PublicKey) Verify(_ context.Context, data, sig []byte) error {
	sum, _, hashed := k.hash(data)
	ok := false
	if hashed {
		ok = ecdsa.VerifyASN1(k.public.(*ecdsa.PublicKey), sum, sig)
	} else {
		ok = ed25519.Verify(k.public.(ed25519.PublicKey), data, sig)
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// Public returns the key itself.
func (k *PublicKey) Public() crypto.PublicKey { return k.public }

// KeyID is the SHA-256 of the key's DER form, in hexadecimal:
// "openssl pkey -pubin -in pub.pem -outform DER | sha256sum".
func (k *PublicKey) KeyID() (string, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	return hexSum(der), err
}

// Hint is the SHA-256 of the key's PEM form, by which Sigstore bundles of the
// OpenSSF Model Signing specification name it: "sha256sum pub.pem" for a file
// as openssl writes it.
func (k *PublicKey) Hint() (string, error) {
	text, err := k.PEM()
	return hexSum(text), err
}

// PEM writes the key.
func (k *PublicKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(k.public)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// Elliptic tells whether the key is ECDSA, which the OpenSSF Model Signing
// specification asks for.
func (k *PublicKey) Elliptic() bool {
	_, ok := k.public.(*ecdsa.PublicKey)
	return ok
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
