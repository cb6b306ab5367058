package commitment

import (
	"context"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// layout cuts a tensor into the leaves of its committed tree: runs of length
// values in stored order, or, where units are stored as columns, the columns
// of its last two dimensions.
type layout struct {
	columns bool
	length  int64
}

// plain is the layout of tensors without units: their rows.
func plain(t *tensor.Tensor) layout { return layout{length: t.Cols()} }

// leaves is the number of leaves of a tensor.
func (l layout) leaves(t *tensor.Tensor) int64 {
	if l.length == 0 {
		return 0
	}
	return t.Len() / l.length
}

// layoutOf is the layout that makes the rows of a view leaves, and where they
// lie: unit u is leaf first + u·step. It reports false for views whose rows
// are no leaves of any layout.
func layoutOf(m *roles.Matrix) (l layout, first, step int64, ok bool) {
	l = layout{m.Transposed(), int64(m.Cols)}
	if m.Rows < 2 || m.Cols < 1 || m.Tensor.Len()%l.length != 0 {
		return l, 0, 0, false
	}
	first, ok = l.leafAt(m, 0)
	second, _ := l.leafAt(m, 1)
	step = second - first
	for r := 1; r < m.Rows && ok; r++ {
		var at int64
		at, ok = l.leafAt(m, r)
		ok = ok && at == first+int64(r)*step
	}
	return l, first, step, ok && step > 0
}

// leafAt is the number of the leaf that is row r of a view.
func (l layout) leafAt(m *roles.Matrix, r int) (int64, bool) {
	at, apart := m.Place(r)
	if !l.columns {
		return at / l.length, apart == 1 && at%l.length == 0
	}
	rank, cols := len(m.Tensor.Shape), m.Tensor.Cols()
	if rank < 2 || m.Tensor.Shape[rank-2] != l.length || apart != cols {
		return 0, false
	}
	slab := l.length * cols
	return at/slab*cols + at%slab, at%slab < cols
}

// each streams the leaves in order: number, canonical bytes (valid until the
// next leaf) and their digest.
func (l layout) each(ctx context.Context, t *tensor.Tensor, yield func(i int64, canonical []byte, d fingerprint.Digest)) error {
	if l.leaves(t) == 0 {
		return nil
	}
	if l.columns {
		return l.eachColumn(ctx, t, yield)
	}
	h := newCanonicaliser()
	if s, ok := t.Stored(); ok && wide(t) {
		if l.length > maxLength {
			return l.eachLongWide(ctx, t, s, yield)
		}
		return l.eachWide(ctx, t, s, h, yield)
	}
	if l.length > maxLength {
		return l.eachLong(ctx, t, yield)
	}
	const target = 1 << 18 // values read together
	n := l.leaves(t)
	per := min(n, max(1, target/l.length))
	buf := make([]float32, per*l.length)
	for first := int64(0); first < n; first += per {
		k := min(per, n-first)
		if err := t.Data.ReadValues(ctx, buf[:k*l.length], first*l.length); err != nil {
			return err
		}
		for i := range k {
			d := h.floats(buf[i*l.length : (i+1)*l.length])
			yield(first+i, h.buf, d)
		}
	}
	return nil
}

// wide tells whether a tensor decodes to more than float32 holds.
func wide(t *tensor.Tensor) bool { return wideTypes[t.DType].size > 0 }

// eachWide is each for types that decode to more than float32 holds.
func (l layout) eachWide(ctx context.Context, t *tensor.Tensor, s *tensor.Stored, h *canonicaliser, yield func(int64, []byte, fingerprint.Digest)) error {
	size := l.length * int64(wideTypes[t.DType].size)
	buf, narrow := make([]byte, size), make([]float32, l.length)
	for i := range l.leaves(t) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.ReadLittle(buf, i*size); err != nil {
			return err
		}
		d := h.wide(t.DType, buf, narrow)
		yield(i, h.buf, d)
	}
	return nil
}

// pieceValues is how much of a long leaf is held at a time.
const pieceValues = 1 << 16

// eachLong is each for leaves too long to be units, which are hashed piece by
// piece. Nobody asks for their canonical bytes.
func (l layout) eachLong(ctx context.Context, t *tensor.Tensor, yield func(int64, []byte, fingerprint.Digest)) error {
	h := newCanonicaliser()
	buf := make([]float32, pieceValues)
	for i := range l.leaves(t) {
		h.begin('f')
		for at := int64(0); at < l.length; at += pieceValues {
			part := buf[:min(pieceValues, l.length-at)]
			if err := t.Data.ReadValues(ctx, part, i*l.length+at); err != nil {
				return err
			}
			h.more(part)
		}
		yield(i, nil, sum(h.h))
	}
	return nil
}

// eachLongWide is eachLong for types that decode to more than float32 holds: a
// leaf is read once to learn its form, and once to be hashed.
func (l layout) eachLongWide(ctx context.Context, t *tensor.Tensor, s *tensor.Stored, yield func(int64, []byte, fingerprint.Digest)) error {
	w, h := wideTypes[t.DType], newCanonicaliser()
	raw, narrow := make([]byte, pieceValues*w.size), make([]float32, pieceValues)
	pieces := func(i int64, f func(raw []byte, narrow []float32) bool) error {
		for at := int64(0); at < l.length; at += pieceValues {
			n := int(min(pieceValues, l.length-at))
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := s.ReadLittle(raw[:n*w.size], (i*l.length+at)*int64(w.size)); err != nil {
				return err
			}
			if !f(raw[:n*w.size], narrow[:n]) {
				return nil
			}
		}
		return nil
	}
	for i := range l.leaves(t) {
		exact := true
		if err := pieces(i, func(raw []byte, narrow []float32) bool { exact = w.narrowAll(raw, narrow); return exact }); err != nil {
			return err
		}
		h.begin(map[bool]byte{true: 'f', false: w.form}[exact])
		if err := pieces(i, func(raw []byte, narrow []float32) bool {
			if exact {
				w.narrowAll(raw, narrow)
				h.more(narrow)
			} else {
				h.moreWide(w, raw)
			}
			return true
		}); err != nil {
			return err
		}
		yield(i, nil, sum(h.h))
	}
	return nil
}

// eachColumn is each for columns: stripes of a slab are turned round in memory.
// Columns are float32 whatever the stored type.
func (l layout) eachColumn(ctx context.Context, t *tensor.Tensor, yield func(int64, []byte, fingerprint.Digest)) error {
	const most = 1 << 24 // values held
	rows, cols := l.length, t.Cols()
	stripe := min(cols, max(1, most/rows))
	per := min(rows, max(1, (1<<18)/cols))
	read := make([]float32, per*cols)
	turned := make([]float32, rows*stripe)
	h := newCanonicaliser()
	for slab := range t.Len() / (rows * cols) {
		for c := int64(0); c < cols; c += stripe {
			w := min(stripe, cols-c)
			for r := int64(0); r < rows; r += per {
				k := min(per, rows-r)
				if err := t.Data.ReadValues(ctx, read[:k*cols], (slab*rows+r)*cols); err != nil {
					return err
				}
				for i := range k {
					for j := range w {
						turned[j*rows+r+i] = read[i*cols+c+j]
					}
				}
			}
			for j := range w {
				d := h.floats(turned[j*rows : (j+1)*rows])
				yield(slab*cols+c+j, h.buf, d)
			}
		}
	}
	return nil
}
