package mutants

import "bytes"

// Arguments of pickle's instructions: bytes of their own, lines, or a length of
// some bytes before the argument.
var (
	pickleFixed  = map[byte]uint64{'J': 4, 'K': 1, 'M': 2, 'h': 1, 'j': 4, 'q': 1, 'r': 4, 'G': 8, 0x80: 1, 0x82: 1, 0x83: 2, 0x84: 4}
	pickleLines  = map[byte]int{'F': 1, 'I': 1, 'L': 1, 'P': 1, 'S': 1, 'V': 1, 'g': 1, 'p': 1, 'c': 2, 'i': 2}
	pickleLength = map[byte]uint64{'T': 4, 'U': 1, 'X': 4, 'B': 4, 'C': 1, 0x8a: 1, 0x8b: 4, 0x8c: 1, 0x8d: 8, 0x8e: 8, 0x96: 8}
	pickleBare   = []byte("(.012NQRabde}l]ots)u\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98")
)

const pickleFrame = 0x95

// pickleTree takes one pickle apart into its instructions, and returns what is
// behind it. Frames are left out: readers do not need them.
func pickleTree(b []byte) (p *part, rest []byte, err error) {
	c := &cursor{b: b}
	p = &part{kids: []*part{}}
	for !c.bad {
		op := c.take(1)
		if c.bad {
			break
		}
		k := op[0]
		switch {
		case bytes.IndexByte(pickleBare, k) >= 0:
			p.kids = append(p.kids, leaf(op))
		case k == pickleFrame:
			c.take(8)
		case pickleFixed[k] > 0:
			p.kids = append(p.kids, &part{kids: []*part{leaf(op), leaf(c.take(pickleFixed[k]))}})
		case pickleLines[k] > 0:
			p.kids = append(p.kids, &part{kids: []*part{leaf(op), c.lines(pickleLines[k])}})
		case pickleLength[k] > 0:
			p.kids = append(p.kids, &part{kids: []*part{leaf(op), c.prefixed(pickleLength[k])}})
		default:
			c.bad = true
		}
		if k == '.' {
			return p, c.b, nil
		}
	}
	return nil, nil, errCut
}

func (c *cursor) lines(n int) *part {
	p := &part{kids: []*part{}}
	for range n {
		p.kids = append(p.kids, leaf(c.take(uint64(bytes.IndexByte(c.b, '\n')+1))))
	}
	return p
}

// prefixed is an argument behind its length of some bytes.
func (c *cursor) prefixed(width uint64) *part {
	var wide [8]byte
	copy(wide[:], c.take(width))
	return &part{kids: []*part{leaf(c.take(le.Uint64(wide[:])))}, wrap: func(kids [][]byte, lie int64) []byte {
		body := concat(kids)
		return append(le.AppendUint64(nil, uint64(int64(len(body))+lie))[:width:width], body...)
	}}
}

// pickles takes a file apart that holds pickles one behind the other and data
// behind them, as torch before 1.6 wrote it.
func pickles(b []byte) (*part, error) {
	p := &part{kids: []*part{}}
	for len(b) > 0 && b[0] == 0x80 {
		one, rest, err := pickleTree(b)
		if err != nil {
			break
		}
		p.kids, b = append(p.kids, one), rest
	}
	if len(p.kids) == 0 {
		return nil, errCut
	}
	p.kids = append(p.kids, leaf(b))
	return p, nil
}
