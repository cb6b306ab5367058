package report

import (
	_ "embed"
	"errors"
	"fmt"
	"io"

	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/strictjson"
)

//go:embed schema.json
var jsonSchema string

// JSONSchema is the JSON Schema of the JSON form.
func JSONSchema() []byte { return []byte(jsonSchema) }

// maxReport bounds what ReadJSON takes in.
const maxReport = 32 << 20

// WriteJSON writes the report as indented JSON. The same report gives the
// same bytes. Characters that could steer a terminal or reorder text are
// escaped.
func (r *Report) WriteJSON(w io.Writer) error { return escape.WriteJSON(w, r) }

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
