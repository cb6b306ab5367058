package dispute

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/internal/strictjson"
	"github.com/weightprint/weightprint/report/intoto"
)

// Schema names the form of a transcript: JSON lines, each in the one form in which
// Append writes it.
const Schema = "weightprint.dispute/1"

// ErrTranscript is returned for a transcript that breaks a rule.
var ErrTranscript = errors.New("not a transcript of a dispute")

// Author says who made an entry.
type Author string

// The authors.
const (
	A      Author = "a"
	B      Author = "b"
	Runner Author = "runner"
)

// Sides are the two parties.
var Sides = []Author{A, B}

// Entry is one line.
type Entry struct {
	Schema string          `json:"schema"`
	Seq    int             `json:"seq"`
	Prev   string          `json:"prev"` // SHA-256 of the line before, without its end; "" for the first
	Author Author          `json:"author"`
	Kind   string          `json:"kind"`
	Body   json.RawMessage `json:"body"`
	Attached
	Sig []byte `json:"sig,omitempty"` // over the line without it
}

// Attached is what the author of an entry puts on record with it.
type Attached struct {
	Tokens   []Exhibit `json:"tokens,omitempty"`   // time stamps over all lines before the entry
	Exhibits []Exhibit `json:"exhibits,omitempty"` // other files: older commitments or manifests, with their own time stamps and openings
}

// Exhibit is a file that belongs to the record, by its digest.
type Exhibit struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"` // in hexadecimal
}

// NewExhibit is the entry of a file with the given content.
func NewExhibit(name string, content []byte) Exhibit { return Exhibit{name, hexSum(content)} }

// Transcript is the lines so far.
type Transcript struct {
	Entries []Entry
	lines   [][]byte
}

// Parse reads a transcript. It checks the form of every line, and nothing that
// lines say of each other; Replay does that.
func Parse(text []byte) (*Transcript, error) {
	t := &Transcript{}
	if !bytes.HasSuffix(text, []byte("\n")) {
		return nil, fmt.Errorf("%w: the last line is cut off", ErrTranscript)
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		var e Entry
		if err := strictjson.Known(line, &e); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrTranscript, i+1, err)
		}
		again, err := json.Marshal(e)
		if err != nil || !bytes.Equal(again, line) || e.Schema != Schema {
			return nil, fmt.Errorf("%w: line %d is not in the form in which it was written", ErrTranscript, i+1)
		}
		t.Entries, t.lines = append(t.Entries, e), append(t.lines, line)
	}
	return t, nil
}

// Text is the transcript as Parse reads it.
func (t *Transcript) Text() []byte {
	var b bytes.Buffer
	for _, line := range t.lines {
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

// Before is the lines before an entry, by its place: what the time stamps that it
// names are over.
func (t *Transcript) Before(entry int) []byte { return (&Transcript{lines: t.lines[:entry]}).Text() }

// Head is the digest of the last line: whoever knows it knows the whole transcript.
func (t *Transcript) Head() string {
	if len(t.lines) == 0 {
		return ""
	}
	return hexSum(t.lines[len(t.lines)-1])
}

// add signs a new entry. It is refused unless the transcript with it replays.
func (t *Transcript) add(ctx context.Context, author Author, body body, with Attached, key *intoto.PrivateKey) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	e := Entry{Schema: Schema, Seq: len(t.lines), Prev: t.Head(), Author: author, Kind: body.kind(), Body: raw, Attached: with}
	unsigned, err := json.Marshal(e)
	if err != nil {
		return err
	}
	if e.Sig, err = key.Sign(ctx, unsigned); err != nil {
		return err
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	longer := &Transcript{append(t.Entries[:len(t.Entries):len(t.Entries)], e), append(t.lines[:len(t.lines):len(t.lines)], line)}
	if _, err := longer.Replay(ctx); err != nil {
		return err
	}
	*t = *longer
	return nil
}

// signed requires that an entry is its author's.
func (e Entry) signed(ctx context.Context, key *intoto.PublicKey) error {
	sig := e.Sig
	e.Sig = nil
	unsigned, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return key.Verify(ctx, unsigned, sig)
}

func hexSum(b []byte) string {
	s := sha256.Sum256(b)
	return hex.EncodeToString(s[:])
}
