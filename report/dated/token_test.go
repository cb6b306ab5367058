package dated_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/report/dated/datedtest"
)

var noon = time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)

func TestToken(t *testing.T) {
	a := datedtest.New(t, datedtest.Making{})
	roots, err := dated.ParseRoots(a.Roots)
	require.NoError(t, err)
	tok, err := dated.ParseToken(a.Stamp(t, []byte("manifest"), noon, 1500*time.Millisecond))
	require.NoError(t, err)
	require.NoError(t, tok.Trust(roots))
	require.True(t, tok.Of([]byte("manifest")))
	require.False(t, tok.Of([]byte("Manifest")))
	require.Equal(t, noon, tok.Time)
	require.Equal(t, noon.Add(2*time.Second), tok.By(), "the accuracy counts, rounded up")
	require.Equal(t, noon.Add(-2*time.Second), tok.From())
	require.Contains(t, tok.Authority, "test authority")
}

// Authorities that are none for this purpose make no date.
func TestAuthorities(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	foreign := datedtest.New(t, datedtest.Making{})
	for name, m := range map[string]datedtest.Making{
		"code signing":          {Usage: []asn1.ObjectIdentifier{datedtest.CodeSigning}},
		"more than time stamps": {Usage: []asn1.ObjectIdentifier{datedtest.TimeStamping, datedtest.CodeSigning}},
		"usage not critical":    {NotCritical: true},
		"expired at the time":   {From: year(2020), Until: noon.Add(-time.Hour)},
		"not yet valid":         {From: noon.Add(time.Hour), Until: year(2040)},
		"another authority":     {},
		"trusted, as a control": {},
	} {
		a := datedtest.New(t, m)
		tok, err := dated.ParseToken(a.Stamp(t, []byte("x"), noon, 0))
		if name == "expired at the time" { // the time of signing is in the token too
			require.ErrorIs(t, err, dated.ErrSignature)
			continue
		}
		require.NoError(t, err, name)
		pem := a.Roots
		if name == "another authority" {
			pem = foreign.Roots
		}
		roots, err := dated.ParseRoots(pem)
		require.NoError(t, err)
		err = tok.Trust(roots)
		if name == "trusted, as a control" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, dated.ErrAuthority, name)
	}
}

// Whatever is changed in a token, it is refused or says the same.
func TestEveryByteOfATokenCounts(t *testing.T) {
	a := datedtest.New(t, datedtest.Making{})
	roots, err := dated.ParseRoots(a.Roots)
	require.NoError(t, err)
	good := a.Stamp(t, []byte("x"), noon, time.Second)
	want, err := dated.ParseToken(good)
	require.NoError(t, err)
	refused := 0
	for i := range good {
		for _, flip := range []byte{1, 0x80} {
			bad := bytes.Clone(good)
			bad[i] ^= flip
			tok, err := dated.ParseToken(bad)
			if err == nil {
				err = tok.Trust(roots)
			}
			if err != nil {
				refused++
				continue
			}
			require.Equal(t, [2]any{want.By(), want.Imprint}, [2]any{tok.By(), tok.Imprint}, "byte %d", i)
		}
	}
	require.Greater(t, refused, len(good)*2*9/10)
	for n := range good {
		_, err := dated.ParseToken(good[:n])
		require.ErrorIs(t, err, dated.ErrToken, "%d bytes", n)
	}
	_, err = dated.ParseToken(append(bytes.Clone(good), 0))
	require.ErrorIs(t, err, dated.ErrToken)
	_, err = dated.ParseToken(make([]byte, dated.MaxToken+1))
	require.ErrorIs(t, err, dated.ErrToken)
}

func TestParseRoots(t *testing.T) {
	for _, text := range []string{"", "x", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"} {
		_, err := dated.ParseRoots([]byte(text))
		require.ErrorIs(t, err, dated.ErrRoots)
	}
}

// Tokens of another maker are read: those of OpenSSL, with either way of naming
// the certificate, and the other way round OpenSSL verifies ours.
func TestOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl")
	}
	dir := t.TempDir()
	run := func(args ...string) {
		c := exec.Command("openssl", args...)
		c.Dir = dir
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%v: %s", args, out)
	}
	write := func(name, text string) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		return b
	}
	write("data", "manifest")
	write("leaf.cnf", "extendedKeyUsage=critical,timeStamping\n")
	run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=root", "-days", "30")
	run("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=openssl tsa")
	run("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-out", "tsa.pem", "-days", "20", "-extfile", "leaf.cnf")
	roots, err := dated.ParseRoots(read("root.pem"))
	require.NoError(t, err)
	for _, ess := range []string{"sha1", "sha256", "sha512"} {
		write("serial", "01\n")
		write("ts.cnf", "[tsa]\ndefault_tsa=t\n[t]\nserial=serial\ncrypto_device=builtin\nsigner_cert=tsa.pem\ncerts=root.pem\nsigner_key=tsa.key\nsigner_digest=sha256\ndefault_policy=1.2.3.4\ndigests=sha256,sha512\naccuracy=secs:1\ness_cert_id_alg="+ess+"\n")
		for _, hash := range []string{"-sha256", "-sha512"} {
			run("ts", "-query", "-data", "data", hash, "-cert", "-out", "q.tsq")
			run("ts", "-reply", "-config", "ts.cnf", "-queryfile", "q.tsq", "-out", "r.tsr")
			run("ts", "-reply", "-in", "r.tsr", "-token_out", "-out", "r.tst")
			for _, form := range []string{"r.tsr", "r.tst"} {
				tok, err := dated.ParseToken(read(form))
				require.NoError(t, err, ess+hash)
				require.NoError(t, tok.Trust(roots))
				require.True(t, tok.Of([]byte("manifest")))
				require.WithinDuration(t, time.Now(), tok.By(), time.Minute)
			}
		}
	}
	run("ts", "-query", "-data", "data", "-sha256", "-out", "bare.tsq")
	run("ts", "-reply", "-config", "ts.cnf", "-queryfile", "bare.tsq", "-out", "bare.tsr")
	_, err = dated.ParseToken(read("bare.tsr"))
	require.ErrorIs(t, err, dated.ErrToken)
	require.ErrorContains(t, err, "-cert")

	// The authority's signature over anything else is no date.
	run("cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-in", "data", "-signer", "tsa.pem", "-inkey", "tsa.key", "-out", "other.tst")
	_, err = dated.ParseToken(read("other.tst"))
	require.ErrorIs(t, err, dated.ErrToken)
	require.ErrorContains(t, err, "what is signed is no time stamp")

	a := datedtest.New(t, datedtest.Making{Hash: crypto.SHA512})
	write("own.pem", string(a.Roots))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "own.tsr"), a.Stamp(t, []byte("manifest"), time.Now().UTC().Truncate(time.Second), 0), 0o600))
	run("ts", "-verify", "-data", "data", "-in", "own.tsr", "-CAfile", "own.pem")
}

func FuzzParseToken(f *testing.F) {
	f.Add(datedtest.New(f, datedtest.Making{}).Stamp(f, []byte("x"), noon, 0))
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		if tok, err := dated.ParseToken(b); err == nil {
			require.NotEmpty(t, tok.Imprint)
		}
	})
}
