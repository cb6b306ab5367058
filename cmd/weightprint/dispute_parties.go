package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/report/dispute"
	"github.com/weightprint/weightprint/report/intoto"
)

func disputeCommitCommand() *cobra.Command {
	var f disputeFlags
	var opening, seen string
	var unseen bool
	c := &cobra.Command{
		Use:   "commit DIR MODEL",
		Short: "commit to the files of your model, which nobody learns anything of",
		Long: `commit digests every file of MODEL, writes the secret opening to --opening, and adds
the commitment to the transcript. State with it whether you have had the other
party's file: --unseen, or --seen "since May 2025: it is public". A false statement
is yours, signed.`,
		Example: "  weightprint dispute commit case/ model/ --as a --unseen --opening a.opening --key a.key.pem",
		Args:    args(cobra.ExactArgs(2)),
		RunE: func(c *cobra.Command, a []string) error {
			who, err := f.who()
			if err != nil {
				return err
			}
			if unseen == (seen != "") {
				return usageError{errors.New("commit: state either --unseen or --seen")}
			}
			path, err := source.Local(a[1])
			if err != nil {
				return err
			}
			o, err := dispute.NewOpening(c.Context(), path)
			if err != nil {
				return err
			}
			secret, err := fresh(c, a[1:], opening, 0o600)
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, with dispute.Attached, key *intoto.PrivateKey) ([]byte, error) {
				if err := t.Commit(c.Context(), who, o, seen, with, key); err != nil {
					return nil, err
				}
				text, err := o.Encode()
				if err != nil {
					return nil, err
				}
				f.undo = append(f.undo, func() { _ = os.Remove(opening) })
				return nil, secret.bytes(text) // before the commitment: one that nobody can open is worth nothing
			})
		},
	}
	c.Flags().StringVar(&opening, "opening", "", "secret file to write: it opens the commitment at the exchange")
	c.Flags().BoolVar(&unseen, "unseen", false, "state that you have never had the other party's file")
	c.Flags().StringVar(&seen, "seen", "", "state since when and how you have had the other party's file")
	_ = c.MarkFlagRequired("opening")
	return f.flags(c, true)
}

func disputeExchangeCommand() *cobra.Command {
	var f disputeFlags
	var opening string
	c := &cobra.Command{
		Use:     "exchange DIR",
		Short:   "open your commitment, once both have committed: the digests of your files",
		Example: "  weightprint dispute exchange case/ --as a --opening a.opening --key a.key.pem",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			who, err := f.who()
			if err != nil {
				return err
			}
			text, err := readSmall(opening)
			if err != nil {
				return err
			}
			o, err := dispute.DecodeOpening(text)
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, with dispute.Attached, key *intoto.PrivateKey) ([]byte, error) {
				return nil, t.Exchange(c.Context(), who, o, with, key)
			})
		},
	}
	c.Flags().StringVar(&opening, "opening", "", "the secret file that commit wrote")
	_ = c.MarkFlagRequired("opening")
	return f.flags(c, true)
}
