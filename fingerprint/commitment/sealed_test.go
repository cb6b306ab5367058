package commitment_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint/commitment"
)

// sealedFiles makes one file of every kind.
func sealedFiles(t testing.TB, open int) map[string][]byte {
	a, b := commitTo(t, exactModel(1), 1), commitTo(t, exactModel(2), 2)
	c, err := commitment.NewChallenge("beacon", open, a.opening.Commitment(), b.opening.Commitment())
	require.NoError(t, err)
	return map[string][]byte{
		"commitment": a.opening.Commitment().Encode(),
		"opening":    a.opening.Encode(),
		"challenge":  c.Encode(),
		"response":   a.respond(t, c, "later").Encode(),
	}
}

// again decodes a file of a kind and encodes it again.
var again = map[string]func([]byte) ([]byte, error){
	"commitment": func(b []byte) ([]byte, error) {
		x, err := commitment.DecodeCommitment(b)
		return x.Encode(), err
	},
	"opening": func(b []byte) ([]byte, error) {
		x, err := commitment.DecodeOpening(b)
		if err != nil {
			return nil, err
		}
		return x.Encode(), nil
	},
	"challenge": func(b []byte) ([]byte, error) {
		x, err := commitment.DecodeChallenge(b)
		if err != nil {
			return nil, err
		}
		return x.Encode(), nil
	},
	"response": func(b []byte) ([]byte, error) {
		x, err := commitment.DecodeResponse(b)
		if err != nil {
			return nil, err
		}
		return x.Encode(), nil
	},
}

func TestSealedFilesFindEveryChange(t *testing.T) {
	for kind, b := range sealedFiles(t, 2) {
		got, err := again[kind](b)
		require.NoError(t, err, kind)
		require.Equal(t, b, got, kind)
		for i := range b {
			bad := bytes.Clone(b)
			bad[i] ^= 1 << (i % 8)
			_, err := again[kind](bad)
			require.ErrorIs(t, err, commitment.ErrFile, "%s: byte %d", kind, i)
			_, err = again[kind](b[:i])
			require.ErrorIs(t, err, commitment.ErrFile, "%s: cut at %d", kind, i)
		}
		_, err = again[kind](append(bytes.Clone(b), 0))
		require.ErrorIs(t, err, commitment.ErrFile, kind)
		b[8] = 2
		_, err = again[kind](b)
		require.ErrorIs(t, err, commitment.ErrVersion, kind)
		for other := range again {
			if other != kind {
				_, err := again[other](b)
				require.ErrorIs(t, err, commitment.ErrFile, "%s read as %s", kind, other)
			}
		}
	}
}

// TestSealedFilesAreKept pins version 1: these files are made, and read, for
// ever.
func TestSealedFilesAreKept(t *testing.T) {
	for kind, b := range sealedFiles(t, 8) {
		file := filepath.Join("testdata", "v1", kind)
		if os.Getenv("WEIGHTPRINT_WRITE_GOLDEN") != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
			require.NoError(t, os.WriteFile(file, b, 0o644))
		}
		want, err := os.ReadFile(file)
		require.NoError(t, err)
		require.True(t, bytes.Equal(want, b), kind)
	}
}

func fuzzSealed(f *testing.F, kind string) {
	b := sealedFiles(f, 2)[kind]
	f.Add(b)
	f.Add(b[12 : len(b)-32])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, file := range [][]byte{body, commitment.Sealed(kind, body)} {
			if got, err := again[kind](file); err == nil {
				require.Equal(t, file, got)
			} else {
				require.ErrorIs(t, err, commitment.ErrFile)
			}
		}
	})
}

func FuzzDecodeCommitment(f *testing.F) { fuzzSealed(f, "commitment") }
func FuzzDecodeOpening(f *testing.F)    { fuzzSealed(f, "opening") }
func FuzzDecodeChallenge(f *testing.F)  { fuzzSealed(f, "challenge") }
func FuzzDecodeResponse(f *testing.F)   { fuzzSealed(f, "response") }

// FuzzCheck puts well-formed responses with any content before the check: no
// panic, and nothing but the honest one passes.
func FuzzCheck(f *testing.F) {
	a, b := commitTo(f, model(1), 1), commitTo(f, model(2), 2)
	c := challengeTo(f, "beacon", a, b)
	honest := a.respond(f, c, "").Encode()
	f.Add(honest[12 : len(honest)-32])
	f.Fuzz(func(t *testing.T, body []byte) {
		file := commitment.Sealed("response", body)
		r, err := commitment.DecodeResponse(file)
		if err != nil {
			return
		}
		if _, err := c.Check(r); err == nil {
			require.Equal(t, honest, file)
		} else {
			require.ErrorIs(t, err, commitment.ErrMismatch)
		}
	})
}
