package exact

import "github.com/weightprint/weightprint/similarity"

// Tests lists the exact tests of a stage.
func Tests(stage int) []*similarity.Test {
	return []*similarity.Test{FixedPoints(stage), Order(stage), Signs(stage), Swaps(stage)}
}
