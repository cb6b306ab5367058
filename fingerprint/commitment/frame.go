package commitment

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
)

// Errors of reading a commitment, an opening, a challenge or a response.
var (
	ErrFile    = errors.New("not a valid file of the commitment protocol")
	ErrVersion = errors.New("the file has a version this program does not know")
	ErrDamaged = errors.New("the digest over the file does not agree")
)

// MaxFileBytes is the largest file of the protocol that is read.
const MaxFileBytes = 64 << 20

// seal is one kind of file of the commitment protocol:
//
//	magic (8 bytes) · version u32 · body · digest (32 bytes) over all before it
type seal struct {
	magic   string
	purpose purpose
}

const version = 1

var (
	sealCommitment = seal{"WPCOMMIT", "weightprint v1 commitment file"}
	sealOpening    = seal{"WPOPEN\r\n", "weightprint v1 opening file"}
	sealChallenge  = seal{"WPCHAL\r\n", "weightprint v1 challenge file"}
	sealResponse   = seal{"WPRESP\r\n", "weightprint v1 response file"}
)

// encode closes a body.
func (s seal) encode(body func(*encoder)) []byte {
	e := &encoder{}
	e.raw([]byte(s.magic))
	e.b = le.AppendUint32(e.b, version)
	body(e)
	e.digest(s.purpose.of(e.b))
	return e.b
}

// decode checks the frame and hands the body to read. What was read must
// encode to the same bytes again, so that every content has one file only.
func (s seal) decode(b []byte, read func(*decoder), again func() []byte) error {
	at := len(s.magic) + 4
	end := len(b) - len(fingerprint.Digest{})
	switch {
	case len(b) > MaxFileBytes:
		return fmt.Errorf("%w: larger than %d bytes", ErrFile, MaxFileBytes)
	case end < at || string(b[:len(s.magic)]) != s.magic:
		return fmt.Errorf("%w: offset 0: magic %q expected", ErrFile, s.magic)
	}
	if v := le.Uint32(b[len(s.magic):]); v != version {
		return fmt.Errorf("%w: %w: version %d, known %d", ErrFile, ErrVersion, v, version)
	}
	if d := s.purpose.of(b[:end]); !bytes.Equal(d[:], b[end:]) {
		return fmt.Errorf("%w: offset %d: %w", ErrFile, end, ErrDamaged)
	}
	d := &decoder{b: b[:end], at: at}
	read(d)
	if d.err == nil && d.at != len(d.b) {
		d.fail("%d bytes are left over", len(d.b)-d.at)
	}
	if d.err == nil && !bytes.Equal(again(), b) {
		d.fail("the encoding is not canonical")
	}
	return d.err
}
