package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint/commitment"
)

func challengeCommand() *cobra.Command {
	var file, beacon string
	var open int
	c := &cobra.Command{
		Use:   "challenge COMMIT_A [COMMIT_B] [--beacon VALUE] -o CHALLENGE",
		Short: "draw what two commitments, or one, have to answer",
		Long: `challenge fixes which units are to be sketched, and along which projections. The
draw follows from the commitments and the beacon value alone: both parties, and
anyone else, make the same file.

--beacon takes a value that nobody could know when the commitments were
published, such as the randomness of a drand round, or a hash of closing prices
agreed on beforehand. Without it the party that committed last could try out
commitments; a challenge to a single commitment is refused without it.`,
		Example: "  weightprint challenge a.commit b.commit --beacon 'drand 4871234: 9ad1…' -o ab.challenge",
		Args:    args(cobra.RangeArgs(1, 2)),
		RunE: func(c *cobra.Command, a []string) error {
			if file == "" {
				return usageError{fmt.Errorf("challenge: give -o FILE")}
			}
			to, err := fresh(c, a, file, 0o666)
			if err != nil {
				return err
			}
			var all []commitment.Commitment
			for _, name := range a {
				x, err := readSealed(name, commitment.DecodeCommitment)
				if err != nil {
					return err
				}
				all = append(all, x)
			}
			x, err := commitment.NewChallenge(beacon, open, all...)
			if err != nil {
				return usageError{err}
			}
			if err := to.bytes(x.Encode()); err != nil {
				return err
			}
			if to.target == nil {
				return nil // the bytes themselves are the result
			}
			fmt.Fprintf(c.OutOrStdout(), "challenge %s\n", x.Digest())
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVarP(&file, "output", "o", "", "challenge to write")
	fl.StringVar(&beacon, "beacon", "", "public value of after the commitments")
	fl.IntVar(&open, "open", commitment.DefaultOpen, fmt.Sprintf("pairs of units that each party has to open, at most %d", commitment.MaxOpen))
	return c
}
