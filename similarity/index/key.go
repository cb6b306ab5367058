package index

import (
	"math"
	"math/bits"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/sketches"
)

// A key is the part of a record that a scan looks at: 256 bytes instead of 1024,
// so that a million take a few hundredths of a second. It holds the first half of
// each kind of bits. What is near by its key is asked again by its whole summary,
// and the nearest of these are tested.
//
//	content 4 · length 4 · hidden 4 · dim 2 · flags 2 · units 3 × 48 ·
//	residual 16 · tokens 32 · profiles 2 × 8 × 2 · places 2 × 8
type key struct {
	length, hidden uint32
	dim            uint16
	units          [summaryLayers][unitWords]uint64 // three units of 128 bits
	residual       [2]uint64                        // one
	tokens         [4]uint64
	profiles       [summaryProbed][2]uint64 // the low 16 bits of each
	places         [summaryProbed]uint64    // 8 places modulo 255
}

const (
	keyBytes  = 256
	unitWords = 6
	noByte    = 0xff // NoPlace among places modulo 255

	// Screened is how many of the nearest entries by each kind of bits in their
	// keys are asked by their whole summaries. Of a million strangers none is
	// nearer by 384 bits than a relative whose units have a cosine of .35 with
	// probability .998, of .3 with .97.
	Screened = 4096
)

// keyFlags of records that are no entries.
const (
	keyRemoval = 1 << 14 // content and length hold the number of the removed record
	keyBad     = 1 << 15 // the record cannot be read
)

// keyOf takes a key out of a record.
func keyOf(r *record) (k key) {
	k.length, k.hidden, k.dim = r.Length, r.Hidden, uint16(min(r.Dim, math.MaxUint16))
	for i := range k.units {
		copy(k.units[i][:], r.Units[i][:])
	}
	copy(k.residual[:], r.Residual[:])
	copy(k.tokens[:], r.Tokens[:])
	for i := range k.profiles {
		for t, p := range r.Profiles[i] {
			k.profiles[i][t/4] |= p & 0xffff << (t % 4 * 16)
		}
		for t := range 8 {
			place := r.Places[i][t/4] >> (t % 4 * 16) & NoPlace
			if place = place % noByte; r.Places[i][t/4]>>(t%4*16)&NoPlace == NoPlace {
				place = noByte
			}
			k.places[i] |= place << (8 * t)
		}
	}
	return k
}

// encodeKey appends the stored form of the key of a record; r is nil for one that
// cannot be read.
func encodeKey(b []byte, r *record) []byte {
	switch {
	case r == nil:
		return noEntry(b, keyBad, 0)
	case r.flags&flagRemoval != 0:
		return noEntry(b, keyRemoval, uint64(r.offset))
	}
	k := keyOf(r)
	return k.encode(append(b, r.root[:4]...), uint16(r.flags))
}

// encode appends what follows the content.
func (k *key) encode(b []byte, flags uint16) []byte {
	b = le.AppendUint32(b, k.length)
	b = le.AppendUint32(b, k.hidden)
	b = le.AppendUint16(b, k.dim)
	b = le.AppendUint16(b, flags)
	for _, words := range [...][]uint64{k.units[0][:], k.units[1][:], k.units[2][:], k.residual[:], k.tokens[:], k.profiles[0][:], k.profiles[1][:], k.places[:]} {
		for _, w := range words {
			b = le.AppendUint64(b, w)
		}
	}
	return b
}

// noEntry appends the key of a record that is none.
func noEntry(b []byte, flags uint16, number uint64) []byte {
	var k [keyBytes]byte
	le.PutUint64(k[:], number)
	le.PutUint16(k[atFlags:], flags)
	return append(b, k[:]...)
}

// asked is a key that others are held against.
type asked struct {
	key
	root      fingerprint.Digest
	present   [summaryProbed][2]uint64 // the top bit of each 16 that hold a profile
	placed    [summaryProbed]uint64    // the top bit of each 8 that hold a place
	hasTokens bool
}

func ask(f *fingerprint.Fingerprint) *asked {
	r := summarise(Entry{Fingerprint: f})
	a := &asked{key: keyOf(&r), root: r.root}
	a.complete()
	return a
}

// complete works out what follows from the key.
func (a *asked) complete() {
	for i := range a.profiles {
		for w, p := range a.profiles[i] {
			a.present[i][w] = notZero16(p)
		}
		a.placed[i] = notZero8(^a.places[i])
	}
	a.hasTokens = a.tokens != [4]uint64{}
}

// notZero16 sets the top bit of each 16 bits of which any is set.
func notZero16(x uint64) uint64 {
	const low = 0x7fff7fff7fff7fff
	return (x&low + low | x) &^ low
}

// notZero8 does so of each 8 bits.
func notZero8(x uint64) uint64 {
	const low = 0x7f7f7f7f7f7f7f7f
	return (x&low + low | x) &^ low
}

// Positions of a key's parts in its stored form.
const (
	atLength   = 4
	atHidden   = 8
	atDim      = 12
	atFlags    = 14
	atUnits    = 16
	atResidual = atUnits + summaryLayers*8*unitWords
	atTokens   = atResidual + 16
	atProfiles = atTokens + 32
	atPlaces   = atProfiles + 32
)

// distances are those of Summary.distances as far as keys tell.
func (a *asked) distances(b *[keyBytes]byte) (d [channels]int) {
	d = [channels]int{math.MaxInt, math.MaxInt, -a.found(b), math.MaxInt}
	if a.length > 0 && le.Uint32(b[atLength:]) == a.length && le.Uint16(b[atDim:]) == a.dim {
		d[0] = a.unitsApart(b)
	}
	if a.hidden > 0 && le.Uint32(b[atHidden:]) == a.hidden {
		d[1] = bits.OnesCount64(a.residual[0]^le.Uint64(b[atResidual:])) + bits.OnesCount64(a.residual[1]^le.Uint64(b[atResidual+8:]))
	}
	if a.hasTokens {
		n, any := 0, uint64(0)
		for w := range a.tokens {
			t := le.Uint64(b[atTokens+8*w:])
			n, any = n+bits.OnesCount64(a.tokens[w]^t), any|t
		}
		if any != 0 {
			d[3] = n
		}
	}
	return d
}

// unitsApart is the least distance of a sketched layer to another.
func (a *asked) unitsApart(b *[keyBytes]byte) int {
	least := math.MaxInt
	for j := range a.units {
		o := b[atUnits+48*j : atUnits+48*j+48]
		w := [unitWords]uint64{le.Uint64(o), le.Uint64(o[8:]), le.Uint64(o[16:]), le.Uint64(o[24:]), le.Uint64(o[32:]), le.Uint64(o[40:])}
		for i := range a.units {
			u := &a.units[i]
			n := bits.OnesCount64(u[0]^w[0]) + bits.OnesCount64(u[1]^w[1]) + bits.OnesCount64(u[2]^w[2]) +
				bits.OnesCount64(u[3]^w[3]) + bits.OnesCount64(u[4]^w[4]) + bits.OnesCount64(u[5]^w[5])
			least = min(least, n)
		}
	}
	return least
}

// NearKeyProfile is how many of the 16 bits of two profiles in keys, or of one and
// the other turned round, may differ where they are called alike: the share that
// sketches.NearProfile is of 64.
const NearKeyProfile = sketches.NearProfile / 4

// found counts as Summary.found does: the places that agree, and twice the
// profiles that are alike.
func (a *asked) found(b *[keyBytes]byte) int {
	most := 0
	for j := range summaryProbed {
		places := le.Uint64(b[atPlaces+8*j:])
		p0, p1 := le.Uint64(b[atProfiles+16*j:]), le.Uint64(b[atProfiles+16*j+8:])
		h0, h1 := notZero16(p0), notZero16(p1)
		for i := range summaryProbed {
			n := bits.OnesCount64(a.placed[i] &^ notZero8(a.places[i]^places))
			n += 2 * bits.OnesCount64(a.present[i][0]&h0&alike(a.profiles[i][0]^p0))
			n += 2 * bits.OnesCount64(a.present[i][1]&h1&alike(a.profiles[i][1]^p1))
			most = max(most, n)
		}
	}
	return most
}

// alike sets the top bit of each 16 bits of which at most NearKeyProfile, or all but
// so many, are set.
func alike(x uint64) uint64 {
	x -= x >> 1 & 0x5555555555555555
	x = x&0x3333333333333333 + x>>2&0x3333333333333333
	x = (x + x>>4) & 0x0f0f0f0f0f0f0f0f
	x = (x + x>>8) & 0x001f001f001f001f // 0 to 16 in each
	// Modulo 16 and turned by 3, the near ones are 0 to 6.
	x = (x + NearKeyProfile*0x0001000100010001) & 0x000f000f000f000f
	x += (15 - 2*NearKeyProfile) * 0x0001000100010001 // from 7 on, 16 or more
	return ^(x << 11) & 0x8000800080008000
}
