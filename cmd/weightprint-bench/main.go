// Command weightprint-bench measures what weightprint detects and how fast,
// and makes the synthetic models that this needs. It prints results in the
// format of Go benchmarks, so that benchstat can compare runs.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	root := &cobra.Command{Use: "weightprint-bench", Short: "measure weightprint", SilenceUsage: true}
	root.AddCommand(
		generateCommand(),
		remoteCommand(),
		qualityCommand(),
		trapsCommand(),
		calibrateCommand(),
		indexCommand(),
		baseIndexCommand(),
		crawlCommand(),
		pairsCommand(),
		serveCommand(),
		fingerprintCommand(),
		redteamCommand(),
		hostileCommand(),
		campaignCommand(),
		oracleCommand(),
		treeCommand(),
		populateCommand(),
		picturesCommand(),
		arrangedCommand(),
		forgedCommand(),
		evadedCommand(),
		kinlessCommand(),
		attackCommand(),
		powerCommand(),
		ceilingCommand(),
		carryCommand(),
		plantedCommand(),
		speedCommand(),
		decodeCommand(),
		auditsCommand(),
		interruptCommand(),
		hugeCommand(),
	)
	if err := root.ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}
