package main

import (
	"context"
	"io"
)

// interruptible reads from r until ctx ends, also while r has nothing to give: a
// terminal or a pipe may stay silent for ever.
func interruptible(ctx context.Context, r io.Reader) io.Reader {
	out, in := io.Pipe()
	go func() {
		_, err := io.Copy(in, r)
		in.CloseWithError(err)
	}()
	context.AfterFunc(ctx, func() { in.CloseWithError(ctx.Err()) })
	return out
}
