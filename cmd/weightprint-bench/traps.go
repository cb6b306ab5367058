package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

func trapsCommand() *cobra.Command {
	var cases int
	var markdown bool
	var only string
	c := &cobra.Command{
		Use:   "traps",
		Short: "count the verdicts on generated pairs that look alike without being derived from each other",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if markdown {
				fmt.Fprint(c.OutOrStdout(), "| trap | n | right | wrong | verdicts |\n|---|---|---|---|---|\n")
			}
			for _, t := range zoo.Traps {
				if only != "" && t.ID != only {
					continue
				}
				counts, err := spring(c.Context(), t, cases)
				if err != nil {
					return fmt.Errorf("%s: %w", t.ID, err)
				}
				printTrap(c.OutOrStdout(), t, counts, markdown)
			}
			return nil
		},
	}
	c.Flags().IntVar(&cases, "cases", 300, "generated pairs for each trap")
	c.Flags().BoolVar(&markdown, "markdown", false, "print a Markdown table instead of Go benchmark format")
	c.Flags().StringVar(&only, "only", "", "only the trap of this ID, such as T6")
	return c
}

// spring compares the pairs of one trap and counts the relations found.
func spring(ctx context.Context, t zoo.Trap, cases int) (map[string]int, error) {
	counts := map[string]int{}
	var mu sync.Mutex
	var first error
	var wg sync.WaitGroup
	next := make(chan int)
	for range runtime.NumCPU() {
		wg.Go(func() {
			for i := range next {
				a, b := t.Make(rand.New(rand.NewPCG(uint64(i), 0x7a9)))
				r, err := report.Build(ctx, report.Input{Ref: "a", Model: a}, report.Input{Ref: "b", Model: b}, nil)
				mu.Lock()
				if err == nil {
					counts[string(r.Verdict.Relation)]++
				} else if first == nil {
					first = err
				}
				mu.Unlock()
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	wg.Wait()
	return counts, first
}

func printTrap(w io.Writer, t zoo.Trap, counts map[string]int, markdown bool) {
	n, right, words := 0, 0, ""
	for _, relation := range slices.Sorted(maps.Keys(counts)) {
		k := counts[relation]
		n += k
		if slices.Contains(t.Want, relation) {
			right += k
		}
		words += fmt.Sprintf(" %d %s", k, relation)
	}
	if markdown {
		fmt.Fprintf(w, "| %s %s | %d | %d | %d |%s |\n", t.ID, t.Name, n, right, n-right, words)
		return
	}
	fmt.Fprintf(w, "BenchmarkTraps/trap=%s %d %d right %d wrong\n", t.ID, n, right, n-right)
}
