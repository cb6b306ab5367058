package mutants

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"

	"github.com/weightprint/weightprint/internal/hostile"
)

// part is a piece of a file: bytes, or parts that wrap puts together.
type part struct {
	raw  []byte
	kids []*part
	// wrap joins what became of the kids. lie is added to one length or count,
	// and zero for a file that agrees with itself. Nil where they just follow
	// each other.
	wrap func(kids [][]byte, lie int64) []byte

	up    *part  // what it is part of
	whole []byte // as it is in the file
	held  uint64 // the last mutant in which it or a part of it was changed
	edit  uint64 // the last mutant in which it was, as how says
	how   change
}

func leaf(b []byte) *part { return &part{raw: b} }

// change is what is done to one part.
type change struct {
	drop, double bool
	by           *part // stands in its place
	before       *part // stands before it
	damage       bool  // of its bytes
	lie          int64 // in its length or count
}

// Seed is a file that was taken apart. It makes one mutant at a time.
type Seed struct {
	root *part
	all  []*part // but the root, in order
	fix  func([]byte)
	made uint64 // mutants so far
}

func seedOf(root *part, fix func([]byte)) *Seed {
	s := &Seed{root: root, fix: fix}
	var walk func(*part)
	walk = func(p *part) {
		for _, k := range p.kids {
			k.up = p
			s.all = append(s.all, k)
			walk(k)
		}
		p.whole = p.join(nil, none)
	}
	walk(root)
	return s
}

// edits are the changes of one mutant: those of the parts that bear its number.
type edits uint64

// none changes nothing.
const none = ^edits(0)

func (e edits) add(p *part, c change) {
	p.edit, p.how = uint64(e), c
	for ; p != nil; p = p.up {
		p.held = uint64(e)
	}
}

// of is what is done to a part.
func (e edits) of(p *part) change {
	if p.edit == uint64(e) {
		return p.how
	}
	return change{}
}

// Whole is the file put together again without damage. It may be written
// otherwise than the file was, and says the same.
func (s *Seed) Whole() []byte { return bytes.Clone(s.root.whole) }

// Parts is how many pieces the file was taken into.
func (s *Seed) Parts() int { return len(s.all) }

// most bounds a mutant, in bytes.
const most = 64 << 10

// Mutate is one mutant. Equal generators give equal mutants.
func (s *Seed) Mutate(r *rand.Rand) []byte {
	s.made++
	e := edits(s.made)
	s.root.held = s.made
	for range 1 + r.IntN(3) {
		if len(s.all) > 0 {
			e.add(s.all[r.IntN(len(s.all))], s.change(r))
		}
	}
	b := bytes.Clone(s.root.join(r, e))
	if r.IntN(8) == 0 || len(s.all) == 0 {
		b = hostile.Mutate(r, b)
	}
	if len(b) > most {
		b = b[:most]
	}
	if s.fix != nil && r.IntN(8) > 0 {
		s.fix(b)
	}
	return b
}

// lies are the amounts by which lengths and counts are wrong.
var lies = []int64{1, -1, 8, -8, 255, 1 << 16, 1 << 31, 1 << 40, -1 << 63, 1<<63 - 1}

// change draws what is done to a part.
func (s *Seed) change(r *rand.Rand) change {
	donor := s.all[r.IntN(len(s.all))]
	switch r.IntN(8) {
	case 0:
		return change{drop: true}
	case 1:
		return change{double: true}
	case 2:
		return change{by: donor}
	case 3:
		return change{before: donor}
	case 4:
		return change{lie: lies[r.IntN(len(lies))]}
	}
	return change{damage: true}
}

// join puts a part together, damaged as edits say.
func (p *part) join(r *rand.Rand, e edits) []byte {
	switch {
	case p.whole != nil && p.held != uint64(e):
		return p.whole
	case p.kids == nil:
		return p.raw
	}
	kids := make([][]byte, 0, len(p.kids)+2)
	for _, k := range p.kids {
		if k.held == uint64(e) {
			kids = k.changed(kids, r, e)
		} else {
			kids = append(kids, k.whole)
		}
	}
	if p.wrap == nil {
		return concat(kids)
	}
	return p.wrap(kids, e.of(p).lie)
}

// changed adds what becomes of a part: none, one or two. What comes from elsewhere
// is as it was in the file, so that nothing grows without end.
func (p *part) changed(kids [][]byte, r *rand.Rand, e edits) [][]byte {
	c := e.of(p)
	if c.drop {
		return kids
	}
	var b []byte
	if c.by != nil {
		b = c.by.whole
	} else {
		b = p.join(r, e)
	}
	if c.damage {
		b = damaged(r, b)
	}
	switch {
	case c.double:
		return append(kids, b, b)
	case c.before != nil:
		return append(kids, c.before.whole, b)
	}
	return append(kids, b)
}

// damaged changes the bytes of a field: a number to an edge where it may be one.
func damaged(r *rand.Rand, b []byte) []byte {
	if n := len(b); n > 0 && n <= 8 && r.IntN(2) == 0 {
		out := make([]byte, 8)
		binary.LittleEndian.PutUint64(out, hostile.Edge(r))
		return out[:n]
	}
	return hostile.Mutate(r, b)
}

func concat(all [][]byte) []byte {
	n := 0
	for _, b := range all {
		n += len(b)
	}
	out := make([]byte, 0, n)
	for _, b := range all {
		out = append(out, b...)
	}
	return out
}
