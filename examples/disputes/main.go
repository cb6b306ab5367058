// Command disputes replays five public disputes about the origin of models on generated
// ones: what was published, and what this library says of the same two models.
//
//	go run ./internal/demo/extract build/demo
//	go run ./examples/disputes build/demo
//
// Each figure that was published is true of models whose origin is known here, and tells
// nothing: strangers have it too, or relatives do not.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// dispute is one replica: two models of known origin, what was published of such two,
// and why that decides nothing.
type dispute struct {
	name, truth string
	a, b        func(z *zoo) report.Input
	published   func(a, b report.Input) (string, error)
	nothing     string
}

var disputes = []dispute{
	{"look-alike layer norms", "trained apart, from two seeds; gains drawn apart, as wide models have them", baseGains, otherGains, layerNorms,
		"gains start at one and stay positive, so that any two vectors of them point the same way; the sigmas compare layers of one model, which is no null for two models, and grow with the root of the width. Centred, nothing is left"},
	{"profiles of standard deviations", "trained apart, from two seeds", base, otherSeed, profiles,
		"initialisation, depth and optimiser shape the profile: whoever trains by one recipe gets it"},
	{"equal configurations", "trained apart, from two seeds", base, otherSeed, configurations,
		"an architecture can be taken over without a single weight"},
	{"an encoder taken over and frozen", "embeddings and the lower half are A's to the bit, the rest was trained apart", base, frozen, meanCosine,
		"a mean over all tensors blurs what is equal with what is foreign. The question is asked of every component"},
	{"a dense model upcycled to experts of another width", "every expert holds two thirds of A's units, shuffled, with noise", base, upcycled, sameShapes,
		"tensors of other shapes were not compared, and those of attention were taken for a common recipe. Units have to be looked for, whatever the shape of their matrix"},
}

func run(args []string, w io.Writer) error {
	if len(args) != 1 {
		return errors.New("usage: disputes FOLDER, which holds the demonstration's models base and other-seed")
	}
	ctx := context.Background()
	z, err := open(ctx, args[0])
	if err != nil {
		return err
	}
	defer z.close()
	var last *report.Report
	for i, d := range disputes {
		a, b := d.a(z), d.b(z)
		published, err := d.published(a, b)
		if err != nil {
			return err
		}
		r := last // two disputes are about the same two models
		if r == nil || r.Subjects[0].Ref != a.Ref || r.Subjects[1].Ref != b.Ref {
			if r, err = report.Build(ctx, a, b, nil); err != nil {
				return err
			}
		}
		last = r
		fmt.Fprintf(w, "%d. %s\n   truth:      %s\n   published:  %s\n   weightprint: %s\n   why the published figure decides nothing: %s\n\n", i+1, d.name, d.truth, published, ours(r), d.nothing)
	}
	return nil
}

// ours is the verdict in one line, with the components that share anything.
func ours(r *report.Report) string {
	out := string(r.Verdict.Relation)
	if len(r.Verdict.Kinds) > 0 {
		out += fmt.Sprintf(" %v", r.Verdict.Kinds)
	}
	var parts []string
	for _, c := range r.Components {
		parts = append(parts, fmt.Sprintf("%s %s", c.Name, c.Relation))
	}
	return out + "; " + strings.Join(parts, ", ")
}

// zoo holds the models that all others are made of.
type zoo struct {
	base, other report.Input
	open        []*formats.Checkpoint
}

func open(ctx context.Context, dir string) (*zoo, error) {
	z := &zoo{}
	for name, in := range map[string]*report.Input{"base": &z.base, "other-seed": &z.other} {
		c, err := formats.Open(ctx, filepath.Join(dir, name), nil)
		if err != nil {
			z.close()
			return nil, err
		}
		z.open = append(z.open, c)
		*in = report.FromCheckpoint(ctx, c)
		in.Ref = name
	}
	return z, nil
}

func (z *zoo) close() {
	for _, c := range z.open {
		c.Close()
	}
}

func base(z *zoo) report.Input      { return z.base }
func otherSeed(z *zoo) report.Input { return z.other }
