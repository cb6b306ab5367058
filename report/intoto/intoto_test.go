package intoto_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/python"
	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
)

var ctx = context.Background()

// made compares two of the demo's models once for all tests.
var made = sync.OnceValues(func() (map[string]*report.Report, error) {
	dir, err := os.MkdirTemp("", "intoto")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if err := demo.Extract(dir); err != nil {
		return nil, err
	}
	out := map[string]*report.Report{}
	for _, b := range []string{"fine-tune", "other-seed"} {
		if out[b], err = report.Compare(ctx, filepath.Join(dir, "base"), filepath.Join(dir, b), nil); err != nil {
			return nil, err
		}
	}
	return out, nil
})

func compared(t testing.TB, b string) *report.Report {
	t.Helper()
	all, err := made()
	require.NoError(t, err)
	r := *all[b]
	return &r
}

func statement(t testing.TB, r *report.Report) *intoto.Statement {
	t.Helper()
	s, err := intoto.FromReport(r, [2]*intoto.Signed{})
	require.NoError(t, err)
	return s
}

// pemOf writes a key pair as openssl does.
func pemOf(t testing.TB, private crypto.Signer) (key *intoto.PrivateKey, public []byte) {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	key, err = intoto.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(t, err)
	public, err = key.PEM()
	require.NoError(t, err)
	return key, public
}

func keys(t testing.TB) map[string]crypto.Signer {
	t.Helper()
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	out := map[string]crypto.Signer{"ed25519": ed}
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		out[c.Params().Name], err = ecdsa.GenerateKey(c, rand.Reader)
		require.NoError(t, err)
	}
	return out
}

func public(t testing.TB, text []byte) *intoto.PublicKey {
	t.Helper()
	k, err := intoto.ParsePublicKey(text)
	require.NoError(t, err)
	return k
}

func TestSignAndOpen(t *testing.T) {
	s := statement(t, compared(t, "fine-tune"))
	all := keys(t)
	for name, private := range all {
		key, pub := pemOf(t, private)
		text, err := intoto.Sign(ctx, s, key)
		require.NoError(t, err)
		e, err := intoto.ParseEnvelope(text)
		require.NoError(t, err)
		require.False(t, e.Bundled)
		back, err := e.Open(ctx, public(t, pub))
		require.NoError(t, err, name)
		require.Equal(t, s.Subject, back.Subject)
		require.JSONEq(t, string(s.Predicate), string(back.Predicate))
		for other, x := range all {
			if other != name {
				_, pub := pemOf(t, x)
				_, err := e.Open(ctx, public(t, pub))
				require.ErrorIs(t, err, intoto.ErrSignature)
			}
		}
		if _, err := intoto.Bundle(ctx, s, key); name == "ed25519" {
			require.ErrorIs(t, err, intoto.ErrKey)
		} else {
			require.NoError(t, err)
		}
	}
}

// Whatever is changed in an envelope, it is not opened or says the same.
func TestEveryByteOfAnEnvelopeCounts(t *testing.T) {
	key, pub := pemOf(t, keys(t)["P-256"])
	small, err := intoto.NewStatement([]intoto.Resource{{Name: "x", Digest: map[string]string{"sha256": "00"}}}, "p", map[string]int{"a": 1})
	require.NoError(t, err)
	text, err := intoto.Sign(ctx, small, key)
	require.NoError(t, err)
	for i := range text {
		changed := bytes.Clone(text)
		changed[i] ^= 1
		e, err := intoto.ParseEnvelope(changed)
		if err != nil {
			continue
		}
		got, err := e.Open(ctx, public(t, pub))
		if err == nil { // the key's name, or white space
			require.Equal(t, small.Subject, got.Subject, "byte %d", i)
			require.JSONEq(t, string(small.Predicate), string(got.Predicate))
		}
	}
}

func TestKeyFiles(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	other, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	require.NoError(t, err)
	pkcs8 := func(k any) string {
		der, err := x509.MarshalPKCS8PrivateKey(k)
		require.NoError(t, err)
		return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	}
	p256 := keys(t)["P-256"].(*ecdsa.PrivateKey)
	sec1, err := x509.MarshalECPrivateKey(p256)
	require.NoError(t, err)
	ec := string(pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8}})) + string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1}))
	k, err := intoto.ParsePrivateKey([]byte(ec))
	require.NoError(t, err)
	require.True(t, k.Elliptic())
	for _, text := range []string{"", "x", pkcs8(weak), pkcs8(other), "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"} {
		_, err := intoto.ParsePrivateKey([]byte(text))
		require.ErrorIs(t, err, intoto.ErrKey)
		_, err = intoto.ParsePublicKey([]byte(text))
		require.ErrorIs(t, err, intoto.ErrKey)
	}
}

func TestPredicateFollowsItsSchema(t *testing.T) {
	schema := schematest.Compile(t, "comparison.json", intoto.ComparisonSchema, nil)
	for _, b := range []string{"fine-tune", "other-seed"} {
		s := statement(t, compared(t, b))
		schematest.Valid(t, schema, s.Predicate)
		schematest.Invalid(t, schema, bytes.Replace(s.Predicate, []byte(`"side": "A"`), []byte(`"side": "C"`), 1))
	}
}

func TestSubjectsAndDigests(t *testing.T) {
	r := compared(t, "fine-tune")
	r.Subjects[0].Ref = "/home/somebody/secret/base/"
	s := statement(t, r)
	names := []string{}
	for _, x := range s.Subject {
		names = append(names, x.Name)
	}
	require.Equal(t, []string{"A", "A/model.safetensors", "B", "B/model.safetensors"}, names)
	require.Equal(t, r.Subjects[1].Files[0].SHA256, s.Subject[3].Digest["sha256"])
	require.Equal(t, r.Subjects[1].Root.String(), "b3:"+s.Subject[2].Digest["weightprintValuesV1"])
	require.NotContains(t, string(s.Predicate), "somebody")
	c, err := intoto.ReadComparison(s)
	require.NoError(t, err)
	require.Equal(t, "base", c.Subjects[0].Name)
	var text bytes.Buffer
	require.NoError(t, r.WriteJSON(&text))
	require.True(t, c.Report.Is(text.Bytes()))
	require.False(t, c.Report.Is(text.Bytes()[1:]))
}

func TestUnpinned(t *testing.T) {
	r := compared(t, "fine-tune")
	r.Subjects[1].Files = []report.File{{Path: "x", Size: 1}}
	_, err := intoto.FromReport(r, [2]*intoto.Signed{})
	require.ErrorIs(t, err, intoto.ErrUnpinned)
	r.Subjects[1].Files = nil
	_, err = intoto.FromReport(r, [2]*intoto.Signed{})
	require.ErrorIs(t, err, intoto.ErrUnpinned)
}

// A statement agrees with the same comparison made elsewhere by another
// version, and with no other.
func TestDiffers(t *testing.T) {
	r := compared(t, "fine-tune")
	s := statement(t, r)
	elsewhere := compared(t, "fine-tune")
	elsewhere.Tool.Version, elsewhere.Subjects[0].Ref = "v9", "other/place"
	d, err := intoto.Differs(s, elsewhere)
	require.NoError(t, err)
	require.Nil(t, d)

	d, err = intoto.Differs(s, compared(t, "other-seed"))
	require.NoError(t, err)
	require.Equal(t, "subject[2]", d.Path)

	for path, change := range map[string]func(map[string]any){
		"verdict.direction":      func(p map[string]any) { p["verdict"].(map[string]any)["direction"] = "a-to-b" },
		"verdict.log10P":         func(p map[string]any) { p["verdict"].(map[string]any)["log10P"] = -999 },
		"components[1].effect":   func(p map[string]any) { p["components"].([]any)[1].(map[string]any)["effect"] = 1 },
		"evidence.strongest.n":   func(p map[string]any) { p["evidence"].(map[string]any)["strongest"].(map[string]any)["n"] = 7 },
		"report.findings":        func(p map[string]any) { p["report"].(map[string]any)["findings"] = strings.Repeat("0", 64) },
		"verdict.note":           func(p map[string]any) { p["verdict"].(map[string]any)["note"] = "stolen" },
		"propositions.common":    func(p map[string]any) { p["propositions"].(map[string]any)["common"] = "x" },
		"subjects[0].parameters": func(p map[string]any) { p["subjects"].([]any)[0].(map[string]any)["parameters"] = 1 },
		"options.policy.alpha":   func(p map[string]any) { p["options"].(map[string]any)["policy"].(map[string]any)["alpha"] = 0.5 },
		"evidence.beside[0].test": func(p map[string]any) {
			p["evidence"].(map[string]any)["beside"].([]any)[0].(map[string]any)["test"] = "x"
		},
	} {
		var p map[string]any
		require.NoError(t, json.Unmarshal(s.Predicate, &p))
		change(p)
		forged := *s
		forged.Predicate, err = json.Marshal(p)
		require.NoError(t, err)
		d, err := intoto.Differs(&forged, compared(t, "fine-tune"))
		require.NoError(t, err)
		require.NotNil(t, d, path)
		require.Equal(t, path, d.Path)
	}
	extra := *s
	extra.Subject = append(extra.Subject[:len(extra.Subject):len(extra.Subject)], intoto.Resource{Name: "C", Digest: map[string]string{"sha256": "00"}})
	d, err = intoto.Differs(&extra, elsewhere)
	require.NoError(t, err)
	require.Equal(t, "subject[4]", d.Path)
}

func TestCite(t *testing.T) {
	r := compared(t, "fine-tune")
	f := r.Subjects[0].Files[0]
	model, err := intoto.NewStatement([]intoto.Resource{{Name: "base", Digest: map[string]string{"sha256": "ab"}}}, "https://model_signing/signature/v1.0", struct{}{})
	require.NoError(t, err)
	s, err := intoto.FromReport(r, [2]*intoto.Signed{{Statement: model, Files: map[string]string{f.Path: f.SHA256, "config.json": "00"}}, nil})
	require.NoError(t, err)
	c, err := intoto.ReadComparison(s)
	require.NoError(t, err)
	require.Equal(t, "ab", c.Subjects[0].Signed.Subject.Digest["sha256"])
	require.Nil(t, c.Subjects[1].Signed)
	d, err := intoto.Differs(s, r)
	require.NoError(t, err)
	require.Nil(t, d)
	for _, files := range []map[string]string{nil, {f.Path: strings.Repeat("0", 64)}, {"other": f.SHA256}} {
		_, err = intoto.FromReport(r, [2]*intoto.Signed{nil, {Statement: model, Files: files}})
		require.Error(t, err)
	}
}

func TestHostileStatements(t *testing.T) {
	for _, text := range []string{
		``, `[]`, `{}`, `{"_type":"https://in-toto.io/Statement/v1"}`,
		`{"_type":"https://in-toto.io/Statement/v0.1","subject":[{"name":"x","digest":{"sha256":"0"}}],"predicateType":"p","predicate":{}}`,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{}}],"predicateType":"p","predicate":{}}`,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"p","predicate":{}}`,
		`{"_type":"https://in-toto.io/Statement/v1","_TYPE":"x","subject":[{"name":"x","digest":{"a":"0"}}],"predicateType":"p","predicate":{}}`,
		`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"a":"0","A":"1"}}],"predicateType":"p","predicate":{}}`,
	} {
		_, err := intoto.ParseStatement([]byte(text))
		require.ErrorIs(t, err, intoto.ErrStatement, text)
		_, err = intoto.ParseEnvelope([]byte(text))
		require.ErrorIs(t, err, intoto.ErrEnvelope, text)
	}
	for _, text := range []string{
		`{"payloadType":"text/plain","payload":"e30=","signatures":[{"sig":"AA=="}]}`,
		`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[]}`,
		`{"mediaType":"x","dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}}`,
	} {
		_, err := intoto.ParseEnvelope([]byte(text))
		require.ErrorIs(t, err, intoto.ErrEnvelope, text)
	}
}

// The signature is checked by an implementation in another language.
func TestSecondImplementation(t *testing.T) {
	py, ok := python.Find(t, "securesystemslib.dsse", "securesystemslib.signer", "cryptography")
	if !ok {
		return
	}
	s := statement(t, compared(t, "fine-tune"))
	all := keys(t)
	dir := t.TempDir()
	file, pubFile := filepath.Join(dir, "e.json"), filepath.Join(dir, "pub.pem")
	for _, name := range []string{"ed25519", "P-256", "P-384", "P-521"} {
		key, pub := pemOf(t, all[name])
		text, err := intoto.Sign(ctx, s, key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		require.NoError(t, os.WriteFile(pubFile, pub, 0o600))
		out, err := python.Run(py, "testdata/verify.py", file, pubFile)
		require.NoError(t, err, out)
		require.Equal(t, intoto.ComparisonType, out)

		var e map[string]any
		require.NoError(t, json.Unmarshal(text, &e))
		payload, err := base64.StdEncoding.DecodeString(e["payload"].(string))
		require.NoError(t, err)
		e["payload"] = base64.StdEncoding.EncodeToString(bytes.Replace(payload, []byte("fine-tuned"), []byte("fine-tunes"), 1))
		text, err = json.Marshal(e)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(file, text, 0o600))
		out, err = python.Run(py, "testdata/verify.py", file, pubFile)
		require.Error(t, err, out)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA==","keyid":null}]}`))
	f.Add([]byte(`{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json","dsseEnvelope":{"payloadType":"application/vnd.in-toto+json","payload":"e30=","signatures":[{"sig":"AA=="}]}}`))
	f.Add([]byte(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"x","digest":{"sha256":"0"}}],"predicateType":"` + intoto.ComparisonType + `","predicate":{"subjects":[]}}`))
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(f, err)
	_, pub := pemOf(f, ed)
	key := public(f, pub)
	f.Fuzz(func(t *testing.T, b []byte) {
		if e, err := intoto.ParseEnvelope(b); err == nil {
			_, err := e.Open(ctx, key)
			require.Error(t, err)
			_, _ = e.Unverified()
		}
		if s, err := intoto.ParseStatement(b); err == nil {
			_, _ = intoto.ReadComparison(s)
			_, err := s.JSON()
			require.NoError(t, err)
		}
	})
}

func ExampleSign() {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		panic(err)
	}
	key, err := intoto.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err != nil {
		panic(err)
	}
	r, err := made()
	if err != nil {
		panic(err)
	}
	s, err := intoto.FromReport(r["fine-tune"], [2]*intoto.Signed{})
	if err != nil {
		panic(err)
	}
	text, err := intoto.Sign(ctx, s, key)
	if err != nil {
		panic(err)
	}
	e, err := intoto.ParseEnvelope(text)
	if err != nil {
		panic(err)
	}
	opened, err := e.Open(ctx, &key.PublicKey)
	if err != nil {
		panic(err)
	}
	c, err := intoto.ReadComparison(opened)
	if err != nil {
		panic(err)
	}
	fmt.Println(c.Verdict.Relation)
	// Output: related
}
