package store

import (
	"encoding/json"
	"fmt"

	"github.com/weightprint/weightprint/fingerprint"
)

// LineSchema names the form of a Line.
const LineSchema = "weightprint.fingerprint/1"

// Line is one record of `weightprint fingerprint --ndjson`. It says all that is
// needed of one model: any engine may make records on many machines and put
// them together.
type Line struct {
	Schema      string `json:"schema"`
	Ref         string `json:"ref"`
	Root        string `json:"root,omitempty"`
	Parameters  int64  `json:"parameters,omitempty"`
	Fingerprint []byte `json:"fingerprint,omitempty"` // the file form, base64
	Error       string `json:"error,omitempty"`
}

// ReadLine reads a record; the fingerprint is nil for the record of an error.
func ReadLine(text []byte) (l Line, f *fingerprint.Fingerprint, err error) {
	if err := json.Unmarshal(text, &l); err != nil {
		return l, nil, err
	}
	if l.Schema != LineSchema {
		return l, nil, fmt.Errorf("schema %q, expected %q", l.Schema, LineSchema)
	}
	if l.Error != "" {
		return l, nil, nil
	}
	if f, err = fingerprint.Decode(l.Fingerprint); err != nil {
		return l, nil, fmt.Errorf("record of %q: %w", l.Ref, err)
	}
	return l, f, nil
}
