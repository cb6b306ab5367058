package main

import (
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/zoo"
)

// generateCommand writes the pair that speed is measured on.
func generateCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "generate DIR",
		Short: "write synthetic bf16 checkpoints of 1.1 B parameters: parent, child (10 % noise) and stranger",
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, m := range []struct {
				name  string
				seed  uint64
				noise float64
			}{{"parent", 1, 0}, {"child", 1, 0.1}, {"stranger", 2, 0}} {
				if err := zoo.WriteBF16(filepath.Join(args[0], m.name), zoo.TinyLlama(), zoo.TinyLlamaConfig, m.seed, 7, m.noise); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
