package mutants

import (
	"fmt"
	"math/bits"

	"github.com/zeebo/blake3"
)

// ownFiles are the purposes of the digests that end this program's files, by
// the magic that begins them.
var ownFiles = map[string]string{
	"WPRINT\r\n": "weightprint v1 fingerprint file", "WPCOMMIT": "weightprint v1 commitment file", "WPOPEN\r\n": "weightprint v1 opening file",
	"WPCHAL\r\n": "weightprint v1 challenge file", "WPRESP\r\n": "weightprint v1 response file",
}

const digestBytes = 32

// sealed writes the digest that ends a file of this program.
func sealed(b []byte) {
	end := len(b) - digestBytes
	if end < 8 || ownFiles[string(b[:8])] == "" {
		return
	}
	h := blake3.NewDeriveKey(ownFiles[string(b[:8])])
	h.Write(b[:end])
	h.Sum(b[end:end])
}

// tarSums rights the checksums of the headers of a tar.
func tarSums(b []byte) {
	for ; len(b) >= 512; b = b[512:] {
		if string(b[257:262]) != "ustar" {
			continue
		}
		copy(b[148:156], "        ")
		sum := 0
		for _, x := range b[:512] {
			sum += int(x)
		}
		copy(b[148:156], fmt.Sprintf("%06o\x00 ", sum))
	}
}

// hdf5Sums rights the checksums of the object headers of HDF5.
func hdf5Sums(b []byte) {
	for at := 0; at+8 < len(b); at++ {
		if string(b[at:at+4]) != "OHDR" || b[at+5]&0x30 != 0 {
			continue
		}
		n := 1 << (b[at+5] & 3)
		if at+6+n > len(b) {
			continue
		}
		var wide [8]byte
		copy(wide[:], b[at+6:at+6+n])
		if size := le.Uint64(wide[:]); size <= uint64(len(b)) {
			end := at + 6 + n + int(size)
			if end+4 <= len(b) {
				le.PutUint32(b[end:], lookup3(b[at:end]))
			}
		}
	}
}

// lookup3 is Bob Jenkins' hash of bytes, with initial value 0.
func lookup3(p []byte) uint32 {
	a := 0xdeadbeef + uint32(len(p))
	b, c := a, a
	for ; len(p) > 12; p = p[12:] {
		a, b, c = a+le.Uint32(p), b+le.Uint32(p[4:]), c+le.Uint32(p[8:])
		for _, n := range [2][3]int{{4, 6, 8}, {16, 19, 4}} {
			a, c = (a-c)^bits.RotateLeft32(c, n[0]), c+b
			b, a = (b-a)^bits.RotateLeft32(a, n[1]), a+c
			c, b = (c-b)^bits.RotateLeft32(b, n[2]), b+a
		}
	}
	if len(p) == 0 {
		return c
	}
	var last [12]byte
	copy(last[:], p)
	a, b, c = a+le.Uint32(last[:]), b+le.Uint32(last[4:]), c+le.Uint32(last[8:])
	c = (c ^ b) - bits.RotateLeft32(b, 14)
	a = (a ^ c) - bits.RotateLeft32(c, 11)
	b = (b ^ a) - bits.RotateLeft32(a, 25)
	c = (c ^ b) - bits.RotateLeft32(b, 16)
	a = (a ^ c) - bits.RotateLeft32(c, 4)
	b = (b ^ a) - bits.RotateLeft32(a, 14)
	return (c ^ b) - bits.RotateLeft32(b, 24)
}
