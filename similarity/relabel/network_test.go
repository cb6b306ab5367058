package relabel

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Matrices of next to no values are too many to try all with all long before their products
// are: each try costs something.
func TestManyTinyMatricesArePairedByPlace(t *testing.T) {
	for n, all := range map[int]bool{40: true, 1300: false} {
		net := &network{}
		for i := range n {
			x := &roles.Matrix{Tensor: &tensor.Tensor{Name: fmt.Sprint(i), Shape: []int64{2, 1}}, Rows: 2, Cols: 1}
			net.as, net.bs = append(net.as, x), append(net.bs, x)
		}
		net.viewA, net.viewB = viewsOf(net.as, rowsFirst), viewsOf(net.bs, rowsFirst)
		require.True(t, net.pairUp())
		for k, c := range net.candidates {
			if all {
				require.Len(t, c, n)
			} else {
				require.Equal(t, []int{k}, c)
			}
		}
	}
}
