package dense

// fill sets the tile. SSE2, which every amd64 processor has, works on four
// results at a time and rounds each product and each sum as plain Go does.
func (t *tile) fill(rows *[tileRows][]float32, panel []float32) {
	d := len(rows[0])
	fillSSE(t, &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], &panel[:d*tileCols][0], d)
}

// fillSSE reads d ≥ 1 values of each row and tileCols·d of the panel.
//
//go:noescape
func fillSSE(t *tile, a0, a1, a2, a3, panel *float32, d int)
