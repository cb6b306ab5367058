package stats

import "slices"

// LongestIncreasing is the length of the longest strictly increasing
// subsequence (patience sorting).
func LongestIncreasing(seq []int) int {
	var room [64]int // no more is needed by most who ask
	tops := room[:0]
	for _, v := range seq {
		i, _ := slices.BinarySearch(tops, v)
		if i == len(tops) {
			tops = append(tops, v)
		} else {
			tops[i] = v
		}
	}
	return len(tops)
}
