package tensor

import (
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/internal/escape"
)

// The classes of faults, for errors.Is. Truncated input is
// io.ErrUnexpectedEOF.
var (
	// ErrFormat: the file breaks a rule of its format.
	ErrFormat = errors.New("malformed file")
	// ErrLimit: the file asks for more than a documented limit.
	ErrLimit = errors.New("limit exceeded")
	// ErrUnsupported: the file is well formed but holds something this
	// library does not read.
	ErrUnsupported = errors.New("unsupported")
	// ErrNotModel: the file is no checkpoint at all.
	ErrNotModel = errors.New("not a checkpoint")
	// ErrChanged: the file changed while it was being read.
	ErrChanged = errors.New("file changed while being read")
	// ErrForgivable: a lenient reader would have opened the file, with a
	// warning. It comes beside one of the other classes.
	ErrForgivable = errors.New("refused by a strict reader only")
)

// FormatError is the one error of all readers: which file, where in it, which
// field, and the rule that it breaks. Offset is -1 where no place in the file
// can be named.
type FormatError struct {
	File   string
	Offset int64
	Field  string // such as `tensor "a" data_offsets`; names from files are quoted
	Rule   string // what was expected and what was found
	Err    error  // the class, or the cause

	forgivable bool
}

// Error renders "FILE: offset N: FIELD: rule".
func (e *FormatError) Error() string {
	s := escape.Printable(e.File)
	if e.Offset >= 0 {
		s += fmt.Sprintf(": offset %d", e.Offset)
	}
	if e.Field != "" {
		s += ": " + e.Field
	}
	return s + ": " + e.Rule
}

// Is tells also ErrForgivable.
func (e *FormatError) Is(target error) bool { return e.forgivable && target == ErrForgivable }

// Forgivable marks an error that a lenient reader turns into a warning.
func (e *FormatError) Forgivable() *FormatError {
	f := *e
	f.forgivable = true
	return &f
}

// Unwrap returns the class.
func (e *FormatError) Unwrap() error { return e.Err }

// Errorf builds a FormatError.
func Errorf(class error, file string, offset int64, field, rule string, args ...any) *FormatError {
	return &FormatError{File: file, Offset: offset, Field: field, Rule: fmt.Sprintf(rule, args...), Err: class}
}
