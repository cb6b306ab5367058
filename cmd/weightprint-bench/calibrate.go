package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// control is one network of a control population, as population.json in its
// folder describes it.
type control struct {
	Path    string `json:"path"`
	Shape   string `json:"shape"`   // networks of one shape are held against each other
	Init    string `json:"init"`    // names the random initialisation
	Data    string `json:"data"`    // names the training data and their order
	Teacher string `json:"teacher"` // path of the network it was distilled from
}

func calibrateCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "calibrate DIR…",
		Short: "hold independently trained networks against each other and write the control population",
		Long: `calibrate reads DIR/population.json, a list of networks that were trained
independently of each other, runs all calibrated tests on all pairs of one shape
and writes the statistics, sorted, by stratum.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			p, err := calibrate(c.Context(), args)
			if err != nil {
				return err
			}
			raw, err := json.Marshal(p)
			if err != nil {
				return err
			}
			return os.WriteFile(out, append(raw, '\n'), 0o644)
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "controls.json", "file to write")
	return c
}

type controlPair struct {
	stratum string
	a, b    string
	effects map[string]verdict.Control
}

func calibrate(ctx context.Context, dirs []string) (*verdict.Population, error) {
	var pairs []*controlPair
	networks := 0
	for _, dir := range dirs {
		raw, err := os.ReadFile(filepath.Join(dir, "population.json"))
		if err != nil {
			return nil, err
		}
		var all []control
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		networks += len(all)
		for i, a := range all {
			for j, b := range all[i+1:] {
				if s := stratum(a, b); s != "other-shape" || (i*31+j)%97 == 0 {
					pairs = append(pairs, &controlPair{stratum: s, a: filepath.Join(dir, a.Path), b: filepath.Join(dir, b.Path)})
				}
			}
		}
	}
	if err := runControls(ctx, pairs); err != nil {
		return nil, err
	}
	return population(pairs, networks), nil
}

// stratum says what a pair shares.
func stratum(a, b control) string {
	switch {
	case a.Shape != b.Shape:
		return "other-shape"
	case a.Init == b.Init:
		return "shared-init"
	case a.Teacher == b.Path || b.Teacher == a.Path:
		return "distilled"
	case a.Data == b.Data:
		return "same-data"
	}
	return "other-data"
}

func runControls(ctx context.Context, pairs []*controlPair) error {
	work := make(chan *controlPair)
	var wg sync.WaitGroup
	var mu sync.Mutex
	var first error
	for range runtime.NumCPU() {
		wg.Go(func() {
			for c := range work {
				r, err := report.Compare(ctx, c.a, c.b, &report.Options{Depth: report.Deep})
				if err != nil {
					mu.Lock()
					first = err
					mu.Unlock()
					continue
				}
				c.effects = effects(r)
			}
		})
	}
	for _, c := range pairs {
		work <- c
	}
	close(work)
	wg.Wait()
	return first
}

// effects picks the calibrated statistics out of a report; of a test run in
// several ways the largest.
func effects(r *report.Report) map[string]verdict.Control {
	out := map[string]verdict.Control{}
	for _, e := range r.Evidence {
		if e.Tier != "calibrated" || e.Skipped != "" {
			continue
		}
		x := float64(e.Effect)
		if e.Test == verdict.LeadingDirections {
			x = float64(e.Statistic)
		}
		name := e.Test
		if e.Test == verdict.LeadingDirections {
			name += "/" + e.Axis
		}
		if old, ok := out[name]; !ok || x > old.Effect {
			out[name] = verdict.Control{Effect: math.Round(x*1e4) / 1e4, N: e.N}
		}
	}
	return out
}

func population(pairs []*controlPair, networks int) *verdict.Population {
	p := &verdict.Population{Version: 1, Made: "weightprint-bench calibrate", Networks: networks}
	for _, name := range []string{"same-data", "other-data", "distilled", "other-shape", "shared-init"} {
		s := verdict.Stratum{Name: name, Tests: map[string][]verdict.Control{}}
		for _, c := range pairs {
			if c.stratum != name {
				continue
			}
			s.Pairs++
			for test, x := range c.effects {
				s.Tests[test] = append(s.Tests[test], x)
			}
		}
		for _, x := range s.Tests {
			slices.SortFunc(x, func(a, b verdict.Control) int {
				return cmp.Or(cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.N, b.N))
			})
		}
		p.Strata = append(p.Strata, s)
	}
	return p
}
