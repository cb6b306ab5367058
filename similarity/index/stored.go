package index

import (
	"math"
	"math/bits"
)

// Where the words of each kind stand in a record; see record.encode.
const (
	wordsAt    = lengthsAt + 12
	residualAt = wordsAt + summaryLayers*8*summaryWords
	foundAt    = residualAt + 8*summaryWords
	tokensAt   = recordBytes - checkBytes - tokenBytes
)

// stretches are what is read of a record for each kind of distance.
var stretches = [channels][2]int{{lengthsAt, residualAt}, {residualAt, foundAt}, {foundAt, foundAt + summaryProbed*(2*summaryPlaces+8*summaryProfiles)}, {tokensAt, tokensAt + tokenBytes}}

// ahead has the lines fetched that a distance will ask for.
func ahead(record []byte, channel int) {
	s := &stretches[channel]
	prefetch(&record[s[0]], s[1]-s[0])
}

// apartStored is Summary.apart from a record in its stored form, which is whole.
func (s *Summary) apartStored(channel int, b *[recordBytes]byte) int {
	return apartStoredBy[channel](s, b)
}

var apartStoredBy = [channels]func(s *Summary, b *[recordBytes]byte) int{(*Summary).unitsStored, (*Summary).residualStored, (*Summary).foundStored, (*Summary).tokensStored}

func (s *Summary) unitsStored(b *[recordBytes]byte) int {
	if s.Length == 0 || s.Length != le.Uint32(b[lengthsAt:]) || s.Dim != le.Uint32(b[lengthsAt+4:]) {
		return math.MaxInt
	}
	return s.leastApart(b)
}

// leastApartPlain is leastApart in plain Go.
func (s *Summary) leastApartPlain(b *[recordBytes]byte) int {
	least := math.MaxInt
	for j := range summaryLayers {
		o := wordsOf(b[wordsAt+8*summaryWords*j:])
		least = min(least, differing16(&s.Units[0], o), differing16(&s.Units[1], o), differing16(&s.Units[2], o))
	}
	return least
}

func (s *Summary) residualStored(b *[recordBytes]byte) int {
	if s.Hidden == 0 || s.Hidden != le.Uint32(b[lengthsAt+8:]) {
		return math.MaxInt
	}
	return differing16(&s.Residual, wordsOf(b[residualAt:]))
}

func (s *Summary) foundStored(b *[recordBytes]byte) int { return -s.mostInCommon(b) }

// mostInCommonPlain is mostInCommon in plain Go.
func (s *Summary) mostInCommonPlain(b *[recordBytes]byte) int {
	most := 0
	for j := range summaryProbed {
		var places [summaryPlaces / 4]uint64
		var profiles [summaryProfiles]uint64
		load(places[:], b[foundAt+2*summaryPlaces*j:])
		load(profiles[:], b[foundAt+2*summaryPlaces*summaryProbed+8*summaryProfiles*j:])
		for i := range summaryProbed {
			most = max(most, s.found(i, &places, &profiles))
		}
	}
	return most
}

func (s *Summary) tokensStored(b *[recordBytes]byte) int {
	mine, any, n := uint64(0), uint64(0), 0
	for w, v := range s.Tokens {
		o := le.Uint64(b[tokensAt+8*w:])
		mine, any, n = mine|v, any|o, n+bits.OnesCount64(v^o)
	}
	if mine == 0 || any == 0 {
		return math.MaxInt
	}
	return n
}

func wordsOf(b []byte) *[summaryWords]uint64 {
	var w [summaryWords]uint64
	load(w[:], b)
	return &w
}

// differing16 is differing for as many words as a layer has.
func differing16(a, b *[summaryWords]uint64) int {
	n := 0
	for i := 0; i < summaryWords; i += 4 {
		n += bits.OnesCount64(a[i]^b[i]) + bits.OnesCount64(a[i+1]^b[i+1]) + bits.OnesCount64(a[i+2]^b[i+2]) + bits.OnesCount64(a[i+3]^b[i+3])
	}
	return n
}
