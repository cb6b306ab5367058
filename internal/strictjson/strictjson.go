// Package strictjson reads JSON that somebody else wrote and that other
// programs read too. What two readers could understand differently is refused:
// a member twice, also in another case, text after the value, deep nesting.
package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// ErrAmbiguous is returned for JSON that two readers could read differently.
var ErrAmbiguous = errors.New("ambiguous JSON")

// ErrLimit is returned for JSON that holds more than any text of this program.
var ErrLimit = errors.New("too much JSON")

// Bounds on what a text may hold. An empty object takes two bytes of a text and
// hundreds of what it is read into.
const (
	maxDepth      = 64
	maxContainers = 1 << 18 // objects and arrays
	maxValues     = 1 << 21
)

// Unmarshal reads one JSON value into v, as encoding/json does, after Check.
func Unmarshal(text []byte, v any) error {
	if err := Check(text); err != nil {
		return err
	}
	return json.Unmarshal(text, v)
}

// Known reads like Unmarshal and refuses members that v has no field for.
func Known(text []byte, v any) error {
	if err := Check(text); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(v)
}

// Check requires that text is one JSON value without ambiguity. What is JSON the
// standard library says; what of it is ambiguous, a walk over what is JSON.
func Check(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: not UTF-8", ErrAmbiguous)
	}
	if !json.Valid(text) {
		return misread(text)
	}
	return (&walker{text: text}).value(0)
}

// misread names what the standard library says of a text that is no JSON.
func misread(text []byte) error {
	var whole json.RawMessage
	err := json.Unmarshal(text, &whole)
	var syntax *json.SyntaxError
	switch {
	case !errors.As(err, &syntax):
		return err
	case syntax.Offset >= int64(len(text)) && strings.Contains(err.Error(), "unexpected end"):
		return io.ErrUnexpectedEOF
	case strings.HasSuffix(err.Error(), "after top-level value"):
		return fmt.Errorf("%w: text after the value at byte %d", ErrAmbiguous, syntax.Offset)
	}
	return err
}

// ErrNull is returned for a list with a member that is null.
var ErrNull = errors.New("null among the members of a list")

// NoNulls is Check, and requires that no list has null among its members: readers
// of lists pass over it, each in a way of its own.
func NoNulls(text []byte) error {
	if err := Check(text); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var lists []bool // of the brackets that are open: a list's
	for {
		t, err := d.Token()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case t == json.Delim('[') || t == json.Delim('{'):
			lists = append(lists, t == json.Delim('['))
		case t == json.Delim(']') || t == json.Delim('}'):
			lists = lists[:len(lists)-1]
		case t == nil && len(lists) > 0 && lists[len(lists)-1]:
			return fmt.Errorf("%w, before byte %d", ErrNull, d.InputOffset())
		}
	}
}
