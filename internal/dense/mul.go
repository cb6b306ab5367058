package dense

import (
	"runtime"
	"slices"
	"sync"
)

// A tile is the product of tileRows rows of A with tileCols rows of B. Each
// loaded value serves several products; every result still sums over d from
// left to right, and so has the same bits whichever tile it falls into.
const tileRows, tileCols = 4, 16

type tile [tileRows * tileCols]float32

// mostRows is how many rows of A share a packing of B: many, so that packing costs little,
// and few enough for them to stay near the processor.
const mostRows = 256

// MulNT sets dst = A·Bᵀ for row-major A (n×d) and B (m×d); dst is n×m.
func MulNT(dst, a, b []float32, n, m, d int) {
	if n == 0 || m == 0 {
		return
	}
	if d == 0 {
		clear(dst[:n*m])
		return
	}
	blocks := (n + mostRows - 1) / mostRows
	rows := ceilTo((n+blocks-1)/blocks, tileRows)
	parts := max(1, min(2*runtime.GOMAXPROCS(0)/blocks, m/tileCols)) // few blocks are split by columns
	cols := ceilTo((m+parts-1)/parts, tileCols)
	parts = (m + cols - 1) / cols
	Parallel((n+rows-1)/rows*parts, func(task int) {
		first, from := task/parts*rows, task%parts*cols
		last := min(first+rows, n)
		mulColumns(dst[first*m:last*m], a[first*d:last*d], b, last-first, m, d, from, min(from+cols, m))
	})
}

// ceilTo is the next multiple.
func ceilTo(n, of int) int { return (n + of - 1) / of * of }

// Gram sets dst = A·Aᵀ for row-major A (n×d), as MulNT would, bit for bit, at
// half the work: the lower half is copied from the upper.
func Gram(dst, a []float32, n, d int) {
	if d == 0 {
		clear(dst[:n*n])
		return
	}
	rows := max(2*tileCols, min(mostRows, n/(4*runtime.GOMAXPROCS(0))/tileCols*tileCols))
	Parallel((n+rows-1)/rows, func(task int) {
		first := task * rows
		gramRows(dst, a, first, min(first+rows, n), n, d)
	})
	mirror(dst, n)
}

// gramRows sets what some rows of a Gram matrix have on the diagonal and above it.
func gramRows(dst, a []float32, first, last, n, d int) {
	panel := newPanel(d)
	defer panels.Put(panel)
	for j := first; j < n; j += tileCols {
		pack(*panel, a, j, n, d)
		end := min(last, j+tileCols)
		mulPanel(dst[first*n:last*n], a[first*d:last*d], *panel, end-first, n, d, j)
	}
}

// mirror copies the upper half of a matrix to the lower, square by square: columns that
// are read lie far apart.
func mirror(x []float32, n int) {
	const side = 32
	for top := 0; top < n; top += side {
		for left := 0; left <= top; left += side {
			for i := top; i < min(top+side, n); i++ {
				for j := left; j < min(left+side, i); j++ {
					x[i*n+j] = x[j*n+i]
				}
			}
		}
	}
}

// SerialNT is MulNT on the caller's processor alone.
func SerialNT(dst, a, b []float32, n, m, d int) {
	if d == 0 {
		clear(dst[:n*m])
		return
	}
	mulColumns(dst, a, b, n, m, d, 0, m)
}

// mulColumns sets the columns of dst from one multiple of tileCols up to another column.
func mulColumns(dst, a, b []float32, n, m, d, from, to int) {
	panel := newPanel(d)
	defer panels.Put(panel)
	for j := from; j < to; j += tileCols {
		pack(*panel, b, j, m, d)
		mulPanel(dst, a, *panel, n, m, d, j)
	}
}

// mulPanel multiplies rows of A with the rows of B from j on that a panel holds.
func mulPanel(dst, a, panel []float32, n, m, d, j int) {
	var t tile
	for i := 0; i < n; i += tileRows {
		var rows [tileRows][]float32
		for r := range rows { // the last row fills what is left of a tile
			at := min(i+r, n-1) * d
			rows[r] = a[at : at+d]
		}
		if i+tileRows <= n && j+tileCols <= m && fillWhole(dst[i*m+j:], m, &rows, panel) {
			continue
		}
		t.fill(&rows, panel)
		for r := range min(tileRows, n-i) {
			copy(dst[(i+r)*m+j:(i+r+1)*m], t[r*tileCols:(r+1)*tileCols])
		}
	}
}

// Packed holds rows of a matrix ready for products with many others, a few at a time.
type Packed struct {
	m, d   int
	panels []float32
}

// Pack lays out the rows of B (m×d, d ≥ 1).
func Pack(b []float32, m, d int) *Packed {
	p := &Packed{m, d, make([]float32, ceilTo(m, tileCols)*d)}
	for j := 0; j < m; j += tileCols {
		pack(p.panels[j*d:], b, j, m, d)
	}
	return p
}

// MulNT sets dst = A·Bᵀ for row-major A (n×d), as the function does, bit for bit, on
// the caller's processor.
func (p *Packed) MulNT(dst, a []float32, n int) {
	for j := 0; j < p.m; j += tileCols {
		mulPanel(dst, a, p.panels[j*p.d:(j+tileCols)*p.d], n, p.m, p.d, j)
	}
}

// Block is how many rows of B lie together.
const Block = tileCols

// Rows sets dst (len(rows) × Block) to the products of some rows of A with those of B
// that a block holds, bit for bit as MulNT does; columns beyond the last row of B hold
// anything. It tells how many rows of B there are.
func (p *Packed) Rows(dst []float32, rows [][]float32, block int) (columns int) {
	panel := p.panels[block*tileCols*p.d:][:tileCols*p.d]
	for i := 0; i < len(rows); i += tileRows {
		var four [tileRows][]float32
		for r := range four {
			four[r] = rows[min(i+r, len(rows)-1)][:p.d]
		}
		var t tile
		t.fill(&four, panel)
		copy(dst[i*tileCols:], t[:min(tileRows, len(rows)-i)*tileCols])
	}
	return min(tileCols, p.m-block*tileCols)
}

// panels keeps the room for packed rows.
var panels = sync.Pool{New: func() any { return new([]float32) }}

func newPanel(d int) *[]float32 {
	panel := panels.Get().(*[]float32)
	*panel = slices.Grow((*panel)[:0], tileCols*d)[:tileCols*d]
	return panel
}

// packed is how many columns are laid out at a time: what four groups of rows write one
// after the other stays in the nearest cache.
const packed = 256

// pack lays out rows j … j+tileCols−1 of B column after column; the last row
// fills what is left of a tile.
func pack(panel, b []float32, j, m, d int) {
	for k := 0; k < d; k += packed {
		width := min(packed, d-k)
		for c := 0; c < tileCols; c += 4 {
			var rows [4][]float32
			for r := range rows {
				at := min(j+c+r, m-1)*d + k
				rows[r] = b[at : at+width]
			}
			interleave(panel[k*tileCols+c:], &rows, width)
		}
	}
}

// interleavePlain lays out d values of each row, value by value, tileCols apart.
func interleavePlain(to []float32, rows *[4][]float32, from, d int) {
	b0, b1, b2, b3 := rows[0][:d], rows[1][:d], rows[2][:d], rows[3][:d]
	for k := from; k < d; k++ {
		to := to[k*tileCols:][:4]
		to[0], to[1], to[2], to[3] = b0[k], b1[k], b2[k], b3[k]
	}
}

// fillPlain is fill in plain Go: two rows by four columns at a time, which fits
// the registers of every processor.
func (t *tile) fillPlain(rows *[tileRows][]float32, panel []float32) {
	for i := 0; i < tileRows; i += 2 {
		x, y := rows[i], rows[i+1]
		y = y[:len(x)]
		for j := 0; j < tileCols; j += 4 {
			var s00, s01, s02, s03, s10, s11, s12, s13 float32
			p := panel[j:]
			for k, u := range x {
				v := y[k]
				q := p[k*tileCols : k*tileCols+4]
				s00 += float32(u * q[0])
				s01 += float32(u * q[1])
				s02 += float32(u * q[2])
				s03 += float32(u * q[3])
				s10 += float32(v * q[0])
				s11 += float32(v * q[1])
				s12 += float32(v * q[2])
				s13 += float32(v * q[3])
			}
			copy(t[i*tileCols+j:], []float32{s00, s01, s02, s03})
			copy(t[(i+1)*tileCols+j:], []float32{s10, s11, s12, s13})
		}
	}
}
