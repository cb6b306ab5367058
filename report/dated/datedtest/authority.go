// Package datedtest makes time-stamping authorities and tokens for tests.
package datedtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"time"

	"github.com/digitorus/timestamp"
	"github.com/stretchr/testify/require"
)

// Making says how an authority's certificate is made; zero fields make one that
// is to be trusted.
type Making struct {
	Usage       []asn1.ObjectIdentifier // extended key usages; time stamping unless set
	NotCritical bool                    // they are not marked critical
	From, Until time.Time               // of the certificate; 2020 to 2040 unless set
	Hash        crypto.Hash             // of imprints; SHA-256 unless set
}

// Authority stamps.
type Authority struct {
	Roots []byte // PEM
	cert  *x509.Certificate
	key   *ecdsa.PrivateKey
	hash  crypto.Hash
}

// Extended key usages.
var (
	TimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	CodeSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 3}
)

// New makes a root and a certificate for stamping under it.
func New(t require.TestingT, m Making) *Authority {
	if m.Usage == nil {
		m.Usage = []asn1.ObjectIdentifier{TimeStamping}
	}
	if m.From.IsZero() {
		m.From, m.Until = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if m.Hash == 0 {
		m.Hash = crypto.SHA256
	}
	rootKey, key := newKey(t), newKey(t)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test root"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	usage, err := asn1.Marshal(m.Usage)
	require.NoError(t, err)
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: m.From, NotAfter: m.Until, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 37}, Critical: !m.NotCritical, Value: usage}},
	}
	rootDER := certificate(t, root, root, rootKey, rootKey)
	made, err := x509.ParseCertificate(certificate(t, leaf, root, key, rootKey))
	require.NoError(t, err)
	return &Authority{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: rootDER}), made, key, m.Hash}
}

func newKey(t require.TestingT) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	return k
}

func certificate(t require.TestingT, of, by *x509.Certificate, key, signer *ecdsa.PrivateKey) []byte {
	der, err := x509.CreateCertificate(rand.Reader, of, by, &key.PublicKey, signer)
	require.NoError(t, err)
	return der
}

// Stamp makes a response with a token over b.
func (a *Authority) Stamp(t require.TestingT, b []byte, at time.Time, accuracy time.Duration) []byte {
	h := a.hash.New()
	h.Write(b)
	s := &timestamp.Timestamp{
		HashAlgorithm: a.hash, HashedMessage: h.Sum(nil), Time: at, Accuracy: accuracy, Policy: asn1.ObjectIdentifier{1, 2, 3}, AddTSACertificate: true,
	}
	der, err := s.CreateResponseWithOpts(a.cert, a.key, crypto.SHA256)
	require.NoError(t, err)
	return der
}

// StampFile writes a token over a file, in path, and returns path.
func (a *Authority) StampFile(t require.TestingT, of, path string, at time.Time) string {
	b, err := os.ReadFile(of)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, a.Stamp(t, b, at, 0), 0o600))
	return path
}
