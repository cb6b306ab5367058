package fingerprint

import (
	"encoding/binary"
	"math"
)

// counter counts values by the upper half of their bits. Neighbouring values are often
// alike, and counting in one place has to wait for the count before it: two tables take
// turns. More would leave the fastest cache no room.
type counter [2][bins]uint32

// halves counts stored bfloat16 values.
func (c *counter) halves(raw []byte) {
	t0, t1 := &c[0], &c[1]
	for ; len(raw) >= 16; raw = raw[16:] {
		v, w := binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[8:])
		t0[uint16(v)]++
		t1[uint16(v>>16)]++
		t0[uint16(v>>32)]++
		t1[v>>48]++
		t0[uint16(w)]++
		t1[uint16(w>>16)]++
		t0[uint16(w>>32)]++
		t1[w>>48]++
	}
	for ; len(raw) >= 2; raw = raw[2:] {
		t0[binary.LittleEndian.Uint16(raw)]++
	}
}

// floats counts float32 values.
func (c *counter) floats(values []float32) {
	t0, t1 := &c[0], &c[1]
	for ; len(values) >= 4; values = values[4:] {
		t0[math.Float32bits(values[0])>>16]++
		t1[math.Float32bits(values[1])>>16]++
		t0[math.Float32bits(values[2])>>16]++
		t1[math.Float32bits(values[3])>>16]++
	}
	for _, v := range values {
		t0[math.Float32bits(v)>>16]++
	}
}

// moveTo adds the counts to a histogram and begins anew.
func (c *counter) moveTo(h *histogram) {
	t0, t1 := &c[0], &c[1]
	for b := range h {
		if t0[b]|t1[b] != 0 {
			h[b] += uint64(t0[b]) + uint64(t1[b])
			t0[b], t1[b] = 0, 0
		}
	}
}
