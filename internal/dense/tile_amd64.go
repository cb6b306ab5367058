//go:build !purego

package dense

import "github.com/weightprint/weightprint/internal/simd"

// fill sets the tile. SSE2, which every amd64 processor has, works on four results
// at a time and AVX2 on eight; both round each product and each sum as plain Go
// does.
func (t *tile) fill(rows *[tileRows][]float32, panel []float32) {
	d := len(rows[0])
	p := panel[:d*tileCols]
	if simd.AVX2 {
		fillAVX2(&t[0], &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], &p[0], d)
		return
	}
	t.fillNarrow(rows, p)
}

// fillNarrow does so on a processor without AVX2.
func (t *tile) fillNarrow(rows *[tileRows][]float32, p []float32) {
	d := len(rows[0])
	for c := 0; c < tileCols; c += 8 {
		fillSSE(&t[c], &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], &p[c], d)
	}
}

// fillSSE reads d ≥ 1 values of each row and eight of every sixteen of the panel, and
// sets as many columns of the tile.
//
//go:noescape
func fillSSE(t *float32, a0, a1, a2, a3, panel *float32, d int)

// fillAVX2 reads all of them.
//
//go:noescape
func fillAVX2(t *float32, a0, a1, a2, a3, panel *float32, d int)
