// Command custom-test runs a test of one's own beside the suite: the share of
// norm gains that differ by less than a thousandth.
//
//	go run ./examples/custom-test base/ suspect/
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/similarity"
	"github.com/weightprint/weightprint/similarity/align"
)

// closeGains counts gains that are nearly equal. It has no null and no
// controls, so it is shown as calibrated evidence without a p-value; the verdict
// does not use it.
var closeGains = &similarity.Test{
	Name: "close-gains", Doc: "norm gains that differ by less than a thousandth", Tier: similarity.Calibrated,
	Run: func(ctx context.Context, p *align.Pair) ([]similarity.Evidence, error) {
		e := similarity.Evidence{Test: "close-gains", Axis: "norms", Component: "norms", LayerA: -1, LayerB: -1, Tier: similarity.Calibrated}
		for _, v := range p.Match().Vectors {
			if v.Component != "norms" || v.A.Len != v.B.Len {
				continue
			}
			a, err := v.A.Read(ctx)
			if err != nil {
				return nil, err
			}
			b, err := v.B.Read(ctx)
			if err != nil {
				return nil, err
			}
			for i := range a {
				e.N++
				if math.Abs(float64(a[i]-b[i])) < 1e-3 {
					e.Statistic++
				}
			}
		}
		if e.N == 0 {
			e.Skipped = "no norms in the same role"
		}
		e.Effect = e.Statistic / float64(max(1, e.N))
		return []similarity.Evidence{e}, nil
	},
}

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return errors.New("usage: custom-test A B")
	}
	r, err := report.Compare(context.Background(), args[0], args[1], &report.Options{Tests: []*similarity.Test{closeGains}})
	if err != nil {
		return err
	}
	e := r.Evidence[len(r.Evidence)-1]
	_, err = fmt.Fprintf(w, "%s; %s: %.0f of %d\n", r.Verdict.Relation, e.Test, float64(e.Statistic), e.N)
	return err
}
