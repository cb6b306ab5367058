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

// walker walks over a text and counts what it holds.
type walker struct {
	*json.Decoder
	containers, values int
}

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

// Check requires that text is one JSON value without ambiguity.
func Check(text []byte) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: not UTF-8", ErrAmbiguous)
	}
	d := &walker{Decoder: json.NewDecoder(bytes.NewReader(text))}
	d.UseNumber()
	if err := value(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("%w: text after the value at byte %d", ErrAmbiguous, d.InputOffset())
	}
	return nil
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

// value walks over one value.
func value(d *walker, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrAmbiguous, maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return unexpected(err)
	}
	d.values++
	if _, ok := t.(json.Delim); ok {
		d.containers++
	}
	if d.values > maxValues || d.containers > maxContainers {
		return fmt.Errorf("%w: more than %d values, or %d objects and arrays", ErrLimit, maxValues, maxContainers)
	}
	switch t {
	case json.Delim('['):
		for d.More() {
			if err := value(d, depth+1); err != nil {
				return err
			}
		}
	case json.Delim('{'):
		if err := members(d, depth); err != nil {
			return err
		}
	default:
		return nil
	}
	_, err = d.Token() // the closing bracket
	return unexpected(err)
}

// members walks over an object and remembers its names.
func members(d *walker, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return unexpected(err)
		}
		name, _ := t.(string)
		folded := strings.ToLower(strings.ToUpper(name)) // as encoding/json folds
		if seen[folded] {
			return fmt.Errorf("%w: member %.60q stands twice, at byte %d", ErrAmbiguous, name, d.InputOffset())
		}
		seen[folded] = true
		if err := value(d, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// unexpected names an end that comes too early.
func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
