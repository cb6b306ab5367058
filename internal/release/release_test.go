package main

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
)

func TestClassify(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n   Version 2.0, January 2004\n TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION":                 "Apache-2.0",
		"Permission is hereby granted, free of charge, to any person\nobtaining a copy … to deal in the Software without restriction": "MIT",
		"Redistribution and use in source and binary forms … Neither the name of Google":                                              "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":                                                          "BSD-2-Clause",
		"CC0 1.0 Universal": "CC0-1.0",
		"Permission is hereby granted, free of charge, to any person obtaining a copy without restriction. Licensed under the Apache License, Version 2.0": "Apache-2.0 AND MIT",
		"All rights reserved.": "",
	} {
		got, err := classify(text)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"GNU GENERAL PUBLIC LICENSE\nVersion 3", "Mozilla Public License\nVersion 2.0", "MIT, with the Commons\nClause"} {
		_, err := classify(text)
		require.ErrorIs(t, err, errLicence, text)
	}
}

// A version that promises anything has a policy that cannot change unseen.
func TestReleasesFixTheirPolicy(t *testing.T) {
	digest, err := verdict.CurrentRules().Digest()
	require.NoError(t, err)
	fixed := []verdict.PolicyRecord{{Version: verdict.PolicyVersion, Fixed: digest}}
	require.NoError(t, promises("v1.0.0", fixed))
	fixed[0].Fixed = strings.Repeat("0", 64)
	require.ErrorIs(t, promises("v1.0.0", fixed), errPolicy)
	require.ErrorIs(t, promises("v1.0.0", nil), errPolicy)
	require.NoError(t, promises("v1.0.0-rc.1", nil))
}

// A module without a licence, or with one that is not known, is refused.
func TestIdentifyRefuses(t *testing.T) {
	dir := t.TempDir()
	require.ErrorIs(t, (&module{Path: "x", Dir: dir}).identify(), errLicence)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("CC0 1.0 Universal"), 0o600))
	m := module{Path: "x", Dir: dir}
	require.NoError(t, m.identify())
	require.Equal(t, "CC0-1.0", m.spdx)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "COPYING"), []byte("Ask first."), 0o600))
	require.ErrorIs(t, (&module{Path: "x", Dir: dir}).identify(), errLicence)
}

// Every module that is built or tested on this system has a permissive licence.
func TestLicencesOfModules(t *testing.T) {
	all, err := linked(context.Background(), []string{runtime.GOOS})
	require.NoError(t, err)
	require.Equal(t, modulePath, all[0].Path)
	require.Greater(t, len(all), 10)
	for _, m := range all {
		require.NotEmpty(t, m.spdx, m.Path)
	}
	file := filepath.Join(t.TempDir(), "LICENCES")
	require.NoError(t, writeLicences(file, all))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, m := range all {
		require.Contains(t, string(text), "==== "+m.Path+" ")
	}
	require.Contains(t, string(text), "The ggml authors", "our own NOTICE goes along")
}

func TestRefusals(t *testing.T) {
	ctx := context.Background()
	for _, args := range [][]string{{"-version", "1.2.3"}, {"-version", "v1.2.3-x", "-targets", "plan9/386"}, {"-version", "v1.2.3-x", "-o", t.TempDir()}} {
		require.Error(t, run(ctx, args, io.Discard), "%v", args)
	}
}

// The list of digests is what sha256sum and openssl read, where they are at hand.
func TestSumsAreSigned(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"b": "two", "a": "one"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	require.NoError(t, sums(dir))
	text, err := os.ReadFile(filepath.Join(dir, sumsFile))
	require.NoError(t, err)
	require.Equal(t, "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed  a\n3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3  b\n", string(text))

	public, private, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	open, err := x509.MarshalPKIXPublicKey(public)
	require.NoError(t, err)
	key, pub := filepath.Join(t.TempDir(), "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open})
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	file := filepath.Join(dir, sumsFile)
	require.NoError(t, sign(context.Background(), file, key))
	sig, err := os.ReadFile(file + ".sig")
	require.NoError(t, err)
	k, err := intoto.ParsePublicKey(pub)
	require.NoError(t, err)
	require.NoError(t, k.Verify(context.Background(), text, sig))
	require.Error(t, k.Verify(context.Background(), append(text, ' '), sig))

	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("no openssl here")
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pub.pem"), pub, 0o600))
	c := exec.Command("openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "pub.pem", "-rawin", "-in", sumsFile, "-sigfile", sumsFile+".sig")
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

// copied is a copy of the sources in another folder.
func copied(t *testing.T, from string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "sources")
	require.NoError(t, filepath.WalkDir(from, func(path string, d os.DirEntry, err error) error {
		rel, bad := filepath.Rel(from, path)
		if err != nil || bad != nil {
			return err
		}
		if d.Name() == ".git" || rel == "build" || d.Name() == "testdata" {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), b, 0o600)
	}))
	return to
}

// Two builds in two folders, each with a cache of its own, give the same bytes,
// and the program knows its version.
func TestTwoBuildsAreEqual(t *testing.T) {
	if os.Getenv("WEIGHTPRINT_LONG") == "" {
		t.Skip("builds twice from nothing: set WEIGHTPRINT_LONG=1")
	}
	from, err := root(context.Background())
	require.NoError(t, err)
	var digests []string
	for _, folder := range []string{copied(t, from), copied(t, from)} { // both before either is built
		t.Setenv("GOCACHE", filepath.Join(t.TempDir(), "cache"))
		t.Chdir(folder)
		require.NoError(t, run(context.Background(), []string{"-version", "v9.8.7-x", "-o", "out", "-targets", "linux/amd64"}, io.Discard))
		text, err := os.ReadFile(filepath.Join("out", sumsFile))
		require.NoError(t, err)
		digests = append(digests, string(text))
	}
	require.Equal(t, digests[0], digests[1])
	require.Equal(t, 3, strings.Count(digests[0], "\n"), digests[0])
	program := filepath.Join("out", target{"linux", "amd64"}.file("v9.8.7-x"))
	bill, err := os.ReadFile(program + ".cdx.json")
	require.NoError(t, err)
	schematest.Valid(t, schematest.CycloneDX(t, filepath.Join(from, "report/cyclonedx/testdata")), bill)
	require.Contains(t, string(bill), `"pkg:golang/github.com/zeebo/blake3@`)
	info, err := os.Stat(program)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(25_000_000))
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		out, err := exec.Command(program, "version").Output()
		require.NoError(t, err)
		require.Contains(t, string(out), "weightprint v9.8.7-x (policy ")
	}
}
