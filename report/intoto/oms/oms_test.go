package oms_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/python"
	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

var ctx = context.Background()

// model is a small folder with files in folders and some that are left out.
func model(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "model")
	for name, text := range map[string]string{
		"weights.bin": strings.Repeat("0123456789", 1000), "config.json": "{}", "a/b": "x", "a.b": "y", "empty": "", "name:with:colons": "z",
		".git/objects/x": "not listed", ".gitignore": "not listed", "sub/.gitignore": "listed",
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o700))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	}
	return dir
}

func manifest(t testing.TB, dir string, o *oms.Options) *oms.Manifest {
	t.Helper()
	m, err := oms.Make(ctx, dir, o)
	require.NoError(t, err)
	return m
}

func again(t testing.TB, m *oms.Manifest) *oms.Manifest {
	t.Helper()
	s, err := m.Statement()
	require.NoError(t, err)
	text, err := s.JSON()
	require.NoError(t, err)
	s, err = intoto.ParseStatement(text)
	require.NoError(t, err)
	back, err := oms.FromStatement(s)
	require.NoError(t, err)
	require.Equal(t, m, back)
	return back
}

func TestManifest(t *testing.T) {
	dir := model(t)
	m := manifest(t, dir, nil)
	require.Equal(t, "model", m.Name)
	names, all := []string{}, sha256.New()
	for _, r := range m.Resources {
		names = append(names, r.Name)
		text, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(r.Name)))
		require.NoError(t, err)
		sum := sha256.Sum256(text)
		require.Equal(t, hex.EncodeToString(sum[:]), r.Digest)
		all.Write(sum[:])
	}
	require.Equal(t, []string{"a.b", "a/b", "config.json", "empty", "name:with:colons", "sub/.gitignore", "weights.bin"}, names)
	root, err := m.Root()
	require.NoError(t, err)
	require.Equal(t, hex.EncodeToString(all.Sum(nil)), root)
	require.Len(t, again(t, m).SHA256(), 7)
}

// Each way of listing verifies, and finds what was changed, added or removed.
func TestVerify(t *testing.T) {
	for _, o := range []*oms.Options{nil, {HashType: "blake2b"}, {HashType: "blake3"}, {ShardSize: 4096}, {ShardSize: 4096, HashType: "blake3"}, {Ignore: []string{"a"}}} {
		dir := model(t)
		m := again(t, manifest(t, dir, o))
		check := func(extra bool) string {
			d, err := m.Verify(ctx, dir, extra)
			require.NoError(t, err)
			if d == nil {
				return ""
			}
			return d.Name + " " + d.What
		}
		require.Empty(t, check(false))
		file := filepath.Join(dir, "new.bin")
		require.NoError(t, os.WriteFile(file, []byte("1"), 0o600))
		require.Contains(t, check(false), "is not in the manifest")
		require.Empty(t, check(true))
		require.NoError(t, os.Remove(file))

		weights := filepath.Join(dir, "weights.bin")
		text, err := os.ReadFile(weights)
		require.NoError(t, err)
		text[5000] ^= 1
		require.NoError(t, os.WriteFile(weights, text, 0o600))
		require.Contains(t, check(true), "the manifest states")
		text[5000] ^= 1
		require.NoError(t, os.WriteFile(weights, text[:9999], 0o600))
		require.NotEmpty(t, check(true))
		require.NoError(t, os.Remove(weights))
		require.Contains(t, check(true), "is missing")
	}
}

func TestSingleFile(t *testing.T) {
	file := filepath.Join(model(t), "weights.bin")
	m := again(t, manifest(t, file, nil))
	require.Equal(t, "weights.bin", m.Resources[0].Name)
	renamed := filepath.Join(t.TempDir(), "other.bin")
	require.NoError(t, os.Rename(file, renamed))
	d, err := m.Verify(ctx, renamed, false)
	require.NoError(t, err)
	require.Nil(t, d)
}

// The signature that lies with the model is left aside.
func TestWithout(t *testing.T) {
	dir := model(t)
	sig := filepath.Join(dir, "model.sig")
	require.NoError(t, os.WriteFile(sig, []byte("x"), 0o600))
	m := manifest(t, dir, &oms.Options{Without: []string{sig}})
	d, err := m.Verify(ctx, dir, false, sig)
	require.NoError(t, err)
	require.Nil(t, d)
	d, err = m.Verify(ctx, dir, false)
	require.NoError(t, err)
	require.Equal(t, "model.sig", d.Name)
}

func TestLinksPipesAndNames(t *testing.T) {
	outside := model(t)
	for what, c := range map[string]struct {
		make  func(string) error
		links bool // also refused when links are followed
	}{
		"file": {func(dir string) error {
			return os.Symlink(filepath.Join(outside, "config.json"), filepath.Join(dir, "l"))
		}, false},
		"folder": {func(dir string) error { return os.Symlink(outside, filepath.Join(dir, "l")) }, false},
		"circle": {func(dir string) error { return os.Symlink(dir, filepath.Join(dir, "l")) }, true},
		"broken": {func(dir string) error { return os.Symlink("nowhere", filepath.Join(dir, "l")) }, true},
		"pipe":   {func(dir string) error { return syscall.Mkfifo(filepath.Join(dir, "l"), 0o600) }, true},
		"name":   {func(dir string) error { return os.WriteFile(filepath.Join(dir, "\xff"), nil, 0o600) }, true},
	} {
		dir := model(t)
		if err := c.make(dir); err != nil {
			t.Logf("%s: not made here: %v", what, err)
			continue
		}
		_, err := oms.Make(ctx, dir, nil)
		require.Error(t, err, what)
		_, err = oms.Make(ctx, dir, &oms.Options{AllowSymlinks: true})
		require.Equal(t, c.links, err != nil, "%s: %v", what, err)
	}
	_, err := oms.Make(ctx, t.TempDir(), nil)
	require.Error(t, err, "an empty folder")
}

func TestRefused(t *testing.T) {
	good, err := manifest(t, model(t), nil).Statement()
	require.NoError(t, err)
	for from, to := range map[string]string{
		`"config.json"`:           `"../config.json"`,
		`"a.b"`:                   `"/a.b"`,
		`"a/b"`:                   `"a//b"`,
		`"empty"`:                 `"a/b"`, // twice
		`"method": "files"`:       `"method": "zip"`,
		`"hash_type": "sha256"`:   `"hash_type": "md5"`,
		`"allow_symlinks": false`: `"allow_symlinks": false, "shard_size": 5`,
		`"algorithm": "sha256"`:   `"algorithm": "blake3"`,
		`"digest": "`:             `"digest": "0`,
		`".git"`:                  `"/etc"`,
		`"sub/.gitignore"`:        `""`,
	} {
		bad := *good
		bad.Predicate = bytes.Replace(good.Predicate, []byte(from), []byte(to), 1)
		require.NotEqual(t, good.Predicate, bad.Predicate, from)
		_, err := oms.FromStatement(&bad)
		require.ErrorIs(t, err, oms.ErrManifest, to)
	}
	bad := *good
	bad.Subject = []intoto.Resource{{Name: "model", Digest: map[string]string{"sha256": strings.Repeat("0", 64)}}}
	_, err = oms.FromStatement(&bad)
	require.ErrorIs(t, err, oms.ErrManifest, "another root")
	for _, hash := range []string{"md5", "SHA256"} {
		_, err := oms.Make(ctx, model(t), &oms.Options{HashType: hash})
		require.ErrorIs(t, err, oms.ErrManifest)
	}
}

// What is written follows the schemas of the specification, and its vectors
// are read as it says.
func TestSpecification(t *testing.T) {
	texts := map[string][]byte{}
	for _, name := range []string{"envelope", "statement", "predicate"} {
		text, err := os.ReadFile("testdata/schema/" + name + ".schema.json")
		require.NoError(t, err)
		texts["https://model_signing/"+name+"/v1.0/schema"] = text
	}
	text, err := os.ReadFile("testdata/schema/bundle.schema.json")
	require.NoError(t, err)
	bundles := schematest.Compile(t, "https://model_signing/bundle/v1.0/schema", text, texts)
	address := "https://model_signing/statement/v1.0/schema"
	statement := texts[address]
	delete(texts, address)
	statements := schematest.Compile(t, address, statement, texts)
	key, _ := keyPair(t)
	for _, o := range []*oms.Options{nil, {ShardSize: 4096}, {HashType: "blake3"}, {HashType: "blake2b", Ignore: []string{"a"}}} {
		s, err := manifest(t, model(t), o).Statement()
		require.NoError(t, err)
		text, err := s.JSON()
		require.NoError(t, err)
		schematest.Valid(t, statements, text)
		text, err = intoto.Bundle(ctx, s, key)
		require.NoError(t, err)
		schematest.Valid(t, bundles, text)
	}
	files, err := filepath.Glob("testdata/vectors/*/*.json")
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		ok := false
		if e, err := intoto.ParseEnvelope(text); err == nil {
			if s, err := e.Unverified(); err == nil {
				_, err = oms.FromStatement(s)
				ok = err == nil
			}
		}
		require.Equal(t, filepath.Base(filepath.Dir(file)) == "valid", ok, file)
	}
}

func keyPair(t testing.TB) (key *intoto.PrivateKey, private []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(k)
	require.NoError(t, err)
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	key, err = intoto.ParsePrivateKey(private)
	require.NoError(t, err)
	return key, private
}

// The reference implementation verifies what is signed here, and what it signs
// is verified here, with equal digests.
func TestReferenceImplementation(t *testing.T) {
	py, ok := python.Find(t, "model_signing", "OpenSSL", "blake3")
	if !ok {
		return
	}
	key, private := keyPair(t)
	public, err := key.PEM()
	require.NoError(t, err)
	tmp := t.TempDir()
	at := func(name string) string { return filepath.Join(tmp, name) }
	require.NoError(t, os.WriteFile(at("key.pem"), private, 0o600))
	require.NoError(t, os.WriteFile(at("pub.pem"), public, 0o600))
	dir := model(t)
	require.NoError(t, os.Remove(filepath.Join(dir, "name:with:colons"))) // it splits names at every colon
	for _, c := range []struct{ method, theirs, ours string }{{"files", "sha256", "sha256"}, {"files", "blake2", "blake2b"}, {"files", "blake3", "blake3"}, {"shards", "sha256", "sha256"}, {"shards", "blake2", "blake2b"}} {
		sig := at("model.sig")
		os.Remove(sig)
		out, err := python.Run(py, "testdata/cross.py", "sign", dir, sig, at("key.pem"), c.method, c.theirs)
		require.NoError(t, err, out)
		text, err := os.ReadFile(sig)
		require.NoError(t, err)
		e, err := intoto.ParseEnvelope(text)
		require.NoError(t, err)
		s, err := e.Open(ctx, &key.PublicKey)
		require.NoError(t, err)
		m, err := oms.FromStatement(s)
		require.NoError(t, err)
		d, err := m.Verify(ctx, dir, false)
		require.NoError(t, err)
		require.Nil(t, d)
		if c.method == "shards" {
			continue // release 1.1.1 names the algorithm of ranges unlike the specification
		}
		mine := manifest(t, dir, &oms.Options{HashType: c.ours})
		require.ElementsMatch(t, m.Resources, mine.Resources)
		if c.ours == "blake2b" {
			continue // which release 1.1.1 writes and does not read
		}
		s, err = mine.Statement()
		require.NoError(t, err)
		text, err = intoto.Bundle(ctx, s, key)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(sig, text, 0o600))
		out, err = python.Run(py, "testdata/cross.py", "verify", dir, sig, at("pub.pem"))
		require.NoError(t, err, out)
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{ }"), 0o600))
	out, err := python.Run(py, "testdata/cross.py", "verify", dir, at("model.sig"), at("pub.pem"))
	require.Error(t, err, out)
}

func FuzzFromStatement(f *testing.F) {
	s, err := manifest(f, model(f), nil).Statement()
	require.NoError(f, err)
	f.Add([]byte(s.Predicate))
	s, err = manifest(f, model(f), &oms.Options{ShardSize: 4096}).Statement()
	require.NoError(f, err)
	f.Add([]byte(s.Predicate))
	f.Fuzz(func(t *testing.T, b []byte) {
		if !json.Valid(b) {
			return
		}
		s := &intoto.Statement{Type: intoto.StatementType, PredicateType: oms.PredicateType, Subject: []intoto.Resource{{Name: "x", Digest: map[string]string{"sha256": "0"}}}, Predicate: b}
		_, err := oms.FromStatement(s)
		require.ErrorIs(t, err, oms.ErrManifest) // no digests add up to that
	})
}

func ExampleMake() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "weights.bin"), []byte("weights"), 0o600); err != nil {
		panic(err)
	}
	m, err := oms.Make(context.Background(), dir, nil)
	if err != nil {
		panic(err)
	}
	for _, r := range m.Resources {
		fmt.Println(r.Name, r.Algorithm, r.Digest[:16])
	}
	// Output: weights.bin sha256 9a129038d9a00aed
}
