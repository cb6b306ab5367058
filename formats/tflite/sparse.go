package tflite

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// A sparse tensor keeps its numbers without most of the zeros. For each dimension, in the order of the
// shape, it says either that all indices are there or which: by segments of a list of indices, one
// segment for each place of the dimensions before (compressed rows). The dimensions may come in another
// turn, and a dimension may be counted in blocks: then the indices within a block follow behind, as
// dimensions of their own, which a map of blocks leads back to those of the shape.

// Numbers of the schema.
const (
	formatDense, formatCompressed = 0, 1

	maxPlaces = 1 << 22 // of the numbers of all sparse tensors, kept in memory
	counted   = 1 << 56 // numbers of one tensor, with its zeros: more than any file may have, and no product overflows
)

// indexBytes are the sizes of the numbers in a list of indices, by its number in the union.
var indexBytes = map[int64]int64{1: 4, 2: 2, 3: 1}

// sparse are the values of a sparse tensor: those that are stored, and zeros elsewhere.
type sparse struct {
	of     *tensor.Stored
	places []int64 // in the dense tensor, ascending
	at     []int64 // of the stored values; nil where they lie in the order of places
}

// ReadValues reads the stored values between two places and puts them where they belong.
func (s *sparse) ReadValues(ctx context.Context, dst []float32, first int64) error {
	clear(dst)
	lo, _ := slices.BinarySearch(s.places, first)
	hi, _ := slices.BinarySearch(s.places, first+int64(len(dst)))
	if lo == hi {
		return nil
	}
	if s.at != nil {
		return s.scattered(ctx, dst, first, lo, hi)
	}
	values := make([]float32, hi-lo)
	if err := s.of.ReadValues(ctx, values, int64(lo)); err != nil {
		return err
	}
	for i, v := range values {
		dst[s.places[lo+i]-first] = v
	}
	return nil
}

// scattered reads values lo to hi, which lie in another order than their places.
func (s *sparse) scattered(ctx context.Context, dst []float32, first int64, lo, hi int) error {
	from, to := slices.Min(s.at[lo:hi]), slices.Max(s.at[lo:hi])+1
	values := make([]float32, to-from)
	if err := s.of.ReadValues(ctx, values, from); err != nil {
		return err
	}
	for i := lo; i < hi; i++ {
		dst[s.places[i]-first] = values[s.at[i]-from]
	}
	return nil
}

// newSparse puts places into their order.
func newSparse(of *tensor.Stored, places []int64) *sparse {
	if slices.IsSorted(places) {
		return &sparse{of: of, places: places}
	}
	s := &sparse{of: of, places: make([]int64, len(places)), at: make([]int64, len(places))}
	for i := range s.at {
		s.at[i] = int64(i)
	}
	slices.SortFunc(s.at, func(a, b int64) int { return cmp.Compare(places[a], places[b]) })
	for i, at := range s.at {
		s.places[i] = places[at]
	}
	return s
}

// StoredBytes counts the numbers, without the indices.
func (s *sparse) StoredBytes() int64 { return s.of.Bytes }

// turn is a dimension as it is described: how many indices it has, and how far an index leads in the
// dense tensor.
type turn struct{ size, step int64 }

// levelsOf are the dimensions in their turn, those within blocks last. It is nil for what no writer
// makes: dimensions left out or twice, blocks that do not fill their dimension, come in another turn
// than the map has them, or of which not all indices are there.
func levelsOf(shape, order, blocks, sizes []int64) []turn {
	n := len(shape)
	if len(order) != n+len(blocks) || len(blocks) > 0 && len(sizes) != len(order) {
		return nil
	}
	of := make([]turn, n) // by the shape
	for i, step := n-1, int64(1); i >= 0; i-- {
		of[i] = turn{shape[i], step}
		step *= shape[i]
	}
	out := make([]turn, len(order))
	for i, d := range blocks {
		size := sizes[n+i]
		if order[n+i] != int64(n+i) || d < 0 || d >= int64(n) || i > 0 && d <= blocks[i-1] || size < 1 || shape[d]%size != 0 {
			return nil
		}
		out[n+i] = turn{size, of[d].step}
		of[d] = turn{shape[d] / size, of[d].step * size}
	}
	seen := make([]bool, n)
	for i, d := range order[:n] {
		if d < 0 || d >= int64(n) || seen[d] {
			return nil
		}
		seen[d], out[i] = true, of[d]
	}
	return out
}

// levelSizes are the sizes of the described dimensions, 0 for those of which some indices are left out.
func (m *reader) levelSizes(t *table) (sizes []int64, err error) {
	err = t.tables(2, "dimension", func(_ int64, level *table) error {
		format, err := level.number(0, 1, 0)
		if err != nil {
			return err
		}
		size, err := level.number(1, 4, 0)
		if err != nil {
			return err
		}
		if format != formatDense {
			size = 0
		}
		sizes = append(sizes, size)
		return nil
	})
	return sizes, err
}

// thin lists a sparse tensor of floating-point numbers. What is sparse in a way that no writer has
// stays unread.
func (m *reader) thin(s *stored, t *table, k kind) error {
	const unread = "is stored sparse"
	n, ok := tensor.Elements(s.shape)
	if !ok || slices.ContainsFunc(s.shape, func(d int64) bool { return d < 1 }) || k.dtype != tensor.F32 && k.dtype != tensor.F16 {
		return m.opaque(s, unread)
	}
	order, err := t.ints(0, 2*maxRank)
	if err != nil {
		return err
	}
	blocks, err := t.ints(1, maxRank)
	if err != nil {
		return err
	}
	sizes, err := m.levelSizes(t)
	if err != nil {
		return err
	}
	turns := levelsOf(s.shape, order, blocks, sizes)
	if turns == nil {
		return m.opaque(s, unread)
	}
	places := []int64{0}
	levels := 0
	err = t.tables(2, "dimension", func(i int64, level *table) error {
		if levels++; i >= int64(len(turns)) {
			return m.fail(s, tensor.ErrFormat, "more dimensions described than the %d of shape %v and its blocks", len(turns), s.shape)
		}
		var err error
		places, err = m.level(s, level, i, turns[i], places)
		return err
	})
	if err != nil {
		return err
	}
	if places == nil {
		return m.opaque(s, unread)
	}
	if size := k.bits / 8; levels != len(turns) || int64(len(places))*size != s.data.n {
		return m.fail(s, tensor.ErrFormat, "a buffer of %d bytes for %d places, described in %d of %d dimensions", s.data.n, len(places), levels, len(s.shape))
	}
	if m.places += len(places); m.places > maxPlaces {
		return m.opaque(s, unread)
	}
	m.total += min(n, counted) * (k.bits / 8) // it is as large as it reads
	s.kind = k
	return m.add(s, k.dtype, newSparse(m.plain(s).(*tensor.Stored), places))
}

// level goes down one dimension: the places that each of those before has in it. It is nil where they
// are too many.
func (m *reader) level(s *stored, t *table, i int64, of turn, before []int64) ([]int64, error) {
	if before == nil {
		return nil, nil
	}
	format, err := t.number(0, 1, 0)
	if err != nil {
		return nil, err
	}
	size, err := t.number(1, 4, 0)
	if err != nil {
		return nil, err
	}
	dim := of.size
	switch {
	case format == formatDense && size != dim:
		return nil, m.fail(s, tensor.ErrFormat, "dimension %d is %d, but %d where it is described", i, dim, size)
	case format == formatDense && int64(len(before)) > maxPlaces/dim:
		return nil, nil
	case format == formatDense:
		out := make([]int64, 0, int64(len(before))*dim)
		for _, p := range before {
			for k := range dim {
				out = append(out, p+k*of.step)
			}
		}
		return out, nil
	case format != formatCompressed:
		return nil, m.fail(s, tensor.ErrFormat, "dimension %d is described in the form %d", i, format)
	}
	segments, err := m.indices(s, t, 2)
	if err != nil {
		return nil, err
	}
	indices, err := m.indices(s, t, 4)
	if err != nil || segments == nil || indices == nil {
		return nil, err
	}
	if len(segments) != len(before)+1 || segments[0] != 0 || segments[len(before)] != int64(len(indices)) || !slices.IsSorted(segments) {
		return nil, m.fail(s, tensor.ErrFormat, "dimension %d: %d segments for %d places and %d indices, which they divide in order", i, len(segments), len(before), len(indices))
	}
	out := make([]int64, 0, len(indices))
	for j, p := range before {
		last := int64(-1)
		for _, k := range indices[segments[j]:segments[j+1]] {
			if k <= last || k >= dim {
				return nil, m.fail(s, tensor.ErrFormat, "dimension %d: index %d behind %d, of %d", i, k, last, dim)
			}
			out, last = append(out, p+k*of.step), k
		}
	}
	return out, nil
}

// indices reads a list of whole numbers that fields i and i+1 of a dimension hold; nil where it has
// more than are kept.
func (m *reader) indices(s *stored, t *table, i int64) ([]int64, error) {
	kind, err := t.number(i, 1, 0)
	if err != nil {
		return nil, err
	}
	list, err := t.child(i+1, "indices")
	if err != nil {
		return nil, err
	}
	size := indexBytes[kind]
	if list == nil || size == 0 {
		return nil, m.fail(s, tensor.ErrFormat, "a list of indices of kind %d", kind)
	}
	v, err := list.vector(0, size)
	if err != nil {
		return nil, err
	}
	if v.n > maxPlaces {
		return nil, nil
	}
	out := make([]int64, v.n)
	for k := range out {
		b, err := m.b.take(v.at+size*int64(k), size, "indices")
		if err != nil {
			return nil, err
		}
		var wide [4]byte
		copy(wide[:], b)
		out[k] = int64(int32(binary.LittleEndian.Uint32(wide[:])))
	}
	return out, nil
}
