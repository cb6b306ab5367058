//go:build !unix

package main

import (
	"errors"

	"github.com/spf13/cobra"
)

func interruptCommand() *cobra.Command {
	return &cobra.Command{Use: "interrupt", Short: "interrupt every verb (on Unix only)", RunE: func(*cobra.Command, []string) error { return errors.New("signals are sent on Unix only") }}
}
