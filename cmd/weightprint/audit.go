package main

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/report"
)

func auditCommand() *cobra.Command {
	var claim string
	var asJSON bool
	var failOn []string
	c := &cobra.Command{
		Use:   "audit MODEL",
		Short: "hold a claimed lineage against the weights",
		Long: `audit checks an explicit claim, or else the parents that the model's own files
declare (model card, configuration, GGUF keys), and says confirmed, contradicted
or unproven. A claim is a JSON file:

  {"parent": "base/", "relation": "related", "kinds": ["fine-tuned"],
   "direction": "a-to-b", "root": "b3:…"}

Only parent is needed; it is a path, also one relative to the model.`,
		Example: "  weightprint audit suspect/ --claim claim.json --fail-on contradicted",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(c *cobra.Command, a []string) error {
			claims, err := readClaims(claim)
			if err != nil {
				return err
			}
			for _, f := range failOn {
				if known := []string{"confirmed", "contradicted", "unproven"}; !slices.Contains(known, f) {
					return usageError{oneOf("fail-on", f, known)}
				}
			}
			all, err := report.Audit(c.Context(), a[0], claims, nil)
			if err != nil {
				return err
			}
			if asJSON {
				if all == nil {
					all = []report.Audited{}
				}
				if err := report.EncodeJSON(c.OutOrStdout(), map[string]any{"schema": "weightprint.audit/1", "model": a[0], "claims": all}); err != nil {
					return err
				}
			} else if err := report.WriteAudit(c.OutOrStdout(), all); err != nil {
				return err
			}
			for _, x := range all {
				if slices.Contains(failOn, string(x.Outcome)) {
					return exitCode(exitFinding)
				}
			}
			return nil
		},
	}
	fl := c.Flags()
	fl.StringVar(&claim, "claim", "", "JSON file with the claim to check")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	fl.StringSliceVar(&failOn, "fail-on", nil, "exit with 1 on one of these outcomes")
	return c
}

func readClaims(file string) ([]report.LineageClaim, error) {
	if file == "" {
		return nil, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := report.ReadClaim(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return []report.LineageClaim{c}, nil
}
