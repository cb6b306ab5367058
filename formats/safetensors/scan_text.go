package safetensors

import (
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/weightprint/weightprint/formats/tensor"
)

// str reads a string and keeps it if it has no more than so many bytes.
func (s *scanner) str(field string, most int) (text string, whole bool, err error) {
	if s.peek() != '"' {
		return "", false, s.unexpected(field, "a string")
	}
	start := s.i
	s.i++
	out := s.text[:0]
	defer func() { s.text = out[:0] }()
	whole = true
	for s.i < s.n {
		c := s.byte(s.i)
		switch {
		case s.i >= s.n: // it could not be read
			continue
		case c == '"':
			s.i++
			if !whole {
				return "", false, nil
			}
			return string(out), true, nil
		case c < 0x20:
			return "", false, s.fail(s.i, field, "control character 0x%02x in a string", c)
		case c == '\\':
			r, err := s.escape(field)
			if err != nil {
				return "", false, err
			}
			out = utf8.AppendRune(out, r)
		case c < utf8.RuneSelf:
			out = append(out, c)
			s.i++
		default:
			r, n := s.rune()
			if r == utf8.RuneError && n <= 1 {
				return "", false, s.fail(s.i, field, "the header is no UTF-8: byte 0x%02x", c)
			}
			out = utf8.AppendRune(out, r)
			s.i += n
		}
		if len(out) > most {
			out, whole = out[:0], false
		}
	}
	return "", false, tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(start)+8, field, "the string is not closed")
}

// rune decodes the character at the scanner.
func (s *scanner) rune() (rune, int) {
	var b [utf8.UTFMax]byte
	n := min(len(b), s.n-s.i)
	for k := range n {
		b[k] = s.byte(s.i + k)
	}
	return utf8.DecodeRune(b[:n])
}

var escapes = map[byte]rune{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// escape reads what follows a backslash. Halves of surrogate pairs must come
// in pairs.
func (s *scanner) escape(field string) (rune, error) {
	at := s.i
	if s.i+1 >= s.n {
		return 0, tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(at)+8, field, "the string is not closed")
	}
	c := s.byte(s.i + 1)
	s.i += 2
	if r, ok := escapes[c]; ok {
		return r, nil
	}
	if c != 'u' {
		return 0, s.fail(at, field, "unknown escape 0x%02x", c)
	}
	r, ok := s.hex4()
	if ok && utf16.IsSurrogate(r) {
		if s.i+1 >= s.n || s.byte(s.i) != '\\' || s.byte(s.i+1) != 'u' {
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
	if s.i+4 > s.n {
		return 0, false
	}
	for k := range 4 {
		switch c := s.byte(s.i + k); {
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

// namesPiece is how many bytes of names are kept in one piece, and namesApart the length
// from which one is kept apart.
const namesPiece, namesApart = 32 << 10, 1 << 10

// packed keeps a name together with others: by themselves hundreds of thousands of small
// strings take more memory, and more of the collector's time.
func (s *scanner) packed(name string) string {
	if len(name) >= namesApart {
		return name
	}
	if s.names.Cap()-s.names.Len() < len(name) {
		s.names = strings.Builder{}
		s.names.Grow(namesPiece)
	}
	from := s.names.Len()
	s.names.WriteString(name)
	return s.names.String()[from:]
}
