package main

import (
	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/report/dispute"
	"github.com/weightprint/weightprint/report/intoto"
)

func disputeRunCommand() *cobra.Command {
	var f disputeFlags
	var beacon string
	c := &cobra.Command{
		Use:   "run DIR A B",
		Short: "hold both models against their commitments, compare them, and add the report",
		Long: `run is the runner's step. It refuses a model that differs in any file from what was
committed to, draws the nonce from both commitments and the value of the beacon that
init named, and compares as init stated. The report becomes an exhibit.`,
		Example: `  weightprint dispute run case/ model-a/ model-b/ --beacon 8f3c… --key runner.key.pem`,
		Args:    args(cobra.ExactArgs(3)),
		RunE: func(c *cobra.Command, a []string) error {
			paths, err := localPaths(a[1:])
			if err != nil {
				return err
			}
			return f.step(c, a[0], func(t *dispute.Transcript, with dispute.Attached, key *intoto.PrivateKey) ([]byte, error) {
				return t.Compare(c.Context(), paths[0], paths[1], beacon, with, key)
			})
		},
	}
	c.Flags().StringVar(&beacon, "beacon", "", "the value of the beacon")
	_ = c.MarkFlagRequired("beacon")
	return f.flags(c, false)
}

func localPaths(refs []string) (out []string, err error) {
	for _, ref := range refs {
		path, err := source.Local(ref)
		if err != nil {
			return nil, err
		}
		out = append(out, path)
	}
	return out, nil
}

func disputeCloseCommand() *cobra.Command {
	var f disputeFlags
	c := &cobra.Command{
		Use:   "close DIR",
		Short: "end the record: after the comparison, or with who withholds its opening",
		Long: `close is the runner's last step. After the comparison it states whether labels are
evidence of origin in this dispute. Before the exchange is complete it puts on record
who has not opened its commitment: give the parties the time that was agreed on.`,
		Example: "  weightprint dispute close case/ --key runner.key.pem",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			return f.step(c, a[0], func(t *dispute.Transcript, with dispute.Attached, key *intoto.PrivateKey) ([]byte, error) {
				return nil, t.Close(c.Context(), with, key)
			})
		},
	}
	return f.flags(c, false)
}
