package suite_test

import (
	"fmt"

	"github.com/weightprint/weightprint/similarity/suite"
)

// The second stage runs the tests of the first on more units, and the calibrated
// ones.
func ExampleStage() {
	for stage := range 2 {
		for _, t := range suite.Stage(stage) {
			fmt.Println(stage+1, t.Name)
		}
	}
	// Output:
	// 1 fixed-points
	// 1 order
	// 1 signs
	// 1 swaps
	// 1 leading-directions
	// 1 acting-gains
	// 1 gains
	// 1 likeness
	// 2 fixed-points
	// 2 order
	// 2 signs
	// 2 swaps
	// 2 leading-directions
	// 2 acting-gains
	// 2 gains
	// 2 likeness
	// 2 agreement
	// 2 qk-planes
	// 2 ov-spectra
	// 2 token-gram
	// 2 label-e
	// 2 unit-anchored
	// 2 held-out-agreement
}
