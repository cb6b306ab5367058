//go:build !amd64 || purego

package dense

// fill sets the tile.
func (t *tile) fill(rows *[tileRows][]float32, panel []float32) { t.fillPlain(rows, panel) }

// fillWhole leaves everything to tiles.
func fillWhole([]float32, int, *[tileRows][]float32, []float32) bool { return false }

// interleave lays out d values of each row, value by value, tileCols apart.
func interleave(to []float32, rows *[4][]float32, d int) { interleavePlain(to, rows, 0, d) }
