package hostile

import (
	"bytes"
	"math/rand/v2"
)

// edges are numbers at which length fields and counts go wrong.
var edges = []uint64{0, 1, 2, 7, 8, 31, 32, 64, 127, 128, 255, 256, 1 << 12, 1<<15 - 1, 1 << 15, 1<<16 - 1, 1 << 16, 1 << 20, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1 << 40, 1<<63 - 1, 1 << 63, 1<<64 - 1}

// Edge draws a number at which length fields and counts go wrong, or one beside it.
func Edge(r *rand.Rand) uint64 { return edges[r.IntN(len(edges))] + uint64(r.IntN(3)) - 1 }

// Mutate returns a damaged copy of a file: one to four changes of the kinds that
// readers of headers and lengths have to expect. Equal generators give equal
// damage.
func Mutate(r *rand.Rand, file []byte) []byte {
	b := bytes.Clone(file)
	for range 1 + r.IntN(4) {
		b = changes[r.IntN(len(changes))](r, b)
	}
	return b
}

// changes are the kinds of damage. Each takes files of any length.
var changes = []func(r *rand.Rand, b []byte) []byte{bit, value, cut, hole, twice, number, digits, letter, exchanged, filled}

// place is a place of a file, more often near its beginning, where headers are.
func place(r *rand.Rand, n int) int {
	if n > 64 && r.IntN(2) == 0 {
		n = min(n, 1<<(6+r.IntN(6)))
	}
	return r.IntN(n)
}

// piece is a short run of a file.
func piece(r *rand.Rand, b []byte) (from, to int) {
	from = place(r, len(b))
	return from, min(len(b), from+1+r.IntN(32))
}

func bit(r *rand.Rand, b []byte) []byte {
	if len(b) > 0 {
		b[place(r, len(b))] ^= 1 << r.IntN(8)
	}
	return b
}

func value(r *rand.Rand, b []byte) []byte {
	if len(b) > 0 {
		b[place(r, len(b))] = byte(r.Uint32())
	}
	return b
}

func cut(r *rand.Rand, b []byte) []byte {
	if len(b) > 0 {
		b = b[:r.IntN(len(b))]
	}
	return b
}

// hole takes a piece out.
func hole(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	from, to := piece(r, b)
	return append(b[:from:from], b[to:]...)
}

// twice puts a piece in again, somewhere.
func twice(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	from, to := piece(r, b)
	at := place(r, len(b))
	return bytes.Join([][]byte{b[:at], b[from:to], b[at:]}, nil)
}

// number writes an edge over a field of one to eight bytes.
func number(r *rand.Rand, b []byte) []byte {
	width := 1 << r.IntN(4)
	if len(b) < width {
		return b
	}
	at, v := place(r, len(b)-width+1), Edge(r)
	for i := range width {
		b[at+i] = byte(v >> (8 * i))
	}
	return b
}

// digits changes a digit of a text to one or several others.
func digits(r *rand.Rand, b []byte) []byte {
	return replaced(r, b, func(c byte) bool { return c >= '0' && c <= '9' }, "0", "9", "00", "-1", "1e9", "99999999999999999999", "0.5", "")
}

// letter changes a sign of JSON.
func letter(r *rand.Rand, b []byte) []byte {
	return replaced(r, b, func(c byte) bool { return bytes.IndexByte([]byte(`{}[],:"`), c) >= 0 }, "{", "}", "[", "]", ",", ":", `"`, `\`, "", "{{", "[[", `\u0000`, "null")
}

// replaced changes one of the bytes that are of a kind.
func replaced(r *rand.Rand, b []byte, is func(byte) bool, by ...string) []byte {
	if len(b) == 0 {
		return b
	}
	at := place(r, len(b))
	for at < len(b) && !is(b[at]) {
		at++
	}
	if at == len(b) {
		return b
	}
	return bytes.Join([][]byte{b[:at], []byte(by[r.IntN(len(by))]), b[at+1:]}, nil)
}

// exchanged swaps two pieces of one length.
func exchanged(r *rand.Rand, b []byte) []byte {
	n := 1 << r.IntN(5)
	if len(b) < 2*n {
		return b
	}
	x, y := place(r, len(b)-n+1), place(r, len(b)-n+1)
	for i := range n {
		b[x+i], b[y+i] = b[y+i], b[x+i]
	}
	return b
}

// filled overwrites a piece with one value.
func filled(r *rand.Rand, b []byte) []byte {
	if len(b) == 0 {
		return b
	}
	from, to := piece(r, b)
	v := []byte{0, 0xff, ' ', '"'}[r.IntN(4)]
	for i := range b[from:to] {
		b[from+i] = v
	}
	return b
}
