package intoto

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"

	"github.com/weightprint/weightprint/internal/strictjson"
)

// PayloadType is the media type of statements in envelopes.
const PayloadType = "application/vnd.in-toto+json"

// bundleType is the media type of the Sigstore bundles that Bundle writes.
const (
	bundleType   = "application/vnd.dev.sigstore.bundle.v0.3+json"
	bundlePrefix = "application/vnd.dev.sigstore.bundle"
)

// What can be wrong with an envelope.
var (
	ErrSignature = errors.New("the signature is not of this key and text")
	ErrEnvelope  = errors.New("no signed statement")
	ErrTwoForms  = errors.New("a file of two forms")
)

// bundle is what is read and written of a Sigstore bundle.
type bundle struct {
	MediaType string         `json:"mediaType"`
	Material  material       `json:"verificationMaterial"`
	Envelope  *dsse.Envelope `json:"dsseEnvelope"`
}

type material struct {
	PublicKey *publicKeyIdentifier `json:"publicKey,omitempty"`
	Log       []struct{}           `json:"tlogEntries"`
}

type publicKeyIdentifier struct {
	Hint string `json:"hint,omitempty"`
}

// Sign puts a statement into a DSSE envelope with one signature and returns it
// as JSON.
func Sign(ctx context.Context, s *Statement, key *PrivateKey) ([]byte, error) {
	e, err := envelope(ctx, s, key)
	if err != nil {
		return nil, err
	}
	return indented(e)
}

// Bundle signs like Sign and puts the envelope into a Sigstore bundle, the form
// that the OpenSSF Model Signing specification asks for; the key has to be
// ECDSA.
func Bundle(ctx context.Context, s *Statement, key *PrivateKey) ([]byte, error) {
	if !key.Elliptic() {
		return nil, fmt.Errorf("%w: bundles of signed models take ECDSA keys only; make one with openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", ErrKey)
	}
	e, err := envelope(ctx, s, key)
	if err != nil {
		return nil, err
	}
	hint, err := key.Hint()
	if err != nil {
		return nil, err
	}
	for i := range e.Signatures {
		e.Signatures[i].KeyID = "" // the bundle names the key
	}
	return indented(bundle{bundleType, material{&publicKeyIdentifier{hint}, []struct{}{}}, e})
}

func envelope(ctx context.Context, s *Statement, key *PrivateKey) (*dsse.Envelope, error) {
	text, err := s.JSON()
	if err != nil {
		return nil, err
	}
	signer, err := dsse.NewEnvelopeSigner(key)
	if err != nil {
		return nil, err
	}
	return signer.SignPayload(ctx, PayloadType, text)
}

func indented(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", "  ")
	return append(b, '\n'), err
}

// Envelope is a signed statement whose signature has not been checked.
type Envelope struct {
	Bundled bool // it lay in a Sigstore bundle
	dsse    *dsse.Envelope
}

// ParseEnvelope reads a DSSE envelope, or the one in a Sigstore bundle. It
// checks no signature.
func ParseEnvelope(text []byte) (*Envelope, error) {
	if err := strictjson.NoNulls(text); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	if err := oneForm(text); err != nil {
		return nil, err
	}
	var b struct {
		MediaType string         `json:"mediaType"`
		Envelope  *dsse.Envelope `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	out := &Envelope{Bundled: b.Envelope != nil, dsse: b.Envelope}
	if out.Bundled && !strings.HasPrefix(b.MediaType, bundlePrefix) {
		return nil, fmt.Errorf("%w: media type %.80q is no Sigstore bundle", ErrEnvelope, b.MediaType)
	}
	if !out.Bundled {
		out.dsse = &dsse.Envelope{}
		if err := json.Unmarshal(text, out.dsse); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
		}
	}
	if out.dsse.PayloadType != PayloadType || out.dsse.Payload == "" || len(out.dsse.Signatures) == 0 {
		return nil, fmt.Errorf("%w: payload type %.80q with %d signatures", ErrEnvelope, out.dsse.PayloadType, len(out.dsse.Signatures))
	}
	return out, nil
}

// forms are the three things that a file may be, by members that only one of
// them has. A file of two would say one thing to one reader and another to the
// next.
var forms = []struct {
	is      string
	members []string
}{
	{"an envelope", []string{"payload", "payloadType", "signatures"}},
	{"a bundle", []string{"dsseEnvelope", "messageSignature", "verificationMaterial"}},
	{"a statement", []string{"_type", "subject", "predicateType", "predicate"}},
}

// oneForm refuses a file that has members of two forms.
func oneForm(text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	form, by := "", ""
	for _, f := range forms {
		for _, known := range f.members {
			if !has(members, known) {
				continue
			}
			if form != "" && form != f.is {
				return fmt.Errorf("%w: %q makes it %s, %q makes it %s", ErrTwoForms, by, form, known, f.is)
			}
			form, by = f.is, known
		}
	}
	return nil
}

// has tells whether there is a member of a name, as encoding/json finds it.
func has(members map[string]json.RawMessage, known string) bool {
	for name := range members {
		if strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// Open checks that one of the signatures is of the given key and returns the
// statement. The names of keys in the envelope are hints only and play no part.
func (e *Envelope) Open(ctx context.Context, key *PublicKey) (*Statement, error) {
	unnamed := *e.dsse
	unnamed.Signatures = nil
	for _, s := range e.dsse.Signatures {
		unnamed.Signatures = append(unnamed.Signatures, dsse.Signature{Sig: s.Sig})
	}
	v, err := dsse.NewEnvelopeVerifier(key)
	if err != nil {
		return nil, err
	}
	_, text, err := v.VerifyAndDecode(ctx, &unnamed)
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrSignature, err)
	}
	return ParseStatement(text)
}

// Unverified returns the statement without checking any signature: what it
// says is said by nobody.
func (e *Envelope) Unverified() (*Statement, error) {
	text, err := e.dsse.DecodeB64Payload()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrEnvelope, err)
	}
	return ParseStatement(text)
}
