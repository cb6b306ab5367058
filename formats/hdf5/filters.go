package hdf5

import (
	"bytes"
	"compress/zlib"
	"io"
)

// filter is one step that chunks went through when they were written.
type filter struct {
	id   uint16
	data []uint32
}

// pipeline is all of them in the order of writing.
type pipeline []filter

// Filters that are read.
const (
	filterDeflate  = 1
	filterShuffle  = 2
	filterFletcher = 3
)

var filterNames = map[uint16]string{4: "szip", 5: "nbit", 6: "scale-offset", 32000: "LZF", 32001: "Blosc", 32004: "LZ4", 32008: "bitshuffle", 32013: "ZFP", 32015: "Zstandard", 32026: "Blosc2"}

// pipeline reads a filter pipeline message.
func (f *file) pipeline(m *message) (pipeline, error) {
	if m == nil {
		return nil, nil
	}
	v, n := m.version(1, 2), m.u8()
	if v == 1 {
		m.skip(6)
	}
	m.require(n <= 32, "%d filters", n)
	var out pipeline
	for i := 0; i < int(n) && m.err == nil; i++ {
		at := m.here()
		s := filter{id: m.u16()}
		name := uint64(0)
		if v == 1 || s.id >= 256 {
			name = uint64(m.u16())
		}
		m.skip(2)
		values := uint64(m.u16())
		if v == 1 {
			name = (name + 7) &^ 7
		}
		m.skip(name)
		x := m.part(4*values, "filter")
		if v == 1 && values%2 == 1 {
			m.skip(4)
		}
		for range values {
			s.data = append(s.data, x.u32())
			if x.err != nil {
				return nil, x.err
			}
		}
		if s.id < filterDeflate || s.id > filterFletcher {
			return nil, f.unsupported(at, "filter", "filter %d (%s) is not read", s.id, filterNames[s.id])
		}
		out = append(out, s)
	}
	return out, m.err
}

// undo turns a stored chunk back into its n bytes. mask has a bit for each
// filter that was skipped.
func (p pipeline) undo(b []byte, mask uint32, n int) ([]byte, string) {
	for i := len(p) - 1; i >= 0; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		var why string
		switch p[i].id {
		case filterDeflate:
			b, why = inflate(b, n+4)
		case filterShuffle:
			b, why = unshuffle(b, p[i].data)
		case filterFletcher:
			b, why = fletcher(b)
		}
		if why != "" {
			return nil, why
		}
	}
	if len(b) != n {
		return nil, "the chunk has another size once its filters are undone"
	}
	return b, ""
}

// inflate undoes gzip's method, up to a number of bytes.
func inflate(b []byte, most int) ([]byte, string) {
	z, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, "the compressed data are broken: " + err.Error()
	}
	out, err := io.ReadAll(io.LimitReader(z, int64(most)+1))
	if err != nil {
		return nil, "the compressed data are broken: " + err.Error()
	}
	if len(out) > most {
		return nil, "the compressed data hold more than the chunk"
	}
	return out, ""
}

// unshuffle puts together the bytes of each element, which lie plane by plane.
// What is left over at the end stays where it is.
func unshuffle(b []byte, data []uint32) ([]byte, string) {
	if len(data) != 1 || data[0] == 0 || data[0] > 1<<10 {
		return nil, "the shuffle filter does not say how long elements are"
	}
	size := int(data[0])
	n := len(b) / size
	out := bytes.Clone(b)
	for j := range size {
		for i := range n {
			out[i*size+j] = b[j*n+i]
		}
	}
	return out, ""
}

// fletcher checks and takes off the checksum behind a chunk (Fletcher's of 16
// bit words, high byte first; older writers have its bytes swapped).
func fletcher(b []byte) ([]byte, string) {
	if len(b) < 4 {
		return nil, "a chunk without its checksum"
	}
	body, want := b[:len(b)-4], le.Uint32(b[len(b)-4:])
	var x, y uint32
	for i := 0; i < len(body); i += 2 {
		w := uint32(body[i]) << 8
		if i+1 < len(body) {
			w |= uint32(body[i+1])
		}
		x = (x + w) % 65535
		y = (y + x) % 65535
	}
	got := y<<16 | x
	swapped := got&0x00ff00ff<<8 | got&0xff00ff00>>8
	if got != want && swapped != want && fold(got) != fold(want) {
		return nil, "the checksum of a chunk is wrong"
	}
	return body, ""
}

// fold takes the two forms of zero of a sum modulo 65535 for one.
func fold(v uint32) uint32 {
	if v&0xffff == 0xffff {
		v &^= 0xffff
	}
	if v>>16 == 0xffff {
		v &= 0xffff
	}
	return v
}
