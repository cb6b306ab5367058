package main

import (
	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/recipe"
)

func recipeCommand() *cobra.Command {
	var asJSON bool
	var file string
	c := &cobra.Command{
		Use:   "recipe CHILD PARENT…",
		Short: "find which parents a merged model was mixed from, and how",
		Long: `recipe fits the child to the parents, layer by layer, and names the method that
explains it down to the rounding of its storage: copy, linear, slerp,
task-arithmetic, ties, dare, or whole layers spliced. Parents that took no part
get weight 0. A single parent, or a sibling of the child, looks the same: made from
it, or both from a third; weights name no direction. Relations are from label tests
alone; compare examines further. Give the base model too where task vectors may have been used.`,
		Example: "  weightprint recipe merged/ finetune-a/ finetune-b/ base/",
		Args:    args(cobra.MinimumNArgs(2)),
		RunE: func(c *cobra.Command, refs []string) error {
			to, err := destine(c, refs, file, isResult)
			if err != nil {
				return err
			}
			ctx := c.Context()
			var in []report.Input
			var open []*formats.Checkpoint
			for _, ref := range refs {
				m, err := openModel(ctx, ref, nil)
				if err != nil {
					return err
				}
				defer m.Close()
				open, in = append(open, m), append(in, report.FromCheckpoint(ctx, m))
			}
			stop := watch(c, open...)
			r, err := recipe.Find(ctx, in[0], in[1:], nil)
			stop()
			if err != nil {
				return err
			}
			if asJSON {
				return to.write(r.WriteJSON)
			}
			return to.write(r.WriteText)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	c.Flags().StringVarP(&file, "output", "o", "", "write the result to a file")
	return c
}
