package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/mutants"
)

// Every reader stands its first mutants, and they are equal in every campaign.
func TestMutantsOfEveryReader(t *testing.T) {
	n := int64(300)
	if testing.Short() {
		n = 30
	}
	for _, x := range readers {
		h, err := newHerd("../..", x)
		require.NoError(t, err, x.name)
		h.tried = &tried{Seed: 1}
		h.drive(context.Background(), n, time.Hour)
		require.Empty(t, h.tried.Found, x.name)
		require.Equal(t, n, h.tried.Executions, x.name)
		a, _ := h.make(1, n-1)
		b, err := madeMutant("../..", x.name, 1, n-1)
		require.NoError(t, err)
		require.Equal(t, b, a, x.name)
	}
}

// A file that was taken apart and put together again without damage is read as
// the file is: mutants get as deep as good files do. And it comes apart.
func TestFilesComeApart(t *testing.T) {
	for _, x := range readers {
		kind, ok := mutants.Named(x.kind)
		require.True(t, ok, x.kind)
		apart := 0
		for _, pattern := range x.files {
			names, err := filepath.Glob(filepath.Join("../..", pattern))
			require.NoError(t, err)
			for _, name := range names {
				b, err := os.ReadFile(name)
				require.NoError(t, err)
				if len(b) > 64<<10 {
					continue
				}
				s := kind.Seed(b)
				if s.Parts() > 2 {
					apart++
				}
				if x.name == "torch" || x.name == "torch lenient" { // frames and padding are left out or anew
					continue
				}
				var beside []byte
				if x.beside != nil {
					beside, err = readIf(x.beside(name))
					require.NoError(t, err)
				}
				require.NoError(t, x.read(context.Background(), s.Whole(), beside), name)
			}
		}
		require.Positive(t, apart, x.name)
	}
}

// A reader that panics, hangs on an error without a type, is found with its number.
func TestCampaignFinds(t *testing.T) {
	h, err := newHerd("../..", readers[0])
	require.NoError(t, err)
	n := 0
	h.read = func(context.Context, []byte, []byte) error {
		if n++; n == 8 {
			panic("a fault")
		}
		return nil
	}
	h.tried = &tried{Seed: 1}
	h.drive(context.Background(), 100, time.Hour)
	require.Equal(t, "mutant 7 panics: a fault", h.tried.Found)
	h.read = func(context.Context, []byte, []byte) error { return typed(fmt.Errorf("bare")) }
	require.Contains(t, h.mutant(context.Background(), 3), "without a type")
}

func BenchmarkMutants(b *testing.B) {
	for _, x := range readers {
		b.Run(x.name, func(b *testing.B) {
			h, err := newHerd("../..", x)
			require.NoError(b, err)
			h.tried = &tried{Seed: 1}
			defer uncollected()()
			before := processTime()
			h.drive(context.Background(), int64(b.N), time.Hour)
			b.ReportMetric(float64(processTime()-before)/float64(b.N), "cpu-ns/op")
			require.Empty(b, h.tried.Found)
		})
	}
}
