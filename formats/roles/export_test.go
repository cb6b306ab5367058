package roles

import "strings"

// TwiceListed lists the names that stand in more than one row of a table.
func TwiceListed() (twice []string) {
	inLayers, outside := map[string]int{}, map[string]int{}
	for _, row := range layerRows {
		for _, n := range strings.Fields(row.names) {
			if inLayers[n]++; inLayers[n] > 1 {
				twice = append(twice, n)
			}
		}
	}
	for _, row := range towerRows {
		for _, n := range strings.Fields(row.names) {
			if outside[n]++; outside[n] > 1 {
				twice = append(twice, n)
			}
		}
	}
	types := map[string]int{}
	for _, f := range families {
		for _, n := range strings.Fields(f.types) {
			if types[n]++; types[n] > 1 {
				twice = append(twice, n)
			}
		}
	}
	return twice
}
