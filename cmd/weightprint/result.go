package main

import (
	"io"
	"os"
)

// result is the standard output. It remembers the first error of writing, so
// that no verb reports success for a result that did not arrive.
type result struct {
	io.Writer
	err error
}

func (r *result) Write(p []byte) (int, error) {
	n, err := r.Writer.Write(p)
	if r.err == nil {
		r.err = err
	}
	return n, err
}

// fileOf is the file that a writer writes to.
func fileOf(w io.Writer) (*os.File, bool) {
	if r, ok := w.(*result); ok {
		w = r.Writer
	}
	f, ok := w.(*os.File)
	return f, ok
}
