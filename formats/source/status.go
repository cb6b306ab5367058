//go:build !nonet && !js

package source

import (
	"fmt"
	"io/fs"
	"net/http"
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
