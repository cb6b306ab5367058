package formats

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// maxFront bounds the front matter of a model card.
const maxFront = 256 << 10

// modelCard reads base_model and base_model_relation from the front matter of a
// model card. Of YAML it knows what cards use for these two: a plain or quoted
// string, or a list of such in either form. Anything else under these keys,
// and a key that stands twice, is an error: a reader of all of YAML might see
// another parent. Other keys are passed over.
func modelCard(b []byte, into tensor.Metadata) error {
	text, ok := front(b)
	if !ok {
		return nil
	}
	if len(text) > maxFront || !utf8.ValidString(text) {
		return fmt.Errorf("%w: the front matter is too long or no UTF-8", tensor.ErrFormat)
	}
	found := map[string][]any{}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		key, value, ok := strings.Cut(line, ":")
		key = strings.TrimRight(key, " ")
		if unquoted, err := scalar(key); err == nil {
			key = unquoted
		}
		if !ok || key != "base_model" && key != "base_model_relation" {
			continue
		}
		if found[key] != nil {
			return fmt.Errorf("%w: %s stands twice in the front matter", tensor.ErrFormat, key)
		}
		values, err := yamlValue(value, lines[i+1:])
		if err != nil {
			return fmt.Errorf("%w: %s: %v", tensor.ErrFormat, key, err)
		}
		found[key] = values
	}
	for key, values := range found {
		if len(values) == 1 {
			into["card."+key] = values[0]
		} else if len(values) > 1 {
			into["card."+key] = plainList(values)
		}
	}
	return nil
}

// front cuts the front matter out of a card: what stands between the first
// line and the next that are both "---".
func front(b []byte) (string, bool) {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	text, ok := strings.CutPrefix(strings.ReplaceAll(string(b), "\r\n", "\n"), "---\n")
	if !ok {
		return "", false
	}
	if text, ok := strings.CutPrefix(text, "---"); ok && (text == "" || text[0] == '\n') {
		return "", false
	}
	for at := 0; ; {
		i := strings.Index(text[at:], "\n---")
		if i < 0 {
			return "", false
		}
		at += i + 4
		if rest := text[at:]; strings.TrimRight(firstLine(rest), " ") == "" {
			return text[:at-4], true
		}
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// yamlValue reads what stands behind a key, or in the lines below it.
func yamlValue(value string, below []string) ([]any, error) {
	value = strings.TrimSpace(uncommented(value))
	switch {
	case strings.HasPrefix(value, "["):
		return flowList(value)
	case value == "null" || value == "~":
		return []any{}, nil
	case value != "":
		if len(below) > 0 && strings.HasPrefix(below[0], " ") && strings.TrimSpace(below[0]) != "" && !strings.HasPrefix(strings.TrimSpace(below[0]), "#") {
			return nil, fmt.Errorf("a value of several lines is not read")
		}
		s, err := scalar(value)
		return []any{s}, err
	}
	values := []any{}
	for _, line := range below {
		item := strings.TrimSpace(uncommented(line))
		switch rest, ok := strings.CutPrefix(item, "-"); {
		case item == "":
			continue
		case !ok && line[0] != ' ' || strings.HasPrefix(item, "---"):
			return values, nil // the next key
		case !ok || rest != "" && rest[0] != ' ' || len(values) == maxParents:
			return nil, fmt.Errorf("only a list of at most %d strings is read", maxParents)
		default:
			s, err := scalar(strings.TrimSpace(rest))
			if err != nil {
				return nil, err
			}
			values = append(values, s)
		}
	}
	return values, nil
}

// flowList reads [a, "b"] on one line.
func flowList(value string) ([]any, error) {
	inner, ok := strings.CutSuffix(value[1:], "]")
	if !ok {
		return nil, fmt.Errorf("a list of several lines in brackets is not read")
	}
	values := []any{}
	if strings.TrimSpace(inner) == "" {
		return values, nil
	}
	for _, item := range strings.Split(inner, ",") {
		s, err := scalar(strings.TrimSpace(item))
		if err != nil {
			return nil, err
		}
		if values = append(values, s); len(values) > maxParents {
			return nil, fmt.Errorf("only a list of at most %d strings is read", maxParents)
		}
	}
	return values, nil
}

// scalar reads one string, quoted or plain.
func scalar(s string) (string, error) {
	switch {
	case s == "" || len(s) > maxString:
		return "", fmt.Errorf("an empty or very long string")
	case s[0] == '"':
		u, err := strconv.Unquote(s)
		if err != nil {
			return "", fmt.Errorf("a string in double quotes that is not closed or has other escapes")
		}
		return u, nil
	case s[0] == '\'':
		inner, ok := strings.CutSuffix(s[1:], "'")
		if !ok || len(s) < 2 || strings.Contains(strings.ReplaceAll(inner, "''", ""), "'") {
			return "", fmt.Errorf("a string in single quotes that is not closed")
		}
		return strings.ReplaceAll(inner, "''", "'"), nil
	case strings.ContainsRune("&*!|>{}[]%@`#,?", rune(s[0])) || strings.Contains(s, ": ") || strings.HasSuffix(s, ":"):
		return "", fmt.Errorf("anchors, tags, blocks and mappings are not read")
	}
	return s, nil
}

// uncommented cuts a comment off: "#" outside quotes at the beginning or after
// a space.
func uncommented(s string) string {
	quote := byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && (i == 0 || strings.IndexByte(" [,-", s[i-1]) >= 0):
			quote = c
		case c == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t'):
			return s[:i]
		}
	}
	return s
}
