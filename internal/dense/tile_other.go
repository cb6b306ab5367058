//go:build !amd64 || purego

package dense

// fill sets the tile.
func (t *tile) fill(rows *[tileRows][]float32, panel []float32) { t.fillPlain(rows, panel) }
