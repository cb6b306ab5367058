package report

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/weightprint/weightprint/internal/strictjson"
)

// JSONSchema is the JSON Schema of the JSON form.
//
//go:embed schema.json
var JSONSchema []byte

// maxReport bounds what ReadJSON takes in.
const maxReport = 32 << 20

// WriteJSON writes the report as indented JSON. The same report gives the
// same bytes. Characters that could steer a terminal or reorder text are
// escaped.
func (r *Report) WriteJSON(w io.Writer) error { return EncodeJSON(w, r) }

// EncodeJSON writes a value as indented JSON, escaping as WriteJSON does.
func EncodeJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(EscapeInvisible(b), '\n'))
	return err
}

// EscapeInvisible writes control and format characters as \u escapes. In
// JSON they can only stand inside strings.
func EscapeInvisible(b []byte) []byte {
	if !bytes.ContainsFunc(b, invisible) {
		return b
	}
	var out bytes.Buffer
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case !invisible(r):
			out.Write(b[:n])
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&out, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&out, `\u%04x`, r)
		}
		b = b[n:]
	}
	return out.Bytes()
}

// invisible tells the characters that are written as escapes: DEL, the last of
// ASCII, is one.
func invisible(r rune) bool { return r >= unicode.MaxASCII && !unicode.IsGraphic(r) }

// ReadJSON reads a report back. Reports of another schema are refused, and so
// is JSON that two readers could read differently.
func ReadJSON(rd io.Reader) (*Report, error) {
	b, err := io.ReadAll(io.LimitReader(rd, maxReport+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxReport {
		return nil, fmt.Errorf("report: larger than %d bytes", maxReport)
	}
	return ParseJSON(b)
}

// ParseJSON is ReadJSON for text that is at hand.
func ParseJSON(b []byte) (*Report, error) {
	var r Report
	if err := strictjson.Unmarshal(b, &r); err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("report: schema %q is not %q: %w", r.Schema, Schema, errors.ErrUnsupported)
	}
	return &r, nil
}
