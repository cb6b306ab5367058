package torch

import (
	"context"
	"io"

	"github.com/weightprint/weightprint/formats/tensor"
)

// section is a stretch of a file that holds a file of its own. What helps
// reads of the outer file helps those of the inner one.
type section struct {
	*io.SectionReader
	r    io.ReaderAt
	base int64
}

func newSection(r io.ReaderAt, base, size int64) *section {
	return &section{io.NewSectionReader(r, base, size), r, base}
}

// Fetches tells whether announcing reads makes a difference.
func (s *section) Fetches() bool {
	f, ok := s.r.(interface{ Fetches() bool })
	return ok && f.Fetches()
}

// Fetch announces reads of bytes of the section.
func (s *section) Fetch(ctx context.Context, spans []tensor.Span) error {
	f, ok := s.r.(tensor.Fetcher)
	if !ok {
		return nil
	}
	moved := make([]tensor.Span, len(spans))
	for i, x := range spans {
		moved[i] = tensor.Span{Lo: s.base + x.Lo, Hi: s.base + x.Hi}
	}
	return f.Fetch(ctx, moved)
}
