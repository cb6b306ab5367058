package safetensors

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// scanner walks through the header, a window of it at a time. Offsets in errors
// are those in the file, which begin 8 bytes earlier.
type scanner struct {
	ctx      context.Context
	file     string
	r        io.ReaderAt
	n        int // bytes of the header
	i        int
	window   []byte
	at       int // of the window's first byte
	broken   error
	lenient  bool
	warnings []string
	text     []byte      // of the last string
	list     []int64     // the last numbers
	shapes   []int64     // where shapes are kept, many in one piece
	recent   [64][]int64 // of them: tensors of large mixtures have few
	dims     int         // of all shapes

	names strings.Builder // where names are kept, many in one piece

	announced int // up to where the header was announced
}

// announcedBytes is how much of a long header is announced at a time: the header of most
// shards, and no more than that because its length is all that is known of it.
const announcedBytes = 1 << 20

// announce makes the header quick to read on, where the reader asks a server.
func (s *scanner) announce(i int) {
	f, ok := s.r.(tensor.Fetcher)
	if !ok || i == 0 || i+len(s.window) <= s.announced {
		return
	}
	s.announced = min(s.n, i+announcedBytes)
	_ = f.Fetch(s.ctx, []tensor.Span{{Lo: int64(i) + 8, Hi: int64(s.announced) + 8}}) // reading says what failed
}

// byte is the byte at a place within the header, 0 where it cannot be read.
func (s *scanner) byte(i int) byte {
	if k := i - s.at; k >= 0 && k < len(s.window) {
		return s.window[k]
	}
	return s.load(i)
}

// load moves the window. What cannot be read, or should not because the caller
// has given up, ends the header.
func (s *scanner) load(i int) byte {
	if s.broken == nil {
		s.broken = s.ctx.Err()
	}
	if s.broken != nil {
		s.n = min(s.n, i)
		return 0
	}
	if s.window == nil {
		s.window = make([]byte, min(windowBytes, s.n))
	}
	s.window = s.window[:min(cap(s.window), s.n-i)]
	s.announce(i)
	if got, err := s.r.ReadAt(s.window, int64(i)+8); got < len(s.window) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		var known *tensor.FormatError
		if !errors.As(err, &known) {
			err = tensor.Errorf(err, s.file, int64(i)+8, "header", "%v", err)
		}
		s.broken, s.window, s.n = err, s.window[:0], min(s.n, i)
		return 0
	}
	s.at = i
	return s.window[0]
}

// mostWarnings is how many breaches are named one by one.
const mostWarnings = 20

// forgive turns a breach that real writers commit into a warning where the
// caller asked for it.
func (s *scanner) forgive(err *tensor.FormatError) error {
	if !s.lenient {
		return err.Forgivable()
	}
	switch len(s.warnings) {
	case mostWarnings:
		s.warnings = append(s.warnings, "there are more such breaches, which are not listed")
	case mostWarnings + 1:
	default:
		s.warnings = append(s.warnings, err.Error())
	}
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
		_, _, err := s.str(field, 0)
		return err
	case c == '-' || c >= '0' && c <= '9' || c == 't' || c == 'f' || c == 'n':
		for s.i < s.n && inWord(s.byte(s.i)) {
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
	for s.i < s.n {
		switch s.byte(s.i) {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek returns the next byte that is no white space, 0 at the end.
func (s *scanner) peek() byte {
	s.space()
	if s.i < s.n {
		return s.byte(s.i)
	}
	return 0
}

// inWord tells the bytes of numbers and of true, false and null.
func inWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' || c == 'E'
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
	if s.i >= s.n {
		return tensor.Errorf(io.ErrUnexpectedEOF, s.file, int64(s.i)+8, field, "the header ends where %s should stand", want)
	}
	return s.fail(s.i, field, "%s expected, found byte 0x%02x", want, s.byte(s.i))
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
		key, whole, err := s.str(field+" key", maxNameBytes)
		if err != nil {
			return err
		}
		if !whole {
			return tensor.Errorf(tensor.ErrLimit, s.file, int64(at)+8, field+" key", "a name has at most %d bytes", maxNameBytes)
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

// number reads an unsigned decimal integer that fits 63 bits.
func (s *scanner) number(field string) (int64, error) {
	s.space()
	start := s.i
	n := int64(0)
	for s.i < s.n {
		c := s.byte(s.i)
		if c < '0' || c > '9' {
			break
		}
		d := int64(c - '0')
		if n > (1<<63-1-d)/10 {
			return 0, tensor.Errorf(tensor.ErrLimit, s.file, int64(start)+8, field, "the number does not fit 63 bits")
		}
		n = n*10 + d
		s.i++
	}
	if s.i == start {
		return 0, s.unexpected(field, "an unsigned integer")
	}
	if s.i > start+1 && s.byte(start) == '0' {
		return 0, s.fail(start, field, "a number has no leading zero")
	}
	if c := s.end(); c == '.' || c == 'e' || c == 'E' {
		return 0, s.fail(start, field, "an integer is written without point or exponent")
	}
	return n, nil
}

// end is the byte at the scanner, 0 behind the header.
func (s *scanner) end() byte {
	if s.i < s.n {
		return s.byte(s.i)
	}
	return 0
}

// numbers reads an array of at most limit unsigned integers. It is valid until
// the next call; kept makes it last.
func (s *scanner) numbers(field string, limit int) ([]int64, error) {
	if err := s.expect('[', field); err != nil {
		return nil, err
	}
	out := s.list[:0]
	defer func() { s.list = out[:0] }()
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
