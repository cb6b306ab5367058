package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/weightprint/weightprint/internal/mutants"
)

// turn is how long a reader is given mutants before the next is chosen: the one
// that needs least to its goal, so that a campaign that is stopped has brought as
// many as it can there.
const turn = 3 * time.Second

// mutants gives every reader its mutants, the n-th made from the seed and n.
func (s *fuzzState) mutants(ctx context.Context, module, only string, seed uint64, most int64) error {
	defer uncollected()()
	var all []*herd
	for _, x := range readers {
		name := "mutants of " + x.name
		if !strings.Contains(name, only) {
			continue
		}
		h, err := newHerd(module, x)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if h.tried = s.target(name); h.tried.Seed != seed {
			*h.tried = tried{Seed: seed}
		}
		all = append(all, h)
	}
	for over := func(h *herd) bool { return h.tried.Executions >= most || h.tried.Found != "" }; ; {
		if all = slices.DeleteFunc(all, over); len(all) == 0 {
			return nil
		}
		h := slices.MinFunc(all, func(a, b *herd) int { return cmp.Compare(a.left(most), b.left(most)) })
		h.drive(ctx, most-h.tried.Executions, turn)
		if err := errors.Join(s.save(), ctx.Err()); err != nil {
			return err
		}
	}
}

// left is how many seconds a reader still needs, and none before it was tried.
func (h *herd) left(most int64) float64 {
	if h.spent == 0 {
		return 0
	}
	return float64(most-h.tried.Executions) * h.spent / float64(h.made)
}

// uncollected lets more garbage lie until the returned function is called: mutants
// are small and many, and next to nothing of them is kept. A few MiB are used again
// and again while they are in the processor's cache.
func uncollected() func() {
	percent := debug.SetGCPercent(300)
	return func() { debug.SetGCPercent(percent) }
}

// herd is the mutants of one reader.
type herd struct {
	reader
	seeds []seedFile
	tried *tried
	made  int64   // by this process
	spent float64 // on them, in seconds of processors
}

type seedFile struct {
	*mutants.Seed
	beside []byte
	until  float64 // of the share of mutants that are made of it and those before
}

// drive makes the next mutants, n at most, and reads them for about so long.
func (h *herd) drive(ctx context.Context, n int64, long time.Duration) {
	start, used, before := time.Now(), processTime(), h.tried.Executions
	for i := range n {
		if h.tried.Found = h.mutant(ctx, h.tried.Executions); h.tried.Found != "" || ctx.Err() != nil {
			break
		}
		if h.tried.Executions++; i%256 == 255 && time.Since(start) > long {
			break
		}
	}
	took := (processTime() - used).Seconds()
	h.tried.Seconds += took
	h.made, h.spent = h.made+h.tried.Executions-before, h.spent+took
}

// slowMutant is how much of a processor's time one may take: far more than any of its
// size needs.
const slowMutant = 5 * time.Second

// mutant makes one mutant, reads it and says what went wrong.
func (h *herd) mutant(ctx context.Context, n int64) (found string) {
	defer func() {
		if p := recover(); p != nil {
			found = fmt.Sprintf("mutant %d panics: %v", n, p)
		}
	}()
	b, beside := h.make(h.tried.Seed, n)
	start := time.Now()
	if err := h.read(ctx, b, beside); err != nil && ctx.Err() == nil {
		return fmt.Sprintf("mutant %d: %v", n, err)
	}
	if time.Since(start) > slowMutant { // of a clock that others' work also moves
		used := processTime()
		h.read(ctx, b, beside)
		if took := processTime() - used; took > slowMutant {
			return fmt.Sprintf("mutant %d takes %.1f s", n, took.Seconds())
		}
	}
	return ""
}

// make is the n-th mutant of a seed.
func (h *herd) make(seed uint64, n int64) (mutant, beside []byte) {
	r := rand.New(rand.NewPCG(seed, uint64(n)))
	at := r.Float64() * h.seeds[len(h.seeds)-1].until
	for _, s := range h.seeds {
		if at < s.until {
			return s.Mutate(r), s.beside
		}
	}
	panic("no seed")
}

// largestSeed bounds the files that mutants are made of: small ones are read
// faster and damaged where it matters. Where a reader has none the smallest is taken.
const largestSeed = 6 << 10

// newHerd finds the files that mutants are made of.
func newHerd(module string, x reader) (*herd, error) {
	kind, ok := mutants.Named(x.kind)
	if !ok {
		return nil, fmt.Errorf("there is no kind %q", x.kind)
	}
	h := &herd{reader: x}
	var names []string
	for _, p := range x.files {
		some, err := filepath.Glob(filepath.Join(module, p))
		if err != nil {
			return nil, err
		}
		names = append(names, some...)
	}
	files := map[string][]byte{}
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		files[name] = b
	}
	if x.small != nil {
		all, err := x.small(module)
		if err != nil {
			return nil, err
		}
		for i, b := range all {
			name := fmt.Sprintf("small %d", i)
			names, files[name] = append(names, name), b
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return len(files[a]) - len(files[b]) })
	for i, name := range names {
		if i > 0 && len(files[name]) > largestSeed {
			break
		}
		s := seedFile{Seed: kind.Seed(files[name])}
		if x.beside != nil && !strings.HasPrefix(name, "small ") {
			var err error
			if s.beside, err = readIf(x.beside(name)); err != nil {
				return nil, err
			}
		}
		h.seeds = append(h.seeds, s)
	}
	if len(h.seeds) == 0 {
		return nil, fmt.Errorf("no files under testdata in %s", module)
	}
	h.weigh()
	return h, nil
}

// weigh gives most mutants to small seeds, also most of the time: damage to a large
// one is more often to what is like its neighbours.
func (h *herd) weigh() {
	sum := 0.0
	for i := range h.seeds {
		n := float64(256 + len(h.seeds[i].Whole()))
		sum += 1 / (n * n)
		h.seeds[i].until = sum
	}
}

// madeMutant finds the n-th mutant of a reader again, to look at it.
func madeMutant(module, name string, seed uint64, n int64) ([]byte, error) {
	for _, x := range readers {
		if x.name != name {
			continue
		}
		h, err := newHerd(module, x)
		if err != nil {
			return nil, err
		}
		b, _ := h.make(seed, n)
		return bytes.Clone(b), nil
	}
	return nil, fmt.Errorf("there is no reader %q", name)
}
