package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/report/intoto"
)

// sumsFile lists the digests of a release as sha256sum -c reads them.
const sumsFile = "SHA256SUMS"

// sums writes the digests of all files of a folder, in the order of their names.
func sums(dir string) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, f := range files {
		s, err := sum(filepath.Join(dir, f.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", s, f.Name())
	}
	return os.WriteFile(filepath.Join(dir, sumsFile), []byte(b.String()), 0o644)
}

// sum is the SHA-256 of a file, in hexadecimal.
func sum(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// sign writes a plain signature beside a file, which openssl checks too:
// pkeyutl -rawin for ed25519, dgst with the curve's hash for ECDSA.
func sign(ctx context.Context, file, keyFile string) error {
	pem, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	key, err := intoto.ParsePrivateKey(pem)
	if err != nil {
		return fmt.Errorf("%s: %w", keyFile, err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	s, err := key.Sign(ctx, text)
	if err != nil {
		return err
	}
	return os.WriteFile(file+".sig", s, 0o644)
}
