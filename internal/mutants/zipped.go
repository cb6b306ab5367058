package mutants

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"io"
	"strings"
)

// entry is a member of an archive: its name and its content, stored.
const entryParts = 2

// zipTree takes an archive apart; content takes members apart.
func zipTree(b []byte, content func(name string, b []byte) *part) (*part, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	p := &part{kids: []*part{}, wrap: zipped}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(io.LimitReader(r, most))
		if err != nil {
			return nil, err
		}
		p.kids = append(p.kids, &part{kids: []*part{leaf([]byte(f.Name)), content(f.Name, body)}, wrap: member})
	}
	return p, nil
}

// member puts the length of the name before name and content.
func member(kids [][]byte, lie int64) []byte {
	if len(kids) < entryParts {
		return nil
	}
	out := le.AppendUint16(nil, uint16(len(kids[0])))
	out = append(le.AppendUint32(out, uint32(lie)), kids[0]...)
	return append(out, concat(kids[1:])...)
}

// zipped writes an archive without compression, content at multiples of 64 as
// torch puts it.
func zipped(kids [][]byte, lie int64) []byte {
	var out, directory []byte
	for _, k := range kids {
		if len(k) < 6 || len(k) < 6+int(le.Uint16(k)) {
			out = append(out, k...) // bytes between members
			continue
		}
		name, body := k[6:6+int(le.Uint16(k))], k[6+int(le.Uint16(k)):]
		size, sum := uint32(len(body))+le.Uint32(k[2:]), crc32.ChecksumIEEE(body)
		common := le.AppendUint32([]byte{20, 0, 0, 0, 0, 0, 0, 0, 0, 0}, sum)
		common = le.AppendUint32(le.AppendUint32(common, size), size)
		common = le.AppendUint16(common, uint16(len(name)))
		at := len(out)
		pad := (64 - (at+30+len(name)+4)%64) % 64
		out = append(append(out, "PK\x03\x04"...), common...)
		out = append(le.AppendUint16(out, uint16(pad+4)), name...)
		out = append(le.AppendUint16(append(out, "FB"...), uint16(pad)), bytes.Repeat([]byte("Z"), pad)...)
		out = append(out, body...)
		directory = append(append(directory, "PK\x01\x02\x14\x00"...), common...)
		directory = append(directory, make([]byte, 12)...)
		directory = append(le.AppendUint32(directory, uint32(at)), name...)
	}
	n := uint16(bytes.Count(directory, []byte("PK\x01\x02\x14\x00")))
	at := uint32(len(out))
	out = append(append(out, directory...), "PK\x05\x06\x00\x00\x00\x00"...)
	out = le.AppendUint16(le.AppendUint16(out, n), n)
	out = le.AppendUint32(le.AppendUint32(out, uint32(len(directory))), uint32(int64(at)+lie))
	return append(out, 0, 0)
}

// torchTree takes a checkpoint apart: an archive with pickles, or pickles alone.
func torchTree(b []byte) (*part, error) {
	if !bytes.HasPrefix(b, []byte("PK")) {
		return pickles(b)
	}
	return zipTree(b, func(name string, b []byte) *part {
		if !strings.HasSuffix(name, ".pkl") {
			return leaf(b)
		}
		p, rest, err := pickleTree(b)
		if err != nil {
			return leaf(b)
		}
		return &part{kids: []*part{p, leaf(rest)}}
	})
}

// numpyTree takes an array or an archive of arrays apart.
func numpyTree(b []byte) (*part, error) {
	if bytes.HasPrefix(b, []byte("PK")) {
		return zipTree(b, func(_ string, b []byte) *part {
			p, err := arrayTree(b)
			if err != nil {
				return leaf(b)
			}
			return p
		})
	}
	return arrayTree(b)
}

// arrayTree is magic, version, the length of the header, the header, numbers.
func arrayTree(b []byte) (*part, error) {
	c := &cursor{b: b}
	head := c.take(8)
	width := uint64(2)
	if !c.bad && head[6] > 1 {
		width = 4
	}
	header := c.prefixed(width)
	if c.bad {
		return nil, errCut
	}
	header.kids[0] = split(header.kids[0].raw, " ,:'()[]{}")
	return &part{kids: []*part{leaf(head), header, leaf(c.b)}}, nil
}

// kerasTree takes an archive of Keras apart: JSON and HDF5.
func kerasTree(b []byte) (*part, error) {
	return zipTree(b, func(name string, b []byte) *part {
		if strings.HasSuffix(name, ".json") {
			return jsonTree(b)
		}
		return words(b, 8)
	})
}
