package audit

import (
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/internal/strictjson"
)

// ParseJSON reads an audit that WriteJSON wrote.
func ParseJSON(text []byte) (*Audited, error) {
	var read struct {
		Schema string
		Model  string
		Nonce  *string
		Claims []Result
	}
	if err := strictjson.Unmarshal(text, &read); err != nil {
		return nil, fmt.Errorf("audit: %w", err)
	}
	if read.Schema != Schema {
		return nil, fmt.Errorf("audit: schema %.60q is not %q: %w", read.Schema, Schema, errors.ErrUnsupported)
	}
	for i := range read.Claims {
		r := &read.Claims[i]
		switch {
		case r.Outcome != Confirmed && r.Outcome != Contradicted && r.Outcome != Unproven:
			return nil, fmt.Errorf("audit: claim %d has the outcome %.40q", i, r.Outcome)
		case r.Verdict != nil && r.Options == nil:
			return nil, fmt.Errorf("audit: claim %d has a verdict without options", i)
		}
	}
	a := &Audited{Model: read.Model, Results: read.Claims}
	if read.Nonce != nil {
		a.Nonce = *read.Nonce
	}
	return a, nil
}
