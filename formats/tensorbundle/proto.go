package tensorbundle

import "encoding/binary"

// fields calls f for each field of a message: number, integer, bytes. It reports
// false where the message cannot be read.
func fields(p []byte, f func(number int, n uint64, b []byte) bool) bool {
	for len(p) > 0 {
		tag, k := binary.Uvarint(p)
		if k <= 0 || tag>>3 == 0 || tag>>3 > 1<<28 {
			return false
		}
		p = p[k:]
		var n uint64
		var b []byte
		switch tag & 7 {
		case 0:
			if n, k = binary.Uvarint(p); k <= 0 {
				return false
			}
		case 1, 5:
			if k = 8 - int(tag&4); len(p) < k {
				return false
			}
		case 2:
			var size uint64
			if size, k = binary.Uvarint(p); k <= 0 || size > uint64(len(p)-k) {
				return false
			}
			b = p[k : k+int(size)]
			k += int(size)
		default:
			return false
		}
		p = p[k:]
		if !f(int(tag>>3), n, b) {
			return false
		}
	}
	return true
}

// header is the BundleHeaderProto, which stands under the empty name.
type header struct {
	shards    uint64
	bigEndian bool
}

func headerOf(p []byte) (h header, ok bool) {
	ok = fields(p, func(number int, n uint64, _ []byte) bool {
		switch number {
		case 1:
			h.shards = n
		case 2:
			h.bigEndian = n == 1
			return n <= 1
		}
		return true
	})
	return h, ok
}

// entry is the BundleEntryProto of a tensor.
type entry struct {
	dtype                     uint64
	shape                     []int64
	shard, offset, size       uint64
	sliced, unknown, overlong bool
}

// maxRank bounds the axes of a tensor.
const maxRank = 64

func entryOf(p []byte) (e entry, ok bool) {
	ok = fields(p, func(number int, n uint64, b []byte) bool {
		switch number {
		case 1:
			e.dtype = n
		case 2:
			return fields(b, e.dimension)
		case 3:
			e.shard = n
		case 4:
			e.offset = n
		case 5:
			e.size = n
		case 7:
			e.sliced = true
		}
		return true
	})
	return e, ok && !e.overlong && !e.unknown
}

// dimension takes one field of a TensorShapeProto.
func (e *entry) dimension(number int, n uint64, b []byte) bool {
	switch number {
	case 2:
		size := int64(0)
		if !fields(b, func(number int, n uint64, _ []byte) bool {
			if number == 1 {
				size = int64(n)
			}
			return true
		}) {
			return false
		}
		if e.overlong = len(e.shape) == maxRank; e.overlong {
			return false
		}
		e.shape = append(e.shape, size)
	case 3:
		e.unknown = n != 0
	}
	return true
}
