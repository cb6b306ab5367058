// Command extract writes the networks of the demonstration into a folder, for scripts:
//
//	go run ./internal/demo/extract FOLDER
package main

import (
	"fmt"
	"os"

	"github.com/weightprint/weightprint/internal/demo"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: extract FOLDER")
		os.Exit(2)
	}
	if err := demo.Extract(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
