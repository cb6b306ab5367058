// Command crossarch prints the digests of the fingerprints of all golden
// inputs, one a line. run.sh builds it for several processors and compares.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/golden"
)

func main() {
	for i := range golden.Count {
		f, err := fingerprint.Compute(context.Background(), golden.Input(i), nil)
		if err != nil {
			fmt.Fprintln(os.Stderr, i, err)
			os.Exit(1)
		}
		fmt.Printf("%03d %s\n", i, f.Digest())
	}
}
