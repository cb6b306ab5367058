package tensor

import (
	"context"
	"io"
)

// Span is a run [Lo, Hi): of the bytes of a file, or of the values of a
// tensor.
type Span struct{ Lo, Hi int64 }

// Fetcher is a reader that is quicker when it is told at once all that will be
// read of it next, as one that asks a server is.
type Fetcher interface {
	io.ReaderAt
	// Fetch makes reads of these bytes quick. It returns when they are there;
	// what is fetched is kept for a while, not for ever.
	Fetch(ctx context.Context, spans []Span) error
}

// FetchBytes is how much is worth announcing at once; more of it might be
// dropped before it is read.
const FetchBytes = 8 << 20

// Fetch announces that values of a tensor will be read. It does nothing where
// the values are not stored as they are, or where announcing does not help.
func Fetch(ctx context.Context, d Data, values []Span) error {
	s, ok := d.(*Stored)
	if !ok {
		return nil
	}
	f, ok := s.R.(Fetcher)
	codec, known := s.DType.Codec()
	if !ok || !known {
		return nil
	}
	bytes := make([]Span, len(values))
	per, size := int64(codec.BlockValues), int64(codec.BlockBytes)
	for i, v := range values {
		bytes[i] = Span{s.Offset + v.Lo/per*size, s.Offset + (v.Hi+per-1)/per*size}
	}
	return f.Fetch(ctx, bytes)
}
