package redteam

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats/tensor"

	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/sketches"
	"github.com/weightprint/weightprint/similarity/stats"
)

// searchFor puts one fingerprint into an index and searches it for another.
func searchFor(ctx context.Context, entry, query *fingerprint.Fingerprint) (string, error) {
	hits, err := hitsFor(ctx, entry, query)
	if err != nil || len(hits) == 0 {
		return "no hit", err
	}
	return fmt.Sprintf("screening hit at log10 p %.0f", hits[0].P.Log10()), nil
}

func hitsFor(ctx context.Context, entry, query *fingerprint.Fingerprint) (hits []index.Hit, err error) {
	dir, err := os.MkdirTemp("", "weightprint-redteam-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "index")
	if _, err := index.Add(file, index.Entry{Name: "victim", Fingerprint: entry}); err != nil {
		return nil, err
	}
	x, err := index.Open(file)
	if err != nil {
		return nil, err
	}
	found, err := x.Search(ctx, query, 1, stats.LogP(math.Log(1e-3)))
	if err != nil {
		return nil, err
	}
	return found.Hits, nil
}

// challenged sketches two models under a challenge and tests the sketches.
func challenged(ctx context.Context, c *commitment.Challenge, a, b tensor.Model) (s [2][]commitment.AxisSketch, r sketches.AnswersResult, err error) {
	for i, m := range []tensor.Model{a, b} {
		if s[i], err = commitment.SketchUnder(ctx, m, c); err != nil {
			return s, r, err
		}
	}
	return s, sketches.TestAnswers(c.Digest(), s[0], s[1]), nil
}
