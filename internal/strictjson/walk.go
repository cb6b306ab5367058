package strictjson

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// walker walks over a text that is JSON and counts what it holds.
type walker struct {
	text               []byte
	at                 int
	containers, values int
}

// next is the first byte of what comes behind spaces, commas and colons.
func (w *walker) next() byte {
	for strings.IndexByte(" \t\r\n,:", w.text[w.at]) >= 0 {
		w.at++
	}
	return w.text[w.at]
}

// value walks over one value.
func (w *walker) value(depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("%w: nested deeper than %d", ErrAmbiguous, maxDepth)
	}
	c := w.next()
	w.values++
	if c == '{' || c == '[' {
		w.containers++
	}
	if w.values > maxValues || w.containers > maxContainers {
		return fmt.Errorf("%w: more than %d values, or %d objects and arrays", ErrLimit, maxValues, maxContainers)
	}
	switch c {
	case '[':
		for w.at++; w.next() != ']'; {
			if err := w.value(depth + 1); err != nil {
				return err
			}
		}
		w.at++
		return nil
	case '{':
		return w.members(depth)
	case '"':
		w.quoted()
		return nil
	}
	for w.at < len(w.text) && strings.IndexByte(" \t\r\n,]}", w.text[w.at]) < 0 { // a number or a word
		w.at++
	}
	return nil
}

// quoted is a string with its quotes.
func (w *walker) quoted() []byte {
	from := w.at
	for w.at++; w.text[w.at] != '"'; w.at++ {
		if w.text[w.at] == '\\' {
			w.at++
		}
	}
	w.at++
	return w.text[from:w.at]
}

// few names are compared one by one, more are looked up.
const few = 12

// members walks over an object and remembers its names.
func (w *walker) members(depth int) error {
	var names []string
	var seen map[string]bool
	for w.at++; w.next() != '}'; {
		name, err := folded(w.quoted())
		if err != nil {
			return err
		}
		if seen[name] || seen == nil && slices.Contains(names, name) {
			return fmt.Errorf("%w: member %.60q stands twice, at byte %d", ErrAmbiguous, name, w.at)
		}
		switch names = append(names, name); {
		case seen != nil:
			seen[name] = true
		case len(names) > few:
			seen = map[string]bool{}
			for _, n := range names {
				seen[n] = true
			}
		}
		if err := w.value(depth + 1); err != nil {
			return err
		}
	}
	w.at++
	return nil
}

// folded is a quoted name as encoding/json folds it.
func folded(quoted []byte) (string, error) {
	plain := quoted[1 : len(quoted)-1]
	ascii := true
	for _, c := range plain {
		if ascii = c < 0x80 && c != '\\'; !ascii {
			break
		}
	}
	if ascii {
		return string(bytes.ToLower(plain)), nil
	}
	var name string
	if err := json.Unmarshal(quoted, &name); err != nil {
		return "", err
	}
	return strings.ToLower(strings.ToUpper(name)), nil
}
