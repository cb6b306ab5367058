package tensor

import "context"

// Slice views entries [first, first+n) of a tensor's first dimension under a name of
// their own. Where they are whole blocks of a file they stay stored, so that reading
// them can be announced. The range lies within the tensor.
func Slice(t *Tensor, name string, first, n int64) *Tensor {
	per := int64(1)
	if t.Shape[0] > 0 {
		per = t.Len() / t.Shape[0]
	}
	out := &Tensor{Name: name, DType: t.DType, Shape: append([]int64{n}, t.Shape[1:]...)}
	if s := storedPart(t.Data, first*per, n*per); s != nil {
		out.Data = s
	} else {
		out.Data = NewPieces(t, []Span{{first * per, (first + n) * per}})
	}
	return out
}

// storedPart is a run of values as a run of a file's bytes, nil where it is none.
func storedPart(d Data, first, n int64) *Stored {
	s, ok := d.(*Stored)
	if !ok {
		return nil
	}
	c, known := s.DType.Codec()
	if !known {
		return nil
	}
	per, size := int64(c.BlockValues), int64(c.BlockBytes)
	if first%per != 0 || n%per != 0 {
		return nil
	}
	part := *s
	part.Offset, part.Bytes = s.Offset+first/per*size, n/per*size
	return &part
}

// Pieces are runs of a tensor's values, one behind the other.
type Pieces struct {
	of    Data
	parts []Span
	share float64 // of the tensor's values
}

// NewPieces are the values of the given runs, which lie within the tensor.
func NewPieces(t *Tensor, parts []Span) *Pieces {
	n := int64(0)
	for _, s := range parts {
		n += s.Hi - s.Lo
	}
	return &Pieces{of: t.Data, parts: parts, share: float64(n) / float64(max(1, t.Len()))}
}

// ReadValues reads from each of the runs what lies in it.
func (p *Pieces) ReadValues(ctx context.Context, dst []float32, first int64) error {
	for _, s := range p.parts {
		size := s.Hi - s.Lo
		if first >= size {
			first -= size
			continue
		}
		n := min(int64(len(dst)), size-first)
		if err := p.of.ReadValues(ctx, dst[:n], s.Lo+first); err != nil {
			return err
		}
		if dst, first = dst[n:], 0; len(dst) == 0 {
			break
		}
	}
	return nil
}

// StoredBytes is the runs' share of the tensor's bytes, rounded down.
func (p *Pieces) StoredBytes() int64 { return int64(p.share * float64(p.of.StoredBytes())) }
