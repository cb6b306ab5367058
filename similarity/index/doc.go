// Package index keeps many fingerprints in two append-only files and searches
// them exactly: a scan over short keys of all entries, one-bit summaries of those
// nearest by them, then the tests of package sketches on the full sketches of the
// nearest.
//
//	FILE          a header, then records of 1024 bytes, each with its own digest
//	FILE.details  the fingerprint files, one behind the other
//	FILE.keys     the keys of whole blocks of 256 records; made from them, and made
//	              anew where it is missing or damaged
//
// The header says how many records are committed. A writer appends details,
// then records, then commits them, each step on disk before the next; so
// whenever it is killed, exactly the entries of earlier commits are read, and
// what lies behind them is overwritten by the next writer. The header has two
// copies that are written in turn. Writers exclude each other by a lock;
// readers need none.
//
// What the file cannot show is that it is an old copy of itself: who must
// detect a rollback signs the digest of the index elsewhere.
package index

import (
	"encoding/binary"
	"errors"

	"github.com/weightprint/weightprint/fingerprint"
)

// Errors of an index.
var (
	ErrMissing = errors.New("there is no such index") // together with os.ErrNotExist
	ErrEmpty   = errors.New("no index yet: it holds no header")
	ErrDetails = errors.New("the details of the index are not there") // together with os.ErrNotExist
	ErrForeign = errors.New("no index; it is left as it is")
	ErrCorrupt = errors.New("the index is damaged")
	ErrName    = errors.New("a name has 1 to 160 bytes")
)

// Entry is one indexed fingerprint.
type Entry struct {
	Name        string
	Fingerprint *fingerprint.Fingerprint
}

var le = binary.LittleEndian

// ContentOf identifies an entry's content: the root over all values, or the
// digest of the fingerprint where values were not read.
func ContentOf(f *fingerprint.Fingerprint) fingerprint.Digest {
	if f.Complete {
		return f.Root
	}
	return f.Digest()
}

// contentOf is ContentOf of a fingerprint that was decoded from a file: its digest ends
// the file.
func contentOf(f *fingerprint.Fingerprint, file []byte) fingerprint.Digest {
	if f.Complete {
		return f.Root
	}
	return fingerprint.Digest(file[len(file)-len(fingerprint.Digest{}):])
}
