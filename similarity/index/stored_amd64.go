//go:build !purego

package index

import "github.com/weightprint/weightprint/similarity/sketches"

//go:noescape
func unitsAVX512(units *[summaryLayers][summaryWords]uint64, record *byte) (least int)

//go:noescape
func foundAVX512(places *[summaryProbed][summaryPlaces / 4]uint64, profiles *[summaryProbed][summaryProfiles]uint64, record *byte, near uint64) (most int)

// prefetch has the lines fetched that hold n bytes.
//
//go:noescape
func prefetch(b *byte, n int)

// leastApart is the least distance of a layer to one of a record.
func (s *Summary) leastApart(b *[recordBytes]byte) int {
	if vectors {
		return unitsAVX512(&s.Units, &b[wordsAt])
	}
	return s.leastApartPlain(b)
}

// mostInCommon is the most that tokens find in a layer and in one of a record.
func (s *Summary) mostInCommon(b *[recordBytes]byte) int {
	if vectors {
		return foundAVX512(&s.Places, &s.Profiles, &b[foundAt], sketches.NearProfile)
	}
	return s.mostInCommonPlain(b)
}
