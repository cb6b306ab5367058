package dated

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	_ "crypto/sha512" // imprints of SHA-384 and SHA-512
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"github.com/digitorus/pkcs7"
	"github.com/digitorus/timestamp"
)

// What can be wrong with a token.
var (
	ErrToken     = errors.New("no time-stamp token of RFC 3161")
	ErrSignature = errors.New("the token is not as the authority signed it")
	ErrAuthority = errors.New("the token's certificate does not make it a date")
	ErrImprint   = errors.New("the token stamps something else")
	ErrRoots     = errors.New("no root certificates")
)

// Refused tells whether an error says that a token was read and is none that
// counts, as opposed to one that could not be read.
func Refused(err error) bool {
	return errors.Is(err, ErrSignature) || errors.Is(err, ErrAuthority) || errors.Is(err, ErrImprint)
}

// MaxToken bounds the size of a token, in bytes. Real ones have 1 to 10 KiB.
const MaxToken = 256 << 10

// Token is a time stamp whose signature was checked.
type Token struct {
	Time      time.Time     // as the authority states it
	Accuracy  time.Duration // of that
	Hash      crypto.Hash   // of the imprint: SHA-256, SHA-384 or SHA-512
	Imprint   []byte        // digest of what was stamped
	Authority string        // name of the certificate that signed
	signer    *x509.Certificate
	others    *x509.CertPool
}

// By is the time by which what was stamped existed: the stated one and its
// accuracy, rounded up to a second, in UTC.
func (t *Token) By() time.Time {
	up := t.Time.Add(t.Accuracy)
	if s := up.Truncate(time.Second); s.Before(up) {
		return s.Add(time.Second).UTC()
	}
	return up.UTC()
}

// From is the least that the authority's clock can have shown: the stated time
// without its accuracy, rounded down to a second, in UTC.
func (t *Token) From() time.Time { return t.Time.Add(-t.Accuracy).Truncate(time.Second).UTC() }

// Of tells whether the token stamps the given bytes.
func (t *Token) Of(b []byte) bool {
	h := t.Hash.New()
	h.Write(b)
	return bytes.Equal(h.Sum(nil), t.Imprint)
}

// ParseRoots reads root certificates in PEM.
func ParseRoots(text []byte) (*x509.CertPool, error) {
	pool, n := x509.NewCertPool(), 0
	for b, rest := pem.Decode(text); b != nil; b, rest = pem.Decode(rest) {
		if b.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(b.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d: %w", ErrRoots, n+1, err)
		}
		pool.AddCert(c)
		n++
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: the file has no CERTIFICATE in PEM", ErrRoots)
	}
	return pool, nil
}

// ParseToken reads a token, or a response that holds one, in DER, and checks its
// signature by the certificate that it brings. Whose certificate that is only
// Trust tells. Errors are ErrToken or ErrSignature.
func ParseToken(b []byte) (t *Token, err error) {
	defer func() { // the parser of CMS was not written for hostile input
		if x := recover(); x != nil {
			t, err = nil, fmt.Errorf("%w: %v", ErrToken, x)
		}
	}()
	if len(b) > MaxToken {
		return nil, fmt.Errorf("%w: larger than %d bytes", ErrToken, MaxToken)
	}
	der, err := unwrap(b)
	if err != nil {
		return nil, err
	}
	p, err := pkcs7.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	if err := signed(p); err != nil {
		return nil, err
	}
	s, err := timestamp.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrToken, err)
	}
	return token(p, s)
}

// hashes are those that nobody has found two texts of one digest for.
var hashes = map[crypto.Hash]bool{crypto.SHA256: true, crypto.SHA384: true, crypto.SHA512: true}

func token(p *pkcs7.PKCS7, s *timestamp.Timestamp) (*Token, error) {
	switch {
	case !hashes[s.HashAlgorithm] || len(s.HashedMessage) != s.HashAlgorithm.Size():
		return nil, fmt.Errorf("%w: the imprint is not SHA-256, SHA-384 or SHA-512", ErrToken)
	case s.Accuracy < 0 || s.Accuracy > 24*time.Hour:
		return nil, fmt.Errorf("%w: an accuracy of %v", ErrToken, s.Accuracy)
	}
	for _, x := range s.Extensions {
		if x.Critical {
			return nil, fmt.Errorf("%w: critical extension %v is not known", ErrToken, x.Id)
		}
	}
	t := &Token{Time: s.Time.UTC(), Accuracy: s.Accuracy, Hash: s.HashAlgorithm, Imprint: s.HashedMessage, signer: p.GetOnlySigner(), others: x509.NewCertPool()}
	t.Authority = t.signer.Subject.String()
	for _, c := range p.Certificates {
		t.others.AddCert(c)
	}
	return t, nil
}

// unwrap takes a token out of a response. The form of CMS is held against DER and
// against what a token must be, which the parser does not ask.
func unwrap(b []byte) ([]byte, error) {
	var r struct {
		Status asn1.RawValue
		Token  asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(b, &r)
	if err != nil || len(rest) > 0 {
		return nil, fmt.Errorf("%w: it is not one structure in DER", ErrToken)
	}
	if r.Status.Tag == asn1.TagOID {
		return b, typed(b)
	}
	if _, err := timestamp.ParseResponse(b); len(r.Token.FullBytes) == 0 {
		return nil, fmt.Errorf("%w: the authority's response holds none: %w", ErrToken, err)
	}
	return r.Token.FullBytes, typed(r.Token.FullBytes)
}

// typeTST is the type of what a token signs, id-ct-TSTInfo.
var typeTST = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// typed requires signed data whose content is of the type of time stamps.
func typed(der []byte) error {
	var outer struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue
	}
	var inner struct {
		Version int
		Digests asn1.RawValue
		Content struct {
			Type    asn1.ObjectIdentifier
			Content asn1.RawValue `asn1:"optional"`
		}
	}
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 || !outer.Type.Equal(pkcs7.OIDSignedData) {
		return fmt.Errorf("%w: it is no signed data", ErrToken)
	}
	// What follows the content is the parser's; a sequence may be longer than what is read here.
	if err := beginning(outer.Content.Bytes, &inner.Version, &inner.Digests, &inner.Content); err != nil || !inner.Content.Type.Equal(typeTST) {
		return fmt.Errorf("%w: what is signed is no time stamp", ErrToken)
	}
	return nil
}

// beginning reads the first members of a sequence.
func beginning(der []byte, into ...any) error {
	var s asn1.RawValue
	if _, err := asn1.Unmarshal(der, &s); err != nil {
		return err
	}
	at := s.Bytes
	for _, x := range into {
		var err error
		if at, err = asn1.Unmarshal(at, x); err != nil {
			return err
		}
	}
	return nil
}

// signed checks the one signature of a token: over attributes that say that a
// time stamp is signed, by the certificate that they name.
func signed(p *pkcs7.PKCS7) error {
	if len(p.Signers) != 1 {
		return fmt.Errorf("%w: %d signatures", ErrToken, len(p.Signers))
	}
	by := p.GetOnlySigner()
	if by == nil {
		return fmt.Errorf("%w: the authority's certificate is not in it; ask for it with openssl ts -query -cert", ErrToken)
	}
	if o := p.Signers[0].DigestAlgorithm.Algorithm; !o.Equal(pkcs7.OIDDigestAlgorithmSHA256) && !o.Equal(pkcs7.OIDDigestAlgorithmSHA384) && !o.Equal(pkcs7.OIDDigestAlgorithmSHA512) {
		return fmt.Errorf("%w: the signature is over a digest that can be forged", ErrSignature)
	}
	var of asn1.ObjectIdentifier
	if err := p.UnmarshalSignedAttribute(pkcs7.OIDAttributeContentType, &of); err != nil || !of.Equal(typeTST) {
		return fmt.Errorf("%w: the signed attributes are not of a time stamp", ErrSignature)
	}
	if err := names(p, by); err != nil {
		return err
	}
	if err := p.Verify(); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// The attributes that name the certificate of a signature: RFC 2634 and RFC 5035.
var (
	signingCertificate   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	signingCertificateV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
)

// names requires that the signed attributes name the certificate, so that no
// other one of the same key can be put in its place.
func names(p *pkcs7.PKCS7, by *x509.Certificate) error {
	var all struct {
		Certs    []asn1.RawValue
		Policies asn1.RawValue `asn1:"optional"`
	}
	for _, a := range []struct {
		of    asn1.ObjectIdentifier
		first []byte // the digest where no algorithm is named
	}{{signingCertificateV2, digest(crypto.SHA256, by.Raw)}, {signingCertificate, digest(crypto.SHA1, by.Raw)}} {
		if err := p.UnmarshalSignedAttribute(a.of, &all); err != nil || len(all.Certs) == 0 {
			continue
		}
		return named(all.Certs[0].FullBytes, a.first, by)
	}
	return fmt.Errorf("%w: the signed attributes name no certificate", ErrSignature)
}

// named holds an ESSCertID or ESSCertIDv2 against a certificate.
func named(id, plain []byte, by *x509.Certificate) error {
	var sum []byte
	want := plain
	if err := beginning(id, &sum); err != nil {
		var how struct {
			Algorithm  asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		if err := beginning(id, &how, &sum); err != nil {
			return fmt.Errorf("%w: the signed attributes name no certificate", ErrSignature)
		}
		want = nil
		for h, o := range map[crypto.Hash]asn1.ObjectIdentifier{crypto.SHA256: pkcs7.OIDDigestAlgorithmSHA256, crypto.SHA384: pkcs7.OIDDigestAlgorithmSHA384, crypto.SHA512: pkcs7.OIDDigestAlgorithmSHA512} {
			if o.Equal(how.Algorithm) {
				want = digest(h, by.Raw)
			}
		}
	}
	if want == nil || !bytes.Equal(sum, want) {
		return fmt.Errorf("%w: the certificate is not the one that the signed attributes name", ErrSignature)
	}
	return nil
}

func digest(h crypto.Hash, b []byte) []byte {
	if h == crypto.SHA256 {
		s := sha256.Sum256(b)
		return s[:]
	}
	x := h.New()
	x.Write(b)
	return x.Sum(nil)
}

var extendedKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// Trust requires that the token was signed under one of the roots, by a
// certificate for time stamps and nothing else (RFC 3161, 2.3), all of them valid
// at the stated time. That none was revoked is not asked. Errors are ErrAuthority.
func (t *Token) Trust(roots *x509.CertPool) error {
	critical := false
	for _, x := range t.signer.Extensions {
		critical = critical || x.Critical && x.Id.Equal(extendedKeyUsage)
	}
	if u := t.signer.ExtKeyUsage; !critical || len(u) != 1 || u[0] != x509.ExtKeyUsageTimeStamping || len(t.signer.UnknownExtKeyUsage) > 0 {
		return fmt.Errorf("%w: %s is not for time stamps alone", ErrAuthority, t.Authority)
	}
	_, err := t.signer.Verify(x509.VerifyOptions{Roots: roots, Intermediates: t.others, CurrentTime: t.Time, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrAuthority, err)
	}
	return nil
}
