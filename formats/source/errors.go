package source

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
)

// The classes of faults of references and servers, for errors.Is. A file that
// changes under the reader is tensor.ErrChanged, one that ends too early
// io.ErrUnexpectedEOF.
var (
	// ErrReference: the reference is not of any known form.
	ErrReference = errors.New("no such form of reference")
	// ErrNotStored: the model is not in the local store that the reference
	// names, and may not be fetched from elsewhere.
	ErrNotStored = errors.New("the model is not in the local store")
	// ErrAddress: the address may not be asked: it is private, not encrypted,
	// or a redirect leads there that must not.
	ErrAddress = errors.New("address refused")
	// ErrNoRanges: the server sends whole files only.
	ErrNoRanges = errors.New("the server does not serve byte ranges")
	// ErrAnswer: the server's answer is not what was asked for.
	ErrAnswer = errors.New("the server's answer is not what was asked for")
	// ErrSlow: the server stalls, or sends too slowly.
	ErrSlow = errors.New("the server is too slow")
	// ErrUnreachable: no connection to the server came about, or it broke.
	ErrUnreachable = errors.New("the server cannot be reached")
)

// Ways of being unreachable that another attempt does not change.
var (
	errNoHost      = fmt.Errorf("%w: no host has this name", ErrUnreachable)
	errCertificate = fmt.Errorf("%w: its certificate is not trusted", ErrUnreachable)
)

// StatusError is an answer whose HTTP status is no success. 404 and 410 are
// fs.ErrNotExist, 401 and 403 fs.ErrPermission.
type StatusError struct{ Code int }

// Error names the status in this library's words: the server's own text is
// not repeated.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answers %d %s", e.Code, http.StatusText(e.Code))
}

// Is maps statuses to the errors of package fs.
func (e *StatusError) Is(target error) bool {
	switch e.Code {
	case http.StatusNotFound, http.StatusGone:
		return target == fs.ErrNotExist
	case http.StatusUnauthorized, http.StatusForbidden:
		return target == fs.ErrPermission
	}
	return false
}
