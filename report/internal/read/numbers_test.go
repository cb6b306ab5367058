package read

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// Names are compared by the numbers that are taken out of them.
func TestByNumbers(t *testing.T) {
	names := []string{"", ".", "a", "1", "a.1", "a.2.b", "a.2.b.0", "a.10", "a.+2", "a.-1.x", "a.1x.3", "1.2.3", "1.2", "x..7", "99999999999999999999.4", "a.2.", "07"}
	for _, a := range names {
		for _, b := range names {
			_, x := numbers(a)
			_, y := numbers(b)
			require.Equal(t, slices.Compare(x, y), comparedByNumbers(a, b), "%q and %q", a, b)
		}
	}
}
