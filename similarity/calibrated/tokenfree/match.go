package tokenfree

// mutual returns the pairs that are each other's best in a table of likeness
// (units of B × units of A), and -1 for units of B without one.
func mutual(c []float32, nb, na int) []int {
	forth := make([]int, nb)
	back := make([]int, na)
	best := make([]float32, na)
	for i := range back {
		back[i], best[i] = -1, 0
	}
	for j := range forth {
		forth[j] = -1
		top := float32(0)
		for i, v := range c[j*na : (j+1)*na] {
			if v > top {
				top, forth[j] = v, i
			}
			if v > best[i] {
				best[i], back[i] = v, j
			}
		}
	}
	for j, i := range forth {
		if i >= 0 && back[i] != j {
			forth[j] = -1
		}
	}
	return forth
}
