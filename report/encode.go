package report

import (
	"encoding/json"
	"io"
)

// EncodeJSON writes a value as indented JSON, escaping as WriteJSON does.
func EncodeJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(EscapeInvisible(b), '\n'))
	return err
}
