package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint/commitment"
)

func respondCommand() *cobra.Command {
	var o struct{ opening, challenge, beacon, file string }
	c := &cobra.Command{
		Use:   "respond MODEL --opening FILE --challenge FILE [--beacon VALUE] -o RESPONSE",
		Short: "answer a challenge: sketches, and proofs for the units that are drawn",
		Long: `respond reads the model that was committed to and writes what the challenge asks
for: one-bit sketches, and for each pair of units that is drawn its two rows with
proofs that they are the committed ones.

Without -o it writes nothing and prints the digest of the answer. Publish that
first; then take a second beacon value, younger than the digest, and run respond
again with --beacon and -o. So neither side can forge sketches with the draw in
view, nor copy the other's. Without a second value the answer draws its own
units, and checks charge for it.

Before anything is written it says on the standard error what the response gives
away.`,
		Example: "  weightprint respond model/ --opening model.commit.opening --challenge ab.challenge\n  weightprint respond model/ --opening model.commit.opening --challenge ab.challenge --beacon 'drand 4871300: 07c2…' -o a.response",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			if o.opening == "" || o.challenge == "" {
				return usageError{fmt.Errorf("respond: give --opening FILE and --challenge FILE")}
			}
			to, err := fresh(c, a, o.file, 0o666)
			if err != nil {
				return err
			}
			open, err := readSealed(o.opening, commitment.DecodeOpening)
			if err != nil {
				return err
			}
			challenge, err := readSealed(o.challenge, commitment.DecodeChallenge)
			if err != nil {
				return err
			}
			m, err := openModel(c.Context(), a[0], nil)
			if err != nil {
				return err
			}
			defer m.Close()
			stop := watch(c, m)
			r, err := commitment.Respond(c.Context(), m, open, challenge, o.beacon)
			stop()
			if err != nil {
				return err
			}
			if err := m.Verify(); err != nil {
				return err
			}
			return publish(c, r, to, o.file != "")
		},
	}
	fl := c.Flags()
	fl.StringVar(&o.opening, "opening", "", "secret opening that commit wrote")
	fl.StringVar(&o.challenge, "challenge", "", "challenge to answer")
	fl.StringVar(&o.beacon, "beacon", "", "public value of after the answer's digest")
	fl.StringVarP(&o.file, "output", "o", "", "response to write")
	return c
}

// publish writes a response, or only prints its answer's digest.
func publish(c *cobra.Command, r *commitment.Response, to *destination, whole bool) error {
	if whole {
		pairs, _ := r.Pairs()
		values := 0
		for _, p := range r.Proofs {
			values += (len(p[0].Row) + len(p[1].Row)) / 4
		}
		fmt.Fprintf(c.ErrOrStderr(), "this response gives away %d bits of sketches, the names and shapes of %d tensors, and %d rows of the model in full: %d values\n", pairs*commitment.SketchBits, len(r.Answer.Tensors), 2*len(r.Proofs), values)
		if err := to.bytes(r.Encode()); err != nil || to.target == nil {
			return err
		}
	}
	fmt.Fprintf(c.OutOrStdout(), "answer %s\n", r.Answer.Digest())
	return nil
}
