package delta

import (
	"bytes"
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/quant"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/similarity/align"
	"github.com/weightprint/weightprint/similarity/equality"
)

// Change is what happened between the two tensors of one role.
type Change struct {
	Role      string
	Names     [2]string // of the tensors of A and B, as their files have them
	Component string
	Tower     string // of B
	LayerB    int    // -1 outside layers
	Vector    bool   // a gain or bias, no matrix
	A, B      tensor.DType
	Complete  bool // every value was read
	Stats     Stats
	Folded    Folded // the values with the gain of the norm before them folded in
	Centred   Folded // the values without what the norms of the stream take away, as LayerNorms do
	Acting    Acting // columns as that gain acts on them
	Scales    RowScales
	Learned   bool // of unknown role: A's values look like a matrix that was trained (package equality)
	// Reencoded counts rows of B that the reference rule of B's type gives,
	// byte for byte, from A's values; [1] the reverse. Rows asked in Encodable.
	Reencoded [2]int64
	Encodable [2]int64
}

// Options bounds what Compare reads.
type Options struct {
	Rows int // rows sampled of each matrix; 0 = all
}

// Compare reads every pair of the matching and sums up how the values differ.
// Pairs of different shape are left out and named in the second result.
func Compare(ctx context.Context, m *align.Matching, seed []byte, o Options) (changes []Change, differ []string, err error) {
	changes = make([]Change, 0, len(m.Matrices)+len(m.Vectors)) // of large mixtures there are many
	announced := 0
	for i, p := range m.Matrices {
		if i == announced && o.Rows > 0 {
			n, err := announce(ctx, m.Matrices[i:], seed, o)
			if err != nil {
				return nil, nil, err
			}
			announced += n
		}
		if p.A.Rows != p.B.Rows || p.A.Cols != p.B.Cols {
			differ = append(differ, p.Shape())
			continue
		}
		c, err := compareMatrix(ctx, p, seed, o)
		if err != nil {
			return nil, nil, err
		}
		changes = append(changes, c)
	}
	if err := announceVectors(ctx, m.Vectors); err != nil {
		return nil, nil, err
	}
	for _, p := range m.Vectors {
		if p.A.Len != p.B.Len {
			differ = append(differ, fmt.Sprintf("%s: %d and %d", p.B.Role, p.A.Len, p.B.Len))
			continue
		}
		c, err := compareVector(ctx, p)
		if err != nil {
			return nil, nil, err
		}
		changes = append(changes, c)
	}
	return changes, differ, nil
}

// Cost is how many bytes comparing so many rows of a pair of matrices reads: what
// is stored in blocks is read as it lies, too, to see which encoding gives it.
func Cost(p align.MatrixPair, rows int) int64 {
	side := func(m *roles.Matrix) int64 {
		n := m.Cost(rows)
		if m.Tensor.DType.Kind() == tensor.KindBlock {
			n *= 2
		}
		return n + m.Gain.Cost()
	}
	return max(side(p.A), side(p.B))
}

// generic is the component of matrices of unknown role.
const generic = "generic"

// valuesAtOnce bounds the memory of a comparison: values of each side held
// at a time.
const valuesAtOnce = 1 << 17

// sampled picks the rows of a matrix that are compared: of unknown role the same of all that
// have one shape, so that a matrix which a file holds twice shows itself.
func sampled(p align.MatrixPair, seed []byte, o Options) []int {
	if o.Rows <= 0 || o.Rows >= p.B.Rows {
		return p.B.All()
	}
	of := p.B.Role
	if p.Component == generic {
		of = fmt.Sprintf("%d x %d", p.B.Rows, p.B.Cols)
	}
	return rng.New(seed, "rows of "+of).Sample(p.B.Rows, o.Rows)
}

// announce tells the readers which rows of the next matrices will be read, so
// that a distant server is asked for all of them at once, and returns how many
// matrices that is.
func announce(ctx context.Context, pairs []align.MatrixPair, seed []byte, o Options) (n int, err error) {
	var wants []tensor.Want
	held := int64(0)
	for _, p := range pairs {
		if p.A.Rows == p.B.Rows && p.A.Cols == p.B.Cols {
			rows := sampled(p, seed, o)
			a, b := p.A.Want(rows), p.B.Want(rows)
			if held += a.Bytes() + b.Bytes(); n > 0 && held > 2*tensor.FetchBytes {
				break
			}
			wants = append(wants, a, b)
		}
		n++
	}
	return n, tensor.FetchAll(ctx, wants)
}

// announceVectors does so for vectors, which are small.
func announceVectors(ctx context.Context, pairs []align.VectorPair) error {
	var wants []tensor.Want
	held := int64(0)
	for _, p := range pairs {
		a, b := p.A.Want(), p.B.Want()
		if held += a.Bytes() + b.Bytes(); held > 2*tensor.FetchBytes {
			break
		}
		wants = append(wants, a, b)
	}
	return tensor.FetchAll(ctx, wants)
}

func compareMatrix(ctx context.Context, p align.MatrixPair, seed []byte, o Options) (Change, error) {
	c := Change{Role: p.B.Role, Names: [2]string{p.A.Tensor.Name, p.B.Tensor.Name}, Component: p.Component, Tower: p.Tower, LayerB: p.LayerB, A: p.A.Tensor.DType, B: p.B.Tensor.DType, Complete: true}
	rows := sampled(p, seed, o)
	c.Complete = len(rows) == p.B.Rows
	cols := p.B.Cols
	per := max(1, valuesAtOnce/max(1, cols))
	if p.A.Transposed() || p.B.Transposed() {
		per = max(per, min(len(rows), 1<<24/max(1, cols))) // each gather reads the whole tensor
	}
	gains, err := foldable(ctx, p)
	if err != nil {
		return c, err
	}
	w := &walker{gains: gains, centred: newCentred(p.A, p.B, gains), scaler: newScaler(p.Component, p.A, p.B), acting: newActing(p.B.Role, gains), a: p.A, b: p.B, bufA: make([]float32, min(per, len(rows))*cols), bufB: make([]float32, min(per, len(rows))*cols)}
	if p.Component == generic {
		w.look, w.mirror = equality.NewLook([]int64{int64(p.A.Rows), int64(cols)}), newMirror(p.A, rows)
	}
	for len(rows) > 0 {
		n := min(per, len(rows))
		if err := w.step(ctx, &c, rows[:n]); err != nil {
			return c, err
		}
		rows = rows[n:]
	}
	c.Centred = w.centred.result(c.Complete)
	c.Acting = w.acting.result()
	c.Scales = w.scaler.scales()
	c.Learned = w.look != nil && w.look.Learned() && !w.mirror.symmetric()
	return c, nil
}

// walker holds the buffers of one comparison.
type walker struct {
	a, b         *roles.Matrix
	gains        [2][]float32 // nil where there are none
	centred      *centred
	acting       *acting
	scaler       *scaler
	look         *equality.Look // at A; nil where its role is known
	mirror       *mirror        // nil where A is not square, too
	bufA, bufB   []float32
	stepA, stepB []float32
	raw, encoded []byte
}

// step compares some rows.
func (w *walker) step(ctx context.Context, c *Change, rows []int) error {
	n := len(rows) * w.b.Cols
	a, b := w.bufA[:n], w.bufB[:n]
	if err := w.a.Gather(ctx, a, rows); err != nil {
		return err
	}
	if err := w.b.Gather(ctx, b, rows); err != nil {
		return err
	}
	var err error
	if w.stepA, err = w.lattice(ctx, w.stepA, w.a, rows, b, &c.Reencoded[1], &c.Encodable[1]); err != nil {
		return err
	}
	if w.stepB, err = w.lattice(ctx, w.stepB, w.b, rows, a, &c.Reencoded[0], &c.Encodable[0]); err != nil {
		return err
	}
	ta, tb := roundings(w.a.Tensor, w.b.Tensor)
	c.Stats.add(a, b, ta, tb, w.stepA, w.stepB)
	c.Folded.add(a, b, w.gains, w.b.Cols)
	w.centred.add(a, b)
	w.acting.add(a, b)
	w.scaler.add(a, b, rows, w.b.Cols)
	if w.look != nil {
		w.look.Add(a)
		w.mirror.add(a)
	}
	return nil
}

// roundings are the types by which values of two tensors are rounded. Values that are
// stored in one type on both sides are rounded already.
func roundings(a, b *tensor.Tensor) (ta, tb tensor.DType) {
	_, storedA := tensor.StoredOf(a.Data)
	_, storedB := tensor.StoredOf(b.Data)
	if a.DType == b.DType && storedA && storedB {
		return tensor.F32, tensor.F32
	}
	return a.DType, b.DType
}

// lattice returns the steps of m's quantised storage at each value of the
// rows, and counts the rows that encoding the other side's values gives byte
// for byte. It returns nil for storage that is no lattice.
func (w *walker) lattice(ctx context.Context, steps []float32, m *roles.Matrix, rows []int, other []float32, equal, asked *int64) ([]float32, error) {
	if l, ok := m.Tensor.Data.(tensor.Lattice); ok && !m.Transposed() {
		return packedSteps(ctx, steps, l, m, rows)
	}
	s, ok := tensor.StoredOf(m.Tensor.Data)
	step, has := quant.Steps[m.Tensor.DType.String()]
	encode := quant.Encoders[m.Tensor.DType.String()]
	if !ok || m.Transposed() || !has && encode == nil || m.Tensor.DType.Kind() != tensor.KindBlock {
		return nil, nil
	}
	codec, _ := m.Tensor.DType.Codec()
	size := m.Cols / codec.BlockValues * codec.BlockBytes
	if cap(w.raw) < size {
		w.raw, w.encoded = make([]byte, size), make([]byte, size)
	}
	raw, encoded := w.raw[:size], w.encoded[:size]
	steps = steps[:0]
	for i, r := range rows {
		if err := s.ReadLittle(raw, m.StoredAt(r)/int64(codec.BlockValues)*int64(codec.BlockBytes)); err != nil {
			return nil, err
		}
		if has {
			first := len(steps)
			steps = append(steps, make([]float32, m.Cols)...)
			step(steps[first:], raw)
		}
		if encode != nil {
			encode(encoded, other[i*m.Cols:(i+1)*m.Cols])
			*asked++
			if bytes.Equal(raw, encoded) {
				*equal++
			}
		}
	}
	return steps, nil
}

// packedSteps reads the steps of a matrix whose scales lie apart,
// neighbouring stored rows together.
func packedSteps(ctx context.Context, steps []float32, l tensor.Lattice, m *roles.Matrix, rows []int) ([]float32, error) {
	if n := len(rows) * m.Cols; cap(steps) < n {
		steps = make([]float32, n)
	} else {
		steps = steps[:n]
	}
	for i := 0; i < len(rows); {
		n := 1
		for i+n < len(rows) && m.StoredAt(rows[i+n]) == m.StoredAt(rows[i])+int64(n*m.Cols) {
			n++
		}
		if err := l.ReadSteps(ctx, steps[i*m.Cols:(i+n)*m.Cols], m.StoredAt(rows[i])); err != nil {
			return nil, err
		}
		i += n
	}
	return steps, nil
}

func compareVector(ctx context.Context, p align.VectorPair) (Change, error) {
	c := Change{Role: p.B.Role, Names: [2]string{p.A.Tensor.Name, p.B.Tensor.Name}, Component: p.Component, Tower: p.Tower, Vector: true, LayerB: -1, A: p.A.Tensor.DType, B: p.B.Tensor.DType, Complete: true}
	a, err := p.A.Read(ctx)
	if err != nil {
		return c, err
	}
	b, err := p.B.Read(ctx)
	if err != nil {
		return c, err
	}
	stepA, err := p.A.Steps(ctx)
	if err != nil {
		return c, err
	}
	stepB, err := p.B.Steps(ctx)
	if err != nil {
		return c, err
	}
	c.Stats.add(a, b, c.A, c.B, stepA, stepB)
	return c, nil
}
