package tensor

import (
	"context"
	"errors"
	"io"
	"sync"
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
	s, ok := StoredOf(d)
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

// Want is what will be read of one tensor's values.
type Want struct {
	Data   Data
	Values []Span
}

// Bytes is how many stored bytes the spans take, roughly.
func (w Want) Bytes() int64 {
	s, ok := StoredOf(w.Data)
	if !ok {
		return 0
	}
	codec, ok := s.DType.Codec()
	if !ok {
		return 0
	}
	n := int64(0)
	for _, v := range w.Values {
		n += (v.Hi - v.Lo) * int64(codec.BlockBytes) / int64(codec.BlockValues)
	}
	return n
}

// FetchAll announces what will be read of many tensors, all at once. Together
// it should stay within FetchBytes.
func FetchAll(ctx context.Context, wants []Want) error {
	errs := make([]error, len(wants))
	var wg sync.WaitGroup
	for i, w := range wants {
		if s, ok := StoredOf(w.Data); ok && !asksServer(s.R) {
			continue
		}
		wg.Go(func() { errs[i] = Fetch(ctx, w.Data, w.Values) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// asksServer tells whether announcing makes a difference.
func asksServer(r io.ReaderAt) bool {
	if w, ok := r.(interface{ Fetches() bool }); ok {
		return w.Fetches()
	}
	_, ok := r.(Fetcher)
	return ok
}
