package stats

import "slices"

// LongestIncreasing is the length of the longest strictly increasing
// subsequence (patience sorting).
func LongestIncreasing(seq []int) int {
	var tops []int
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
