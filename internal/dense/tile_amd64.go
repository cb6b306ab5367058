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
		fillAVX2(&t[0], &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], &p[0], d, tileCols)
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

// fillAVX2 reads all of them, and sets rows that begin so many values apart.
//
//go:noescape
func fillAVX2(t *float32, a0, a1, a2, a3, panel *float32, d, apart int)

// fillWhole sets the tileRows×tileCols results that begin at dst, m values from row to
// row, where a processor can do so without a tile between.
func fillWhole(dst []float32, m int, rows *[tileRows][]float32, panel []float32) bool {
	if !simd.AVX2 {
		return false
	}
	d := len(rows[0])
	p := panel[:d*tileCols]
	_ = dst[(tileRows-1)*m+tileCols-1]
	fillAVX2(&dst[0], &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], &p[0], d, m)
	return true
}

// interleave lays out d values of each row, value by value, tileCols apart.
func interleave(to []float32, rows *[4][]float32, d int) {
	blocks := d / 4
	if blocks > 0 {
		_ = to[(4*blocks-1)*tileCols+3]
		interleaveSSE(&to[0], &rows[0][0], &rows[1][0], &rows[2][0], &rows[3][0], blocks)
	}
	interleavePlain(to, rows, 4*blocks, d)
}

// interleaveSSE lays out four values of each row at a time, blocks ≥ 1 times.
//
//go:noescape
func interleaveSSE(to, b0, b1, b2, b3 *float32, blocks int)
