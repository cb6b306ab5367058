package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats/gguf"
	"github.com/weightprint/weightprint/formats/safetensors"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/formats/torch"
	"github.com/weightprint/weightprint/internal/hostile"
)

// readers are what mutants are given to, with the files under testdata that they
// are made of. They return an error that is not of the reader's own kind, or nil.
var readers = []struct {
	name  string
	files []string // patterns below the module
	read  func(ctx context.Context, b []byte) error
}{
	{"safetensors", []string{"formats/safetensors/testdata/*/*.safetensors", "formats/testdata/*/*.safetensors", "formats/testdata/index/001-good/*.safetensors"}, func(ctx context.Context, b []byte) error {
		f, err := safetensors.Read(ctx, "mutant", bytes.NewReader(b), int64(len(b)), nil)
		if err != nil {
			return typed(err)
		}
		return values(ctx, f)
	}},
	{"gguf", []string{"formats/gguf/testdata/*/*.gguf", "formats/testdata/*/*.gguf"}, func(ctx context.Context, b []byte) error {
		f, err := gguf.Read(ctx, "mutant", bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return typed(err)
		}
		return values(ctx, f)
	}},
	{"torch", []string{"formats/torch/testdata/*.pt", "formats/torch/testdata/*/*.bin"}, func(ctx context.Context, b []byte) error {
		f, err := torch.Read(ctx, "mutant", bytes.NewReader(b), int64(len(b)), nil)
		if err != nil {
			return typed(err)
		}
		return values(ctx, f)
	}},
	{"fingerprint", []string{"fingerprint/testdata/*", "fingerprint/testdata/*/*"}, func(_ context.Context, b []byte) error {
		_, err := fingerprint.Decode(b)
		return of(err, fingerprint.ErrFile, fingerprint.ErrVersion)
	}},
	{"commitment", []string{"fingerprint/commitment/testdata/v1/*"}, func(_ context.Context, b []byte) error {
		_, err1 := commitment.DecodeCommitment(b)
		_, err2 := commitment.DecodeOpening(b)
		_, err3 := commitment.DecodeChallenge(b)
		_, err4 := commitment.DecodeResponse(b)
		for _, err := range []error{err1, err2, err3, err4} {
			if err := of(err, commitment.ErrFile, commitment.ErrVersion); err != nil {
				return err
			}
		}
		return nil
	}},
}

// typed tells an error of a reader from any other.
func typed(err error) error {
	var known *tensor.FormatError
	if err == nil || errors.As(err, &known) {
		return nil
	}
	return fmt.Errorf("an error without a type: %w", err)
}

func of(err error, classes ...error) error {
	for _, c := range classes {
		if err == nil || errors.Is(err, c) {
			return nil
		}
	}
	return fmt.Errorf("an error without a type: %w", err)
}

// values reads the first values of every tensor.
func values(ctx context.Context, m tensor.Model) error {
	buf := make([]float32, 256)
	for _, t := range m.Tensors() {
		if err := t.Data.ReadValues(ctx, buf[:min(int64(len(buf)), t.Len())], 0); err != nil {
			return typed(err)
		}
	}
	return nil
}

// mutants gives every reader its mutants, the n-th made from the seed and n.
func (s *fuzzState) mutants(ctx context.Context, module, only string, seed uint64, most int64) error {
	for _, x := range readers {
		name := "mutants of " + x.name
		if !strings.Contains(name, only) {
			continue
		}
		seeds, err := seedFiles(module, x.files)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		t := s.target(name)
		if t.Seed != seed {
			*t = tried{Seed: seed}
		}
		for t.Executions < most && t.Found == "" {
			start := time.Now()
			for range min(50_000, most-t.Executions) {
				if t.Found = mutant(ctx, x.read, seeds, seed, t.Executions); t.Found != "" {
					break
				}
				t.Executions++
			}
			t.Seconds += time.Since(start).Seconds()
			if err := errors.Join(s.save(), ctx.Err()); err != nil {
				return err
			}
		}
	}
	return nil
}

// mutant makes one mutant, reads it and says what went wrong.
func mutant(ctx context.Context, read func(context.Context, []byte) error, seeds [][]byte, seed uint64, n int64) (found string) {
	defer func() {
		if p := recover(); p != nil {
			found = fmt.Sprintf("mutant %d panics: %v", n, p)
		}
	}()
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	if err := read(ctx, hostile.Mutate(r, seeds[r.IntN(len(seeds))])); err != nil && ctx.Err() == nil {
		return fmt.Sprintf("mutant %d: %v", n, err)
	}
	return ""
}

// largestSeed bounds the files that mutants are made of: small ones are read
// faster and damaged where it matters.
const largestSeed = 16 << 10

func seedFiles(module string, patterns []string) (out [][]byte, err error) {
	for _, p := range patterns {
		names, err := filepath.Glob(filepath.Join(module, p))
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if info, err := os.Stat(name); err != nil || info.IsDir() || info.Size() > largestSeed {
				continue
			}
			b, err := os.ReadFile(name)
			if err != nil {
				return nil, err
			}
			out = append(out, b)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no files under testdata in %s", module)
	}
	return out, nil
}
