package mutants

import "encoding/binary"

// protoTree takes a protocol buffer apart, messages in messages.
func protoTree(b []byte) (*part, error) {
	p := protoMessage(b, 0)
	if p == nil {
		return nil, errCut
	}
	return p, nil
}

// protoMessage returns nil for what is no message.
func protoMessage(b []byte, depth int) *part {
	p := &part{kids: []*part{}}
	for len(b) > 0 {
		tag, n := binary.Uvarint(b)
		if n <= 0 || tag>>3 == 0 || tag>>3 > 1<<10 {
			return nil
		}
		field := &part{kids: []*part{leaf(b[:n:n])}}
		rest := b[n:]
		size := 0
		switch tag & 7 {
		case 0:
			if _, size = binary.Uvarint(rest); size <= 0 {
				return nil
			}
		case 1:
			size = 8
		case 5:
			size = 4
		case 2:
			length, n := binary.Uvarint(rest)
			if n <= 0 || length > uint64(len(rest)-n) {
				return nil
			}
			field.kids = append(field.kids, protoBytes(rest[n:][:length:length], depth))
			b, p.kids = rest[uint64(n)+length:], append(p.kids, field)
			continue
		default:
			return nil
		}
		if size > len(rest) {
			return nil
		}
		field.kids = append(field.kids, leaf(rest[:size:size]))
		b, p.kids = rest[size:], append(p.kids, field)
	}
	return p
}

// protoBytes is a field of a length: a message where it reads as one.
func protoBytes(b []byte, depth int) *part {
	inside := leaf(b)
	if len(b) > 0 && depth < 12 {
		if m := protoMessage(b, depth+1); m != nil {
			inside = m
		}
	}
	return &part{kids: []*part{inside}, wrap: func(kids [][]byte, lie int64) []byte {
		body := concat(kids)
		return append(binary.AppendUvarint(nil, uint64(int64(len(body))+lie)), body...)
	}}
}
