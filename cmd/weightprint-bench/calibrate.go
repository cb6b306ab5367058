package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/population"
	"github.com/weightprint/weightprint/report/verdict"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/axis"
	"github.com/weightprint/weightprint/similarity/layers"
	"github.com/weightprint/weightprint/similarity/suite"
)

// neighbours is with how many of those after it each network is compared.
const neighbours = 2

func calibrateCommand() *cobra.Command {
	c := calibration{shapes: len(population.Shapes), each: population.Each}
	var out string
	cmd := &cobra.Command{
		Use:   "calibrate",
		Short: "train the control population, compare its pairs and write what they show",
		Long: `calibrate trains the networks of package population, runs the calibrated tests on
pairs of them that share nothing, or one thing, and writes the statistics, sorted, by
stratum. The same command gives the same file. The file that ships with the module is
report/verdict/controls.json.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c.progress = cmd.ErrOrStderr()
			return c.run(cmd.Context(), func(p *verdict.Population) error {
				raw, err := json.Marshal(p)
				if err != nil {
					return err
				}
				return os.WriteFile(out, append(raw, '\n'), 0o644)
			})
		},
	}
	cmd.Flags().StringVarP(&out, "output", "o", "controls.json", "file to write")
	cmd.Flags().IntVar(&c.shapes, "shapes", c.shapes, "shapes of networks")
	cmd.Flags().IntVar(&c.each, "networks", c.each, "networks of a shape that share nothing")
	cmd.Flags().StringVar(&c.only, "only", "", "only strata whose name has this in it, of pairs that share something")
	return cmd
}

// calibration is the making of a population.
type calibration struct {
	shapes, each int
	only         string
	progress     io.Writer

	mu     sync.Mutex
	first  error
	strata []*verdict.Stratum
}

// Strata of pairs whose networks share nothing.
const (
	otherData  = "other-data"
	otherShape = "other-shape"
)

// run goes from shape to shape, and writes what there is after each.
func (c *calibration) run(ctx context.Context, write func(*verdict.Population) error) error {
	for _, s := range append([]population.Stratum{{Name: otherData, Independent: true}, {Name: otherShape, Independent: true}}, population.Strata...) {
		c.strata = append(c.strata, &verdict.Stratum{Name: s.Name, Independent: s.Independent, Tests: map[string][]verdict.Control{}})
	}
	var before []*adversary.Decoder
	for shape := range c.shapes {
		own := c.members(shape)
		c.pairsOf(ctx, shape, own, before)
		if c.first != nil || ctx.Err() != nil {
			return cmp.Or(c.first, ctx.Err())
		}
		if err := write(c.population((shape + 1) * c.each)); err != nil {
			return err
		}
		before = own
		fmt.Fprintf(c.progress, "shape %d of %d\n", shape+1, c.shapes)
	}
	return nil
}

// population is what there is so far.
func (c *calibration) population(networks int) *verdict.Population {
	p := &verdict.Population{Version: verdict.PopulationVersion, Made: "weightprint-bench calibrate", Seed: population.Seed, Networks: networks}
	for _, s := range c.strata {
		for _, x := range s.Tests {
			slices.SortFunc(x, func(a, b verdict.Control) int {
				return cmp.Or(cmp.Compare(a.Effect, b.Effect), cmp.Compare(a.N, b.N))
			})
		}
		p.Strata = append(p.Strata, *s)
	}
	return p
}

// members trains the networks of a shape that share nothing.
func (c *calibration) members(shape int) []*adversary.Decoder {
	own := make([]*adversary.Decoder, c.each)
	dense.Parallel(c.each, func(i int) { own[i] = population.Member(shape, i) })
	return own
}

// pairsOf compares all pairs of a shape.
func (c *calibration) pairsOf(ctx context.Context, shape int, own, before []*adversary.Decoder) {
	var tasks []func() error
	for i := range own {
		if c.only != "" {
			break
		}
		for k := 1; k <= neighbours && 2*k < len(own); k++ {
			tasks = append(tasks, func() error {
				return c.compare(ctx, population.Stratum{Name: otherData, Independent: true}, own[i], own[(i+k)%len(own)])
			})
		}
		if i < len(before) && i%2 == 0 {
			tasks = append(tasks, func() error {
				return c.compare(ctx, population.Stratum{Name: otherShape, Independent: true}, before[i], own[i])
			})
		}
	}
	for _, s := range population.Strata {
		if !strings.Contains(s.Name, c.only) {
			continue
		}
		for j := range min(cmp.Or(s.Pairs, population.Extra), len(own)-1) {
			tasks = append(tasks, func() error {
				a, b := s.Make(shape, j, own)
				return c.compare(ctx, s, a, b)
			})
		}
	}
	dense.Parallel(len(tasks), func(i int) {
		if ctx.Err() != nil {
			return
		}
		if err := tasks[i](); err != nil {
			c.mu.Lock()
			c.first = cmp.Or(c.first, err)
			c.mu.Unlock()
		}
	})
}

// compare runs the calibrated tests on a pair.
func (c *calibration) compare(ctx context.Context, s population.Stratum, x, y *adversary.Decoder) error {
	a, b := input("a", x), input("b", y)
	p := align.NewPair(a.Subject(), b.Subject(), []byte("calibrate"), align.NoLimit)
	if _, err := layers.AlignRotary(ctx, p); err != nil {
		return err
	}
	all, err := similarity.Run(ctx, p, tests())
	if err != nil {
		return err
	}
	found := effects(all)
	if s.Arranged {
		for test := range found {
			if !slices.Contains(unmoved, test) {
				delete(found, test)
			}
		}
	}
	if s.Carries {
		r, err := carryOf(ctx, a, b)
		if err != nil {
			return err
		}
		if r.Measured {
			found[verdict.CarryWeight] = verdict.Control{Effect: rounded(min(r.Sides[0].Weight(), r.Sides[1].Weight())), N: min(r.Sides[0].Agreeing, r.Sides[1].Agreeing)}
		}
	}
	c.add(s.Name, found)
	return nil
}

// unmoved are the tests on what no arrangement alters. What it can alter has bounds of
// its own (docs/STATISTICS.md, Labels and content).
var unmoved = []string{verdict.HeldOutAgreement, verdict.HeldOutCosine, verdict.QKSizes, verdict.QKPhases, verdict.OVSpectra}

// tests lists the calibrated ones, on all that is there.
func tests() (out []*similarity.Test) {
	for _, t := range suite.Stage(len(axis.Stages()) - 1) {
		if t.Tier == similarity.Calibrated && t.Name != verdict.Likeness { // that one has a bound
			out = append(out, t)
		}
	}
	return out
}

func (c *calibration) add(stratum string, found map[string]verdict.Control) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.strata {
		if s.Name == stratum {
			s.Pairs++
			for test, x := range found {
				s.Tests[test] = append(s.Tests[test], x)
			}
		}
	}
}

// effects picks the calibrated statistics; of a test run in several ways the largest.
func effects(all []similarity.Evidence) map[string]verdict.Control {
	out := map[string]verdict.Control{}
	for _, e := range all {
		if e.Tier != similarity.Calibrated || e.Skipped != "" || e.LayerB >= 0 {
			continue
		}
		x, name := e.Effect, e.Test
		if e.Test == verdict.LeadingDirections {
			x, name = e.Statistic, name+"/"+e.Axis
		}
		if old, ok := out[name]; !ok || x > old.Effect {
			out[name] = verdict.Control{Effect: rounded(x), N: e.N}
		}
	}
	return out
}

func rounded(x float64) float64 { return math.Round(x*1e4) / 1e4 }
