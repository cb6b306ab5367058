// Command leaderboard ranks models by a score and folds near-copies: entries with the
// values of a better one, however stored, do not take a place of their own, and those
// that share its trained origin name it. Entries are "SCORE=MODEL".
//
//	go run ./examples/leaderboard 71.2=base/ 71.2=base.gguf 73.0=fine-tune/
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// entry is one submission.
type entry struct {
	model  string
	score  float64
	copies []string // submissions with the same values
	origin []string // better entries that share its trained origin
	open   []string // better entries of which that stays open
}

func run(ctx context.Context, args []string, w io.Writer) error {
	entries, err := read(args)
	if err != nil {
		return err
	}
	var board []*entry
	for _, e := range entries {
		twin, err := e.place(ctx, board)
		if err != nil {
			return err
		}
		if twin != nil {
			twin.copies = append(twin.copies, e.model)
		} else {
			board = append(board, e)
		}
	}
	for i, e := range board {
		fmt.Fprintf(w, "%d  %.1f  %s%s%s%s\n", i+1, e.score, e.model, list("; also as ", e.copies), list("; shares an origin with ", e.origin), list("; undecided against ", e.open))
	}
	return nil
}

// read parses entries and sorts them by score, the best first.
func read(args []string) (out []*entry, err error) {
	for _, a := range args {
		score, model, ok := strings.Cut(a, "=")
		x, err := strconv.ParseFloat(score, 64)
		if !ok || err != nil {
			return nil, fmt.Errorf("%q is not of the form SCORE=MODEL", a)
		}
		out = append(out, &entry{model: model, score: x})
	}
	if len(out) == 0 {
		return nil, errors.New("usage: leaderboard SCORE=MODEL…")
	}
	slices.SortStableFunc(out, func(a, b *entry) int { return cmp.Compare(b.score, a.score) })
	return out, nil
}

// place compares an entry with the better ones and returns the one whose values it has.
func (e *entry) place(ctx context.Context, board []*entry) (*entry, error) {
	for _, better := range board {
		r, err := report.Compare(ctx, better.model, e.model, nil)
		if err != nil {
			return nil, err
		}
		switch r.Verdict.Relation {
		case verdict.Identical, verdict.Reencoded:
			return better, nil
		case verdict.Related:
			e.origin = append(e.origin, better.model)
		case verdict.Inconclusive:
			e.open = append(e.open, better.model)
		}
	}
	return nil, nil
}

func list(before string, items []string) string {
	if len(items) == 0 {
		return ""
	}
	return before + strings.Join(items, ", ")
}
