package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dispute"
)

func disputeInitCommand() *cobra.Command {
	var f disputeFlags
	var x dispute.Init
	var gains, budget, depth, beaconTime string
	parties := map[dispute.Author]*string{dispute.A: new(string), dispute.B: new(string), dispute.Runner: new(string)}
	c := &cobra.Command{
		Use:   "init DIR",
		Short: "begin: state the question, the parties with their keys, the beacon and the comparison",
		Example: `  weightprint dispute init case/ --question "do the two have a common origin?" --a Alpha=a.pub.pem --b Beta=b.pub.pem \
      --runner Court=runner.pub.pem --beacon "drand quicknet, round 20000000" --key runner.key.pem`,
		Args: args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if err := fillInit(&x, parties, gains, budget, depth); err != nil {
				return usageError{err}
			}
			var err error
			if x.BeaconTime, err = timeOf(beaconTime); err != nil {
				return usageError{fmt.Errorf("--beacon-time: %w", err)}
			}
			return f.begin(c, a[0], x)
		},
	}
	fl := c.Flags()
	fl.StringVar(&x.Question, "question", "", "what is asked")
	fl.StringVar(&x.Beacon, "beacon", "", "the public value that will draw the positions: a source and a round that is still to come")
	fl.StringVar(&beaconTime, "beacon-time", "", "when that round is out, such as 2026-03-01T12:00:00Z: commitments that time stamps show to be younger are late")
	fl.StringVar(&gains, "gains", "both", "who gains from a finding of common origin: a, b or both")
	fl.StringVar(&budget, "budget", report.DefaultBudget.String(), "bytes to read of each model")
	fl.StringVar(&depth, "depth", string(report.Normal), "quick, normal or full")
	for who, value := range parties {
		fl.StringVar(value, string(who), "", "name and public key of "+string(who)+": NAME=FILE.pem")
		_ = c.MarkFlagRequired(string(who))
	}
	_ = c.MarkFlagRequired("question")
	_ = c.MarkFlagRequired("beacon")
	return f.flags(c, false)
}

// fillInit reads the flags of init.
func fillInit(x *dispute.Init, parties map[dispute.Author]*string, gains, budget, depth string) (err error) {
	x.Parties = map[dispute.Author]dispute.Party{}
	for who, value := range parties {
		name, file, ok := strings.Cut(*value, "=")
		if !ok {
			return fmt.Errorf("--%s: %q is not NAME=FILE.pem", who, *value)
		}
		pem, err := readSmall(file)
		if err != nil {
			return fmt.Errorf("--%s: %w", who, err)
		}
		x.Parties[who] = dispute.Party{Name: name, Key: string(pem)}
	}
	switch gains {
	case "a", "b":
		x.Gains = []dispute.Author{dispute.Author(gains)}
	case "both":
		x.Gains = dispute.Sides
	default:
		return oneOf("gains", gains, []string{"a", "b", "both"})
	}
	x.Depth = report.Depth(depth)
	x.Budget, err = report.ParseBytes(budget)
	return err
}

// begin writes the first line of a transcript.
func (f *disputeFlags) begin(c *cobra.Command, dir string, x dispute.Init) error {
	key, err := f.private()
	if err != nil {
		return err
	}
	if len(f.tokens)+len(f.exhibits) > 0 {
		return usageError{errors.New("init: nothing stands before it that a token could stamp, and nobody has committed to anything")}
	}
	t, err := dispute.Begin(c.Context(), x, key)
	if err := forged(c, err); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	if err := replaceFile(filepath.Join(dir, transcriptFile), t.Text(), nil); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.OutOrStdout(), "line 1, head %s\n", t.Head())
	return err
}
