package formats

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// Names in sorted lists are found as in a map, and one that stands twice is told,
// whatever shards they come in.
func TestNamesAreThoseOfAMap(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		all, want, doubled := names(nil), map[string]*tensor.Tensor{}, false
		for range 1 + r.IntN(4) {
			var shard []*tensor.Tensor
			for range r.IntN(6) {
				x := &tensor.Tensor{Name: fmt.Sprint(r.IntN(40))}
				doubled = doubled || want[x.Name] != nil
				shard, want[x.Name] = append(shard, x), x
			}
			var twice *tensor.Tensor
			all, twice = all.with(shard)
			require.Equal(t, doubled, twice != nil, "seed %d", seed)
			if doubled {
				break
			}
		}
		if doubled {
			continue
		}
		require.Len(t, all, len(want))
		for i := range 40 {
			require.Same(t, want[fmt.Sprint(i)], all.find(fmt.Sprint(i)))
		}
	}
}
