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

// A task multiplies so many rows of A, which share a packing of B: many, so that
// packing costs little, and few enough to keep all processors at work.
const fewestPerTask, mostPerTask = 32, 256

func rowsPerTask(n int) int {
	return max(fewestPerTask, min(mostPerTask, n/(2*runtime.GOMAXPROCS(0))/tileRows*tileRows))
}

// gramRowsPerTask is the same for Gram matrices, of which larger blocks repeat more.
const gramRowsPerTask = 32

// MulNT sets dst = A·Bᵀ for row-major A (n×d) and B (m×d); dst is n×m.
func MulNT(dst, a, b []float32, n, m, d int) {
	if n == 0 || m == 0 {
		return
	}
	rows := rowsPerTask(n)
	Parallel((n+rows-1)/rows, func(task int) {
		first := task * rows
		last := min(first+rows, n)
		SerialNT(dst[first*m:last*m], a[first*d:last*d], b, last-first, m, d)
	})
}

// Gram sets dst = A·Aᵀ for row-major A (n×d), as MulNT would, bit for bit, at
// half the work: the lower half is copied from the upper.
func Gram(dst, a []float32, n, d int) {
	Parallel((n+gramRowsPerTask-1)/gramRowsPerTask, func(task int) {
		first := task * gramRowsPerTask
		last := min(first+gramRowsPerTask, n)
		part := make([]float32, (last-first)*(n-first))
		SerialNT(part, a[first*d:last*d], a[first*d:], last-first, n-first, d)
		for i := first; i < last; i++ {
			copy(dst[i*n+first:(i+1)*n], part[(i-first)*(n-first):])
		}
	})
	for i := range n {
		for j := range i {
			dst[i*n+j] = dst[j*n+i]
		}
	}
}

// SerialNT is MulNT on the caller's processor alone.
func SerialNT(dst, a, b []float32, n, m, d int) {
	if d == 0 {
		clear(dst[:n*m])
		return
	}
	panel := panels.Get().(*[]float32)
	defer panels.Put(panel)
	*panel = slices.Grow((*panel)[:0], tileCols*d)[:tileCols*d]
	for j := 0; j < m; j += tileCols {
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
	p := &Packed{m: m, d: d}
	for j := 0; j < m; j += tileCols {
		panel := make([]float32, tileCols*d)
		pack(panel, b, j, m, d)
		p.panels = append(p.panels, panel...)
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

// panels keeps the room for packed rows.
var panels = sync.Pool{New: func() any { return new([]float32) }}

// pack lays out rows j … j+tileCols−1 of B column after column; the last row
// fills what is left of a tile.
func pack(panel, b []float32, j, m, d int) {
	for c := 0; c < tileCols; c += 4 {
		var rows [4][]float32
		for r := range rows {
			at := min(j+c+r, m-1) * d
			rows[r] = b[at : at+d]
		}
		interleave(panel[c:], &rows, d)
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
