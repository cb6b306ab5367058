package main

import (
	"fmt"
	"math/rand/v2"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/adversary"
)

// attackCommand writes what one attack makes, so that any program can be tried on it.
func attackCommand() *cobra.Command {
	var own, victim, out string
	var seed uint64
	c := &cobra.Command{
		Use:   "attack [NAME]",
		Short: "carry out one attack on checkpoints and write what it makes; without a name, list the attacks",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, a := range listed() {
					fmt.Fprintln(c.OutOrStdout(), a.name)
				}
				return nil
			}
			for _, a := range listed() {
				if a.name != args[0] {
					continue
				}
				v, err := open(c.Context(), "victim", victim)
				if err != nil {
					return err
				}
				var o *adversary.Decoder
				if a.two {
					r, err := open(c.Context(), "own", own)
					if err != nil {
						return err
					}
					o = r.net
				}
				return a.apply(rand.New(rand.NewPCG(seed, 0xa77)), o, v.net).Write(out)
			}
			return fmt.Errorf("no attack is called %q", args[0])
		},
	}
	c.Flags().StringVar(&victim, "victim", "", "checkpoint of the victim")
	c.Flags().StringVar(&own, "own", "", "checkpoint of the accuser, for arrangements and passengers")
	c.Flags().StringVarP(&out, "output", "o", "", "folder to write")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of what is drawn")
	return c
}

type listedAttack struct {
	name  string
	two   bool // an own network is needed
	apply func(r *rand.Rand, own, victim *adversary.Decoder) *adversary.Decoder
}

func listed() (all []listedAttack) {
	for _, a := range append(append([]adversary.Arrangement(nil), adversary.Arrangements...), adversary.Plants...) {
		all = append(all, listedAttack{a.Name, true, a.Apply})
	}
	for _, f := range adversary.Forgeries {
		all = append(all, listedAttack{f.Name, false, func(r *rand.Rand, _, v *adversary.Decoder) *adversary.Decoder { return f.Apply(r, v) }})
		if f.Publish != nil {
			all = append(all, listedAttack{f.Name + " (what the victim publishes)", false, func(r *rand.Rand, _, v *adversary.Decoder) *adversary.Decoder { return f.Publish(r, v) }})
		}
	}
	for _, e := range adversary.Evasions {
		all = append(all, listedAttack{e.Name, false, func(r *rand.Rand, _, v *adversary.Decoder) *adversary.Decoder { return e.Apply(r, v) }})
	}
	return all
}
