package postgres

import (
	"encoding/binary"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/sketches"
)

// columns of weightprint.entries that follow from a fingerprint, in the order of
// values.
var columns = []string{"content", "quarantined", "length", "dim", "hidden", "units0", "units1", "units2", "residual", "places0", "places1", "profiles0", "profiles1", "tokens"}

// values of the columns.
func values(f *fingerprint.Fingerprint) []any {
	s, content := index.SummaryOf(f), index.ContentOf(f)
	return []any{content[:], !sketches.Testable(f), int64(s.Length), int64(s.Dim), int64(s.Hidden),
		bitsOf(s.Units[0][:]), bitsOf(s.Units[1][:]), bitsOf(s.Units[2][:]), bitsOf(s.Residual[:]),
		places(s.Places[0][:]), places(s.Places[1][:]), signed(s.Profiles[0][:]), signed(s.Profiles[1][:]), tokens(&s)}
}

// bitsOf gives words as a bit string.
func bitsOf(words []uint64) pgtype.Bits {
	b := make([]byte, 0, 8*len(words))
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return pgtype.Bits{Bytes: b, Len: int32(8 * len(b)), Valid: true}
}

// tokens are null where a summary has none.
func tokens(s *index.Summary) pgtype.Bits {
	b := bitsOf(s.Tokens[:])
	b.Valid = s.Tokens != [len(s.Tokens)]uint64{}
	return b
}

// places unpacks four places a word.
func places(words []uint64) (out []int32) {
	for _, w := range words {
		for shift := 0; shift < 64; shift += 16 {
			out = append(out, int32(w>>shift&index.NoPlace))
		}
	}
	return out
}

// signed gives words as the integers that PostgreSQL has.
func signed(words []uint64) []int64 {
	out := make([]int64, len(words))
	for i, w := range words {
		out[i] = int64(w)
	}
	return out
}
