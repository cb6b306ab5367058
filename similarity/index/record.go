package index

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"
	"strings"
	"sync"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/sketches"
)

const (
	recordBytes = 1024
	magic       = "WPINDEX1"
	checkBytes  = 16

	flagComplete    = 1 // the root is over all values
	flagQuarantined = 2 // nothing of the entry can be tested: constant or generic content
	flagRemoval     = 4 // no entry: offset is the number of a record that is removed
	knownFlags      = flagComplete | flagQuarantined | flagRemoval
)

// MaxNameBytes is the length of the longest name.
const MaxNameBytes = 160

// record is the fixed part of an entry.
type record struct {
	name   string
	root   fingerprint.Digest
	offset int64 // of the details
	size   int64
	flags  uint32
	Summary
}

// summarise makes the record of an entry.
func summarise(e Entry) record {
	f := e.Fingerprint
	r := record{name: e.Name, root: ContentOf(f), Summary: SummaryOf(f)}
	if f.Complete {
		r.flags |= flagComplete
	}
	if !sketches.Testable(f) {
		r.flags |= flagQuarantined
	}
	return r
}

// Summary is what the scan compares: the first sketched units of three layers
// and of the residual stream, what tokens find in two layers, and the signs of
// some products among little-used tokens.
type Summary struct {
	Length, Dim uint32 // of the sketched MLP axes
	Hidden      uint32 // of the residual axis
	Units       [summaryLayers][summaryWords]uint64
	Residual    [summaryWords]uint64
	Places      [summaryProbed][summaryPlaces / 4]uint64 // of the units that tokens find, 16 bits each, the first lowest
	Profiles    [summaryProbed][summaryProfiles]uint64
	Tokens      [tokenWords]uint64 // zeros if there are none
}

const (
	summaryLayers   = 3
	summaryWords    = 16 // 8 units of 128 bits
	summaryProbed   = 2
	summaryPlaces   = 16
	summaryProfiles = 8
	tokenWords      = 8
	tokenBytes      = 8 * tokenWords
)

// NoPlace stands in Places for a token that finds no unit.
const NoPlace = 0xffff

// SummaryOf summarises a fingerprint.
func SummaryOf(f *fingerprint.Fingerprint) (s Summary) {
	var mlp []*fingerprint.Sketch
	for i := range f.Sketches {
		if x := &f.Sketches[i]; strings.HasSuffix(x.Axis, ".residual") {
			if s.Hidden == 0 {
				s.Hidden = uint32(x.Length)
				copy(s.Residual[:], x.Words)
			}
		} else {
			mlp = append(mlp, x)
		}
	}
	if len(mlp) > 0 {
		s.Length, s.Dim = uint32(mlp[0].Length), uint32(mlp[0].Dim)
		for k, i := range [summaryLayers]int{0, len(mlp) / 2, len(mlp) - 1} {
			copy(s.Units[k][:], mlp[i].Words)
		}
	}
	for k := range s.Places {
		for i := range s.Places[k] {
			s.Places[k][i] = math.MaxUint64
		}
		if k < len(f.Probes) {
			s.probe(k, &f.Probes[k])
		}
	}
	s.Tokens = tokensOf(f.Tokens)
	return s
}

// tokensOf picks pairs of tokens: of those whose hashes fall on one bit, the pair
// of the least hash sets it. So models whose little-used tokens are mostly the
// same pick mostly the same pairs.
func tokensOf(t *fingerprint.Tokens) (words [tokenWords]uint64) {
	if t == nil {
		return words
	}
	var least [64 * tokenWords]uint64
	table, n := t.Table(), len(t.Rows)
	for j := range n {
		for i := range j {
			sign := table[j*n+i]
			h := mix(uint64(t.Rows[i])<<32 | uint64(t.Rows[j]))
			bit := h % uint64(len(least))
			if sign == 0 || least[bit] != 0 && least[bit] <= h {
				continue
			}
			least[bit] = h
			words[bit/64] &^= 1 << (bit % 64)
			if sign > 0 {
				words[bit/64] |= 1 << (bit % 64)
			}
		}
	}
	return words
}

// mix is the finaliser of splitmix64.
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s *Summary) probe(k int, p *fingerprint.Probes) {
	for t, u := range p.Units[:min(summaryPlaces, len(p.Units))] {
		place := uint64(NoPlace)
		if u >= 0 {
			place = uint64(u) % NoPlace
		}
		shift := t % 4 * 16
		s.Places[k][t/4] = s.Places[k][t/4]&^(NoPlace<<shift) | place<<shift
	}
	copy(s.Profiles[k][:], p.Profile)
}

// distances are four ways in which two summaries may be near: units of a layer,
// residual dimensions, what tokens find, little-used tokens. Smaller is nearer.
func (s *Summary) distances(o *Summary) (d [channels]int) {
	for c := range d {
		d[c] = s.apart(c, o)
	}
	return d
}

// apart is one of these distances.
func (s *Summary) apart(channel int, o *Summary) int { return apartBy[channel](s, o) }

var apartBy = [channels]func(s, o *Summary) int{(*Summary).unitsApart, (*Summary).residualApart, (*Summary).foundApart, (*Summary).tokensApart}

func (s *Summary) unitsApart(o *Summary) int {
	least := math.MaxInt
	if s.Length == o.Length && s.Dim == o.Dim && s.Length > 0 {
		for i := range s.Units {
			for j := range o.Units {
				least = min(least, differing(s.Units[i][:], o.Units[j][:]))
			}
		}
	}
	return least
}

func (s *Summary) residualApart(o *Summary) int {
	if s.Hidden != o.Hidden || s.Hidden == 0 {
		return math.MaxInt
	}
	return differing(s.Residual[:], o.Residual[:])
}

func (s *Summary) foundApart(o *Summary) int {
	most := 0
	for i := range s.Places {
		for j := range o.Places {
			most = max(most, s.found(i, &o.Places[j], &o.Profiles[j]))
		}
	}
	return -most
}

func (s *Summary) tokensApart(o *Summary) int {
	if s.Tokens == ([tokenWords]uint64{}) || o.Tokens == ([tokenWords]uint64{}) {
		return math.MaxInt
	}
	return differing(s.Tokens[:], o.Tokens[:])
}

const channels = 4

func differing(a, b []uint64) int {
	n := 0
	for i, v := range a {
		n += bits.OnesCount64(v ^ b[i])
	}
	return n
}

// found counts the tokens that find a unit at the same place as another's, and twice
// those whose units look alike.
func (s *Summary) found(i int, places *[summaryPlaces / 4]uint64, profiles *[summaryProfiles]uint64) int {
	n := 0
	for w, v := range s.Places[i] {
		n += bits.OnesCount64(notZero16(^v) &^ notZero16(v^places[w])) // places, and of these the same
	}
	for t, v := range s.Profiles[i] {
		if v != 0 && profiles[t] != 0 && sketches.ProfilesAlike(v, profiles[t]) {
			n += 2
		}
	}
	return n
}

// encode gives the stored form. Its layout: magic 8 · root 32 · offset 8 · size 8 · flags 4 · length 4 ·
// dim 4 · hidden 4 · MLP words 384 · residual words 128 · places 64 · profiles
// 128 · name length 2 · name 160 · zeros · token words 64 · digest 16.
func (r *record) encode() []byte {
	b := make([]byte, 0, recordBytes)
	b = append(b, magic...)
	b = append(b, r.root[:]...)
	b = le.AppendUint64(b, uint64(r.offset))
	b = le.AppendUint64(b, uint64(r.size))
	for _, v := range []uint32{r.flags, r.Length, r.Dim, r.Hidden} {
		b = le.AppendUint32(b, v)
	}
	for _, words := range r.fields() {
		for _, w := range words {
			b = le.AppendUint64(b, w)
		}
	}
	b = le.AppendUint16(b, uint16(len(r.name)))
	b = append(b, r.name...)
	b = b[:recordBytes]
	for w, v := range r.Tokens {
		le.PutUint64(b[recordBytes-checkBytes-tokenBytes+8*w:], v)
	}
	copy(b[recordBytes-checkBytes:], check(b[:recordBytes-checkBytes]))
	return b
}

// fields lists the words of a summary in stored order.
func (s *Summary) fields() [2*summaryProbed + summaryLayers + 1][]uint64 {
	w, p, q := &s.Units, &s.Places, &s.Profiles
	return [...][]uint64{w[0][:], w[1][:], w[2][:], s.Residual[:], p[0][:], p[1][:], q[0][:], q[1][:]}
}

// check is the digest that ends a record and a header.
func check(b []byte) []byte {
	h := checkers.Get().(*blake3.Hasher)
	defer checkers.Put(h)
	h.Reset()
	h.Write(b)
	var sum [32]byte
	return h.Sum(sum[:0])[:checkBytes]
}

// checkers keeps hashers, as deriving a key and clearing their state costs more than
// a record does.
var checkers = sync.Pool{New: func() any { return blake3.NewDeriveKey("weightprint v1 index record") }}

// decode reads a record and checks its digest.
func decode(b []byte) (r record, err error) {
	if string(b[:len(magic)]) != magic || !bytes.Equal(check(b[:recordBytes-checkBytes]), b[recordBytes-checkBytes:]) {
		return r, ErrCorrupt
	}
	return parse(b)
}

// parse is decode for a record whose digest was seen to agree.
func parse(b []byte) (r record, err error) {
	at := r.numbers(b)
	n := int(le.Uint16(b[at:]))
	if n > MaxNameBytes || r.offset < 0 || r.size < 0 || r.size > fingerprint.MaxFileBytes || r.flags&^knownFlags != 0 {
		return r, fmt.Errorf("%w: name of %d bytes, details of %d at %d, flags %#x", ErrCorrupt, n, uint64(r.size), uint64(r.offset), r.flags)
	}
	r.name = string(b[at+2 : at+2+n])
	return r, nil
}

// numbers reads all but the name and returns where that begins.
func (r *record) numbers(b []byte) int {
	at := len(magic)
	at += copy(r.root[:], b[at:])
	r.offset, r.size = int64(le.Uint64(b[at:])), int64(le.Uint64(b[at+8:]))
	at += 16
	r.flags = le.Uint32(b[at:])
	for c := range channels {
		at = r.part(c, b)
	}
	return at
}

// lengthsAt is where a record holds the lengths of axes, in front of its words.
const lengthsAt = len(magic) + len(fingerprint.Digest{}) + 8 + 8 + 4

// part reads what a record holds for one kind of distance, and returns where the words
// of all end.
func (s *Summary) part(channel int, b []byte) int {
	s.Length, s.Dim, s.Hidden = le.Uint32(b[lengthsAt:]), le.Uint32(b[lengthsAt+4:]), le.Uint32(b[lengthsAt+8:])
	at := lengthsAt + 12
	for k, words := range s.fields() {
		if channelOf[k] == channel {
			load(words, b[at:])
		}
		at += 8 * len(words)
	}
	if channel == channels-1 {
		load(s.Tokens[:], b[tokensAt:])
	}
	return at
}

// channelOf says for which distance each field is.
var channelOf = [...]int{0, 0, 0, 1, found, found, found, found}

func load(words []uint64, b []byte) {
	b = b[:8*len(words)]
	for i := range words {
		words[i] = le.Uint64(b[8*i:])
	}
}
