package quant

import "encoding/binary"

// The decoders unpack the codes of a few blocks into bytes, eight at a time in a
// word, and hand them to one of the kernels below, which turn codes into values.
// kernel_amd64.s has the same kernels in vector instructions, with the same bits.

// unpacked holds the codes of up to 256 values and what they are scaled by.
type unpacked struct {
	of          [256]byte
	scale, less [16]float32
}

// scaleCodes sets dst[i] = (code − bias)·scale for runs of so many values, each with a
// scale of its own. Codes, with the bias taken off or not, are signed bytes; those of a run begin stride bytes after
// those of the run before it. A run is a multiple of 16 values.
func scaleCodes(dst []float32, code []byte, scale []float32, run, stride, bias int) {
	runs := len(dst) / run
	if runs == 0 {
		return
	}
	scaledRuns(dst[:runs*run], code[:(runs-1)*stride+run], scale[:runs], run, stride, bias)
}

// scaleCodesLess sets dst[i] = code·scale − less for runs of so many values, whose codes
// stand one behind the other. The product is rounded before less is subtracted.
func scaleCodesLess(dst []float32, code []byte, scale, less []float32, run int) {
	runs := len(dst) / run
	if runs == 0 {
		return
	}
	affineRuns(dst[:runs*run], code[:runs*run], scale[:runs], less[:runs], run)
}

// scaleNibbles sets (code − bias)·scale − less for blocks of 32 values, whose codes are
// the low nibbles of sixteen bytes and then the high ones; by holds scale and less of
// each block in turn.
func scaleNibbles(dst []float32, code []byte, by []float32, stride, bias int) {
	blocks := len(dst) / 32
	if blocks == 0 {
		return
	}
	nibbleRuns(dst[:32*blocks], code[:(blocks-1)*stride+16], by[:2*blocks], stride, bias)
}

func scaledRunsPlain(dst []float32, code []byte, scale []float32, run, stride, bias int) {
	for _, d := range scale {
		y := dst[:run]
		for i, c := range code[:run] {
			y[i] = signedBytes[c-byte(bias)] * d
		}
		dst, code = dst[run:], code[min(stride, len(code)):]
	}
}

// signedBytes are the numbers that bytes stand for.
var signedBytes = func() (t [256]float32) {
	for i := range t {
		t[i] = float32(int8(i))
	}
	return t
}()

func affineRunsPlain(dst []float32, code []byte, scale, less []float32, run int) {
	for r, d := range scale {
		y, m := dst[r*run:][:run], less[r]
		for i, c := range code[r*run:][:run] {
			y[i] = float32(signedBytes[c]*d) - m
		}
	}
}

func nibbleRunsPlain(dst []float32, code []byte, by []float32, stride, bias int) {
	for r := range len(by) / 2 {
		y, d, m := dst[32*r:][:32], by[2*r], by[2*r+1]
		for i, c := range code[stride*r:][:16] {
			y[i] = float32(float32(int(c&15)-bias)*d) - m
			y[i+16] = float32(float32(int(c>>4)-bias)*d) - m
		}
	}
}

// fiveBitRunsPlain does so for eight runs of 32 values: the low nibbles of each 32 bytes
// and then the high ones, with fifth bits from the lowest bit of fifth on, or none.
func fiveBitRunsPlain(dst *[256]float32, code *[128]byte, fifth *[32]byte, scale, less *[16]float32) {
	if fifth == &noFifth {
		fourBitRunsPlain(dst, code, scale, less)
		return
	}
	for j := range 4 {
		d0, d1, m0, m1 := scale[2*j], scale[2*j+1], less[2*j], less[2*j+1]
		low, high, qs := dst[64*j:][:32], dst[64*j+32:][:32], code[32*j:][:32]
		for i, c := range qs {
			h := fifth[i] >> (2 * j)
			low[i] = float32(float32(c&15|h&1<<4)*d0) - m0
			high[i] = float32(float32(c>>4|h>>1&1<<4)*d1) - m1
		}
	}
}

// noFifth are the fifth bits of codes of four bits.
var noFifth [32]byte

func fourBitRunsPlain(dst *[256]float32, code *[128]byte, scale, less *[16]float32) {
	for j := range 4 {
		d0, d1, m0, m1 := scale[2*j], scale[2*j+1], less[2*j], less[2*j+1]
		low, high, qs := dst[64*j:][:32], dst[64*j+32:][:32], code[32*j:][:32]
		for i, c := range qs {
			low[i] = float32(float32(c&15)*d0) - m0
			high[i] = float32(float32(c>>4)*d1) - m1
		}
	}
}

func halvesPlain(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = fromHalf(binary.LittleEndian.Uint16(src))
		src = src[2:]
	}
}

func bfloatsPlain(dst []float32, src []byte) {
	for len(dst) >= 4 && len(src) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		dst[0] = fromBits(uint32(v) << 16)
		dst[1] = fromBits(uint32(v) & 0xffff0000)
		dst[2] = fromBits(uint32(v>>32) << 16)
		dst[3] = fromBits(uint32(v>>32) & 0xffff0000)
		dst, src = dst[4:], src[8:]
	}
	for i := range dst {
		dst[i] = fromBits(uint32(binary.LittleEndian.Uint16(src[2*i:])) << 16)
	}
}

func floatsPlain(dst []float32, src []byte) {
	for i := range dst {
		dst[i] = fromBits(binary.LittleEndian.Uint32(src))
		src = src[4:]
	}
}

// ones is a one in every byte.
const ones = 0x0101010101010101

func u64(b []byte) uint64      { return binary.LittleEndian.Uint64(b) }
func put32(b []byte, v uint32) { binary.LittleEndian.PutUint32(b, v) }
func put64(b []byte, v uint64) { binary.LittleEndian.PutUint64(b, v) }

// spread puts each bit of a byte into a byte of its own.
var spread = func() (t [256]uint64) {
	for b := range t {
		for i := range 8 {
			t[b] |= uint64(b>>i&1) << (8 * i)
		}
	}
	return t
}()

// crumbs unpacks the four codes of two bits in each of 32 bytes: the lowest of all
// bytes first.
func crumbs(to *[128]byte, qs *[32]byte) {
	for i := 0; i < 32; i += 8 {
		w := u64(qs[i:])
		put64(to[i:], w&(3*ones))
		put64(to[i+32:], w>>2&(3*ones))
		put64(to[i+64:], w>>4&(3*ones))
		put64(to[i+96:], w>>6&(3*ones))
	}
}
