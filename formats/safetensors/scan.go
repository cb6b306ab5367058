package safetensors

import (
	"io"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// scanner walks through the header's bytes. Offsets in errors are those in
// the file, which begin 8 bytes earlier.
type scanner struct {
	file     string
	b        []byte
	i        int
	lenient  bool
	warnings []string
}

// forgive turns a breach that real writers commit into a warning where the
// caller asked for it.
func (s *scanner) forgive(err *tensor.FormatError) error {
	if !s.lenient {
		return err.Forgivable()
	}
	s.warnings = append(s.warnings, err.Error())
	return nil
}

// skip passes over a value of any kind; depth bounds what stands within it.
func (s *scanner) skip(field string, depth int) error {
	if depth == 0 {
		return tensor.Errorf(tensor.ErrLimit, s.file, int64(s.i)+8, field, "objects and arrays within one another")
	}
	switch c := s.peek(); {
	case c == '{':
		return s.members(field, func(string, int) error { return s.skip(field, depth-1) })
	case c == '[':
		for s.i++; ; s.i++ {
			if s.peek() == ']' {
				s.i++
				return nil
			}
			if err := s.skip(field, depth-1); err != nil {
				return err
			}
			if s.peek() != ',' {
				return s.expect(']', field)
			}
		}
	case c == '"':
		_, err := s.str(field)
		return err
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n':
		for s.i < len(s.b) && (s.b[s.i] >= 'a' && s.b[s.i] <= 'z' || s.b[s.i] >= '0' && s.b[s.i] <= '9' || s.b[s.i] == '.' || s.b[s.i] == '-' || s.b[s.i] == '+' || s.b[s.i] == 'E') {
			s.i++
		}
		return nil
	}
	return s.unexpected(field, "a value")
}

func (s *scanner) fail(at int, field, rule string, args ...any) *tensor.FormatError {
	return tensor.Errorf(tensor.ErrFormat, s.file, int64(at)+8, field, rule, args...)
}

// space passes over white space within the object.
func (s *scanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// expect passes over one given byte.
func (s *scanner) expect(c byte, field string) error {
	if s.peek() != c {
		return s.unexpected(field, "'"+string(c)+"'")
	}
	s.i++
	return nil
}

func (s *scanner) unexpected(field, want string) *tensor.FormatError {
	if s.i >= len(s.b) {
		return tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(s.i)+8, field, "the header ends where %s should stand", want)
	}
	return s.fail(s.i, field, "%s expected, found byte 0x%02x", want, s.b[s.i])
}

// members walks through an object: f is called for each member with the scanner
// at its value.
func (s *scanner) members(field string, f func(key string, at int) error) error {
	if err := s.expect('{', field); err != nil {
		return err
	}
	if s.peek() == '}' {
		s.i++
		return nil
	}
	for {
		s.space()
		at := s.i
		key, err := s.str(field + " key")
		if err != nil {
			return err
		}
		if err := s.expect(':', field); err != nil {
			return err
		}
		s.space()
		if err := f(key, at); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.i++
		case '}':
			s.i++
			return nil
		default:
			return s.unexpected(field, "',' or '}'")
		}
	}
}

// str reads a string.
func (s *scanner) str(field string) (string, error) {
	if s.peek() != '"' {
		return "", s.unexpected(field, "a string")
	}
	start := s.i
	s.i++
	var out []byte
	for s.i < len(s.b) {
		c := s.b[s.i]
		switch {
		case c == '"':
			s.i++
			return string(out), nil
		case c < 0x20:
			return "", s.fail(s.i, field, "control character 0x%02x in a string", c)
		case c == '\\':
			r, err := s.escape(field)
			if err != nil {
				return "", err
			}
			out = utf8.AppendRune(out, r)
		default:
			r, n := utf8.DecodeRune(s.b[s.i:])
			if r == utf8.RuneError && n <= 1 {
				return "", s.fail(s.i, field, "the header is no UTF-8: byte 0x%02x", c)
			}
			out = append(out, s.b[s.i:s.i+n]...)
			s.i += n
		}
	}
	return "", tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(start)+8, field, "the string is not closed")
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads what follows a backslash. Halves of surrogate pairs must come
// in pairs.
func (s *scanner) escape(field string) (rune, error) {
	at := s.i
	if s.i+1 >= len(s.b) {
		return 0, tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(at)+8, field, "the string is not closed")
	}
	c := s.b[s.i+1]
	s.i += 2
	if r, ok := escapes[c]; ok {
		return r, nil
	}
	if c != 'u' {
		return 0, s.fail(at, field, "unknown escape 0x%02x", c)
	}
	r, ok := s.hex4()
	if ok && utf16.IsSurrogate(r) {
		if s.i+1 >= len(s.b) || s.b[s.i] != '\\' || s.b[s.i+1] != 'u' {
			return 0, s.fail(at, field, "half of a surrogate pair")
		}
		s.i += 2
		var second rune
		if second, ok = s.hex4(); ok {
			r = utf16.DecodeRune(r, second)
		}
		if r == utf8.RuneError {
			return 0, s.fail(at, field, "half of a surrogate pair")
		}
	}
	if !ok {
		return 0, s.fail(at, field, "\\u needs four hexadecimal digits")
	}
	return r, nil
}

func (s *scanner) hex4() (r rune, ok bool) {
	if s.i+4 > len(s.b) {
		return 0, false
	}
	for _, c := range s.b[s.i : s.i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	s.i += 4
	return r, true
}

// number reads an unsigned decimal integer that fits 63 bits.
func (s *scanner) number(field string) (int64, error) {
	s.space()
	start := s.i
	n := int64(0)
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		d := int64(s.b[s.i] - '0')
		if n > (1<<63-1-d)/10 {
			return 0, tensor.Errorf(tensor.ErrLimit, s.file, int64(start)+8, field, "the number does not fit 63 bits")
		}
		n = n*10 + d
		s.i++
	}
	if s.i == start {
		return 0, s.unexpected(field, "an unsigned integer")
	}
	if s.b[start] == '0' && s.i > start+1 {
		return 0, s.fail(start, field, "a number has no leading zero")
	}
	if s.i < len(s.b) && (s.b[s.i] == '.' || s.b[s.i] == 'e' || s.b[s.i] == 'E') {
		return 0, s.fail(start, field, "an integer is written without point or exponent")
	}
	return n, nil
}

// numbers reads an array of at most limit unsigned integers.
func (s *scanner) numbers(field string, limit int) ([]int64, error) {
	if err := s.expect('[', field); err != nil {
		return nil, err
	}
	out := []int64{}
	if s.peek() == ']' {
		s.i++
		return out, nil
	}
	for {
		at := s.i
		n, err := s.number(field)
		if err != nil {
			return nil, err
		}
		if len(out) == limit {
			return nil, tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, field, "more than %d numbers", limit)
		}
		out = append(out, n)
		switch s.peek() {
		case ',':
			s.i++
		case ']':
			s.i++
			return out, nil
		default:
			return nil, s.unexpected(field, "',' or ']'")
		}
	}
}
