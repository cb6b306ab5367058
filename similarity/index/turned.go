package index

import "math"

// turned is a block of keys turned on its side, as vector instructions want it: word
// w of key i is at [w][i].
type turned [keyBytes / 8][blockSize]uint64

// turn fills in the keys of a block; places beyond the last hold what they held.
func (t *turned) turn(keys []byte) {
	for i := 0; len(keys) > 0; i, keys = i+1, keys[keyBytes:] {
		k := keys[:keyBytes]
		for w := range t {
			t[w][i] = le.Uint64(k[8*w:])
		}
	}
}

// block is the keys of a block in one of two forms, by what the processor can do.
type block struct {
	n    int // keys
	side *turned
	rows []byte
}

// key gives one key.
func (b *block) key(i int) (k [keyBytes]byte) {
	if b.side == nil {
		return [keyBytes]byte(b.rows[i*keyBytes:])
	}
	for w := range b.side {
		le.PutUint64(k[8*w:], b.side[w][i])
	}
	return k
}

func (b *block) flags(i int) uint16 {
	if b.side == nil {
		return le.Uint16(b.rows[i*keyBytes+atFlags:])
	}
	return uint16(b.side[atFlags/8][i] >> (8 * (atFlags % 8)))
}

func (b *block) content(i int) uint32 {
	if b.side == nil {
		return le.Uint32(b.rows[i*keyBytes:])
	}
	return uint32(b.side[0][i])
}

// tokens are the bits of tokens of a key.
func (b *block) tokens(i int) (t [4]uint64) {
	for w := range t {
		if at := atTokens + 8*w; b.side == nil {
			t[w] = le.Uint64(b.rows[i*keyBytes+at:])
		} else {
			t[w] = b.side[at/8][i]
		}
	}
	return t
}

// keySpace is room for one block.
type keySpace struct {
	block block
	rows  [blockSize * keyBytes]byte
	side  turned
}

// take makes a block of keys, in the form that compare wants.
func (s *keySpace) take(keys []byte) *block {
	s.block = block{n: len(keys) / keyBytes, rows: keys}
	if vectors {
		s.side.turn(keys)
		s.block.side = &s.side
	}
	return &s.block
}

// far stands among the distances of a block for what cannot be compared.
const far = math.MaxUint32

// bounded is a distance among those of a block. No two keys are 2³¹ bits apart: what is
// as large stands for no distance at all, or for no limit.
func bounded(d int) uint32 {
	if d >= math.MaxInt32 {
		return far
	}
	return uint32(d)
}

// apart is how far the keys of a block are from what is asked, by each kind of bits;
// the third counts what was found and so is the larger the nearer.
type apart struct {
	of   [channels][blockSize]uint32
	hits [blockSize / 8]uint8 // a bit for each key within a limit or of the content
}

// hit tells whether a key is within a limit or has the content.
func (a *apart) hit(i int) bool { return a.hits[i/8]>>(i%8)&1 != 0 }

// distances are those of asked.distances.
func (a *apart) distances(i int) (d [channels]int) {
	for c := range d {
		d[c] = a.distance(c, i)
	}
	return d
}

// distance is one of these.
func (a *apart) distance(channel, i int) int {
	switch d := a.of[channel][i]; {
	case channel == found:
		return -int(d)
	case d == far:
		return math.MaxInt
	default:
		return int(d)
	}
}

// Places among the distances: of what tokens find, and of little-used tokens.
const (
	found  = 2
	tokens = 3
)

// sought is a key that is asked for, and limits, as vector instructions want them.
type sought struct {
	units    [summaryLayers][unitWords]uint64
	residual [2]uint64
	tokens   [4]uint64
	profiles [summaryProbed][2]uint64
	places   [summaryProbed]uint64
	length   uint64 // of the axis of units; nowhere for none
	dim      uint64 // where it stands in its word
	hidden   uint64
	content  uint64
	tokened  uint64           // all bits if there are tokens
	limits   [channels]uint64 // of distances; the least of what is found
	near     uint64           // NearKeyProfile, four times
}

// nowhere is a length that no key has.
const nowhere = 1 << 40

func seek(a *asked) *sought {
	s := &sought{units: a.units, residual: a.residual, tokens: a.tokens, profiles: a.profiles, places: a.places, length: nowhere, dim: uint64(a.dim) << 32, hidden: nowhere, content: uint64(le.Uint32(a.root[:])), near: NearKeyProfile * 0x0001000100010001}
	if a.length > 0 {
		s.length = uint64(a.length)
	}
	if a.hidden > 0 {
		s.hidden = uint64(a.hidden)
	}
	if a.hasTokens {
		s.tokened = math.MaxUint64
	}
	return s
}

// within sets the limits, in the terms of asked.distances.
func (s *sought) within(limits [channels]int) {
	for c, l := range limits {
		s.limits[c] = uint64(bounded(l))
	}
	s.limits[found] = uint64(max(0, -limits[found]))
}

// comparePlain is compare in plain Go.
func (b *block) comparePlain(a *asked, s *sought, out *apart) {
	clear(out.hits[:])
	for i := range b.n {
		k := b.key(i)
		d := a.distances(&k)
		d[found] = -d[found]
		hit := uint64(b.content(i)) == s.content || uint64(d[found]) >= s.limits[found]
		for c := range d {
			out.of[c][i] = bounded(d[c])
			hit = hit || c != found && uint64(out.of[c][i]) <= s.limits[c]
		}
		if hit {
			out.hits[i/8] |= 1 << (i % 8)
		}
	}
}
