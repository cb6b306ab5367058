package adversary

import (
	"cmp"
	"slices"
)

// largest lists the places of the n largest values, the largest first.
func largest(v []float64, n int) []int {
	at := span(0, len(v))
	slices.SortStableFunc(at, func(i, j int) int { return cmp.Compare(v[j], v[i]) })
	return at[:max(0, min(n, len(at)))]
}
