package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// member is one model of a zoo, as its manifest.json describes it.
type member struct {
	Name     string   `json:"name"`
	Path     string   `json:"path"`
	Parents  []string `json:"parents"`
	Relation string   `json:"relation"`
	Recipe   string   `json:"recipe"`
}

// truths maps the beginning of a manifest's relation and recipe to the kinds that name
// it; the first is the right one, the others are neighbours.
var truths = []struct {
	prefix string
	kinds  []verdict.Kind
}{
	{"obfuscated, then fine-tuned", []verdict.Kind{verdict.FineTuned, verdict.ContinuedPretrained}},
	{"obfuscated", []verdict.Kind{verdict.Reparameterised}},
	{"dtype variant", []verdict.Kind{verdict.CastKind}},
	{"noise", []verdict.Kind{verdict.Noised}},
	{"vocabulary", []verdict.Kind{verdict.VocabularyChanged}},
	{"pruned MLP", []verdict.Kind{verdict.WidthPruned}},
	{"pruned heads", []verdict.Kind{verdict.WidthPruned}},
	{"pruned hidden", []verdict.Kind{verdict.WidthPruned}},
	{"pruned", []verdict.Kind{verdict.Pruned}},
	{"quantised", []verdict.Kind{verdict.QuantisedKind}},
	{"renamed", []verdict.Kind{verdict.Repackaged}},
	{"fine-tuned long, then obf", []verdict.Kind{verdict.Reparameterised}},
	{"fine-tuned", []verdict.Kind{verdict.FineTuned, verdict.ContinuedPretrained}},
	{"grand-child: continued", []verdict.Kind{verdict.ContinuedPretrained, verdict.FineTuned}},
	{"grand-child", []verdict.Kind{verdict.FineTuned, verdict.ContinuedPretrained}},
	{"continued pre-training, then obf", []verdict.Kind{verdict.Reparameterised}},
	{"continued pre-training twice, then obf", []verdict.Kind{verdict.Reparameterised}},
	{"continued", []verdict.Kind{verdict.ContinuedPretrained, verdict.FineTuned}},
	{"LoRA merged", []verdict.Kind{verdict.LoRAMerged}},
	{"merge", []verdict.Kind{verdict.Merged, verdict.FineTuned, verdict.ContinuedPretrained}},
	{"frankenmerge (localised", []verdict.Kind{verdict.Partial}},
	{"frankenmerge (layers of two", []verdict.Kind{verdict.Merged, verdict.FineTuned, verdict.ContinuedPretrained}},
	{"frankenmerge", []verdict.Kind{verdict.DepthUpscaled}},
	{"layers dropped", []verdict.Kind{verdict.LayerDropped}},
	{"depth-upscaled", []verdict.Kind{verdict.DepthUpscaled}},
	{"MoE", []verdict.Kind{verdict.MoEUpcycled}},
	{"embeddings", []verdict.Kind{verdict.Partial}},
	{"scaled", []verdict.Kind{verdict.Scaled}},
	{"projected", []verdict.Kind{verdict.Projected}},
	{"head replaced", []verdict.Kind{verdict.HeadChanged}},
	{"layers reordered", []verdict.Kind{verdict.LayersReordered}},
	{"GGUF conversion; F16", []verdict.Kind{verdict.CastKind}},
	{"GGUF", []verdict.Kind{verdict.QuantisedKind, verdict.Repackaged}},
}

// pairing is one ordered pair with its truth and what was found.
type pairing struct {
	a, b    *member
	truth   string // "strangers", "shared-init", "related"
	direct  bool   // b was made from a in one step
	descent string // which of the two was made from the other in any number of steps
	named   bool   // b is a merge, and the recipe of all its parents names the method
	report  *report.Report
}

func qualityCommand() *cobra.Command {
	var pairs, only string
	var markdown, direct, once, kinds bool
	c := &cobra.Command{
		Use:   "quality DIR",
		Short: "run all pairs of a zoo of known lineage and count right and wrong verdicts",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cases, err := zooCases(args[0], only)
			if err != nil {
				return err
			}
			if direct || kinds {
				cases = slices.DeleteFunc(cases, func(c *pairing) bool { return !c.direct })
			}
			if once {
				seen := map[[2]*member]bool{}
				cases = slices.DeleteFunc(cases, func(c *pairing) bool {
					seen[[2]*member{c.a, c.b}] = true
					return seen[[2]*member{c.b, c.a}]
				})
			}
			if err := runCases(c.Context(), args[0], cases); err != nil {
				return err
			}
			if err := nameMixtures(c.Context(), args[0], cases); err != nil {
				return err
			}
			if pairs != "" {
				if err := writePairs(pairs, cases); err != nil {
					return err
				}
			}
			if kinds {
				return kindsTable(c.OutOrStdout(), cases)
			}
			summarise(c.OutOrStdout(), cases, markdown)
			return nil
		},
	}
	c.Flags().StringVar(&pairs, "pairs", "", "also write one line a pair to this file")
	c.Flags().StringVar(&only, "only", "", "only pairs with this model")
	c.Flags().BoolVar(&direct, "direct", false, "only children against their own parents")
	c.Flags().BoolVar(&kinds, "kinds", false, "only children against their own parents, and a Markdown table of what was done and the kinds that were named")
	c.Flags().BoolVar(&once, "once", false, "each pair in one order only, that of the manifest")
	c.Flags().BoolVar(&markdown, "markdown", false, "print a Markdown table instead of Go benchmark format")
	return c
}

// readManifest lists the members of a zoo.
func readManifest(dir string) ([]*member, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		return nil, err
	}
	var m struct{ Models []*member }
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	return m.Models, nil
}

// zooCases reads a manifest and lists all ordered pairs.
func zooCases(dir, only string) ([]*pairing, error) {
	all, err := readManifest(dir)
	if err != nil {
		return nil, err
	}
	by := map[string]*member{}
	for _, x := range all {
		by[x.Name] = x
	}
	var out []*pairing
	for _, a := range all {
		for _, b := range all {
			if a == b || strings.Contains(a.Relation, "adapter") || strings.Contains(b.Relation, "adapter") || only != "" && a.Name != only && b.Name != only {
				continue
			}
			out = append(out, &pairing{a: a, b: b, truth: truth(by, a, b), direct: slices.Contains(b.Parents, a.Name), descent: descent(by, a, b)})
		}
	}
	return out, nil
}

// roots lists the models without parents that x descends from.
func roots(by map[string]*member, x *member) (out []*member) {
	if len(x.Parents) == 0 {
		return []*member{x}
	}
	for _, p := range x.Parents {
		if by[p] != nil {
			out = append(out, roots(by, by[p])...)
		}
	}
	return out
}

// descent is "down" where b was made from a in one or more steps, "up" the other
// way round, and "" else.
func descent(by map[string]*member, a, b *member) string {
	switch {
	case madeFrom(by, b, a):
		return "down"
	case madeFrom(by, a, b):
		return "up"
	}
	return ""
}

func madeFrom(by map[string]*member, x, from *member) bool {
	return slices.ContainsFunc(x.Parents, func(p string) bool { return by[p] != nil && (by[p] == from || madeFrom(by, by[p], from)) })
}

func truth(by map[string]*member, a, b *member) string {
	ra, rb := roots(by, a), roots(by, b)
	out := "strangers"
	for _, x := range ra {
		for _, y := range rb {
			if x == y {
				return "related"
			}
			if strings.Contains(x.Relation, "shared init with "+y.Name) || strings.Contains(y.Relation, "shared init with "+x.Name) {
				out = "shared-init"
			}
		}
	}
	return out
}

func runCases(ctx context.Context, dir string, cases []*pairing) error {
	work := make(chan *pairing)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for range runtime.NumCPU() {
		wg.Go(func() {
			for c := range work {
				r, err := report.Compare(ctx, filepath.Join(dir, c.a.Path), filepath.Join(dir, c.b.Path), nil)
				mu.Lock()
				c.report = r
				if err != nil && first == nil {
					first = fmt.Errorf("%s against %s: %w", c.a.Name, c.b.Name, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, c := range cases {
		work <- c
	}
	close(work)
	wg.Wait()
	return first
}

// outcome judges a verdict: right, wrong or inconclusive.
func (c *pairing) outcome() string {
	r := c.report.Verdict.Relation
	same := r == verdict.Related || r == verdict.Reencoded || r == verdict.Identical
	switch {
	case c.truth == "related" && same, c.truth == "shared-init" && r == verdict.SharedInit, c.truth == "strangers" && r == verdict.NoEvidence:
		return "right"
	case r == verdict.Inconclusive:
		return "inconclusive"
	case c.truth != "strangers" && r == verdict.NoEvidence:
		return "missed"
	}
	return "wrong"
}

// kind judges the kinds of a direct child: right, neighbour or wrong.
func (c *pairing) kind() string {
	if c.named {
		return "right"
	}
	for _, t := range truths {
		if !strings.HasPrefix(c.b.Relation+"; "+c.b.Recipe, t.prefix) {
			continue
		}
		for i, k := range t.kinds {
			if slices.Contains(c.report.Verdict.Kinds, k) {
				return []string{"right", "neighbour", "neighbour"}[i]
			}
		}
		return "wrong"
	}
	return "unknown"
}

// direction judges the direction between a model and what it was made from.
func (c *pairing) direction() string {
	right, child := verdict.AToB, c.b
	if c.descent == "up" {
		right, child = verdict.BToA, c.a
	}
	if strings.Contains(child.Recipe, "before rounding") { // the listed parent is the rounded one
		right = map[verdict.Direction]verdict.Direction{verdict.AToB: verdict.BToA, verdict.BToA: verdict.AToB}[right]
	}
	switch c.report.Verdict.Suggested() {
	case verdict.Undetermined:
		return "undetermined"
	case right:
		return "right"
	}
	return "wrong"
}
