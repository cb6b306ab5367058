package hdf5

import "math/bits"

// checksum is Bob Jenkins' lookup3 (hashlittle, initial value 0), which guards
// all newer structures of the format.
func checksum(b []byte) uint32 {
	a := 0xdeadbeef + uint32(len(b))
	x, c := a, a
	for len(b) > 12 {
		a, x, c = a+le.Uint32(b), x+le.Uint32(b[4:]), c+le.Uint32(b[8:])
		a, x, c = mix(a, x, c)
		b = b[12:]
	}
	if len(b) == 0 {
		return c
	}
	var last [12]byte
	copy(last[:], b)
	return final(a+le.Uint32(last[:]), x+le.Uint32(last[4:]), c+le.Uint32(last[8:]))
}

func mix(a, b, c uint32) (uint32, uint32, uint32) {
	a = (a - c) ^ bits.RotateLeft32(c, 4)
	c += b
	b = (b - a) ^ bits.RotateLeft32(a, 6)
	a += c
	c = (c - b) ^ bits.RotateLeft32(b, 8)
	b += a
	a = (a - c) ^ bits.RotateLeft32(c, 16)
	c += b
	b = (b - a) ^ bits.RotateLeft32(a, 19)
	a += c
	c = (c - b) ^ bits.RotateLeft32(b, 4)
	b += a
	return a, b, c
}

func final(a, b, c uint32) uint32 {
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}
