package escape

import (
	"encoding/json"
	"io"
)

// WriteJSON writes a value as indented JSON, escaping as JSON does.
func WriteJSON(w io.Writer, v any) error {
	b, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(JSON(b), '\n'))
	return err
}
