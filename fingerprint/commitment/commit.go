package commitment

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/zeebo/blake3"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/escape"
)

// ErrNotCommitted says that a model is not the one that a commitment binds.
var ErrNotCommitted = errors.New("the model is not the committed one")

// Secret hides a commitment: without it nobody can tell which model a
// commitment is of, even of a model that everybody has.
type Secret [32]byte

// NewSecret draws a secret from the operating system.
func NewSecret() (s Secret, err error) {
	_, err = rand.Read(s[:])
	return s, err
}

// Commitment binds every value of a model and says nothing about it. It can be
// published.
type Commitment struct{ Root fingerprint.Digest }

// Opening is what the committing party keeps to answer challenges: the secret
// and what the commitment was made of. Whoever has it and the model can prove,
// and whoever has it can recognise the model.
type Opening struct {
	Secret  Secret
	Axes    []Axis
	Tensors []Tensor // by name
}

// Tensor is one tensor of a commitment. Its tree has salted leaves of
// Length values each: rows, or columns where units are stored as columns.
type Tensor struct {
	Name    string
	Shape   []int64
	Columns bool
	Length  int64
	Leaves  int64
	Root    fingerprint.Digest
}

// Axis is an axis that answers sketch: unit u is leaf First + u·Step
// of a tensor.
type Axis struct {
	Name        string
	Tensor      int // position in Opening.Tensors
	First, Step int64
	Units, Dim  int
}

// tensorsAtOnce is how many tensors are read side by side: one whose units are
// columns is turned round in up to 64 MiB.
const tensorsAtOnce = 2

// Commit reads every value of a model once and makes what a commitment to it
// is opened with. The same model and secret give the same commitment, in
// whatever container and lossless type the values are stored.
func Commit(ctx context.Context, m tensor.Model, secret Secret) (*Opening, error) {
	ts := byName(m)
	o := &Opening{Secret: secret}
	axes, layouts := axesOf(roles.Map(m), ts)
	o.Axes = axes
	o.Tensors = make([]Tensor, len(ts))
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	dense.ParallelOn(tensorsAtOnce, len(ts), func(i int) {
		var err error
		if o.Tensors[i], err = commitTensor(ctx, ts[i], layouts[i], newSalter(secret, i)); err != nil {
			stop(err)
		}
	})
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	// A commitment whose opening could not be read back would be worth nothing.
	_, err := DecodeOpening(o.Encode())
	return o, err
}

// commitTensor reads one tensor.
func commitTensor(ctx context.Context, t *tensor.Tensor, l layout, s *salter) (Tensor, error) {
	c := Tensor{Name: t.Name, Shape: t.Shape, Columns: l.columns, Length: l.length, Leaves: l.leaves(t)}
	var tree fingerprint.Tree
	err := l.each(ctx, t, func(k int64, _ []byte, d fingerprint.Digest) { tree.Add(s.leaf(k, d)) })
	c.Root = tree.Root()
	return c, err
}

// salter salts the leaves of one tensor, each with its own salt: a proof shows
// digests of neighbours, and without their salts nobody can try out what they
// are digests of.
type salter struct {
	secret        Secret
	tensor        int
	salts, leaves *blake3.Hasher
}

func newSalter(s Secret, tensor int) *salter {
	return &salter{s, tensor, newHash(purposeSalt), newHash(purposeSalted)}
}

// salt is the salt of leaf i.
func (s *salter) salt(i int64) fingerprint.Digest {
	var b [48]byte
	copy(b[:], s.secret[:])
	le.PutUint64(b[32:], uint64(s.tensor))
	le.PutUint64(b[40:], uint64(i))
	s.salts.Reset()
	s.salts.Write(b[:])
	return sum(s.salts)
}

func (s *salter) leaf(i int64, row fingerprint.Digest) fingerprint.Digest {
	return salted(s.leaves, s.salt(i), row)
}

// salted is a leaf of a committed tensor's tree.
func salted(h *blake3.Hasher, salt, row fingerprint.Digest) fingerprint.Digest {
	h.Reset()
	h.Write(salt[:])
	h.Write(row[:])
	return sum(h)
}

// The salts of a tensor's entry and of the table of axes.
const (
	saltEntry = -1
	saltAxes  = -2
)

func byName(m tensor.Model) []*tensor.Tensor {
	ts := slices.Clone(m.Tensors())
	slices.SortFunc(ts, func(a, b *tensor.Tensor) int { return cmp.Compare(a.Name, b.Name) })
	return ts
}

// entry is the leaf of a tensor in the commitment's tree.
func (c *Tensor) entry(salt fingerprint.Digest) fingerprint.Digest {
	e := &encoder{}
	e.tensor(c)
	return purposeTensor.of(salt[:], e.b)
}

// axesLeaf is the first leaf of the commitment's tree.
func axesLeaf(salt fingerprint.Digest, axes []Axis) fingerprint.Digest {
	e := &encoder{}
	e.axes(axes)
	return purposeAxes.of(salt[:], e.b)
}

// leaves are the leaves of the commitment's tree: the axes, then the tensors.
func (o *Opening) leaves() []fingerprint.Digest {
	out := []fingerprint.Digest{axesLeaf(newSalter(o.Secret, 0).salt(saltAxes), o.Axes)}
	for i := range o.Tensors {
		out = append(out, o.Tensors[i].entry(newSalter(o.Secret, i).salt(saltEntry)))
	}
	return out
}

// Commitment is the public part.
func (o *Opening) Commitment() Commitment {
	leaves := o.leaves()
	return commitmentOf(int64(len(leaves)), rootOf(leaves...))
}

// commitmentOf closes a commitment over the size and root of its tree.
func commitmentOf(n int64, root fingerprint.Digest) Commitment {
	return Commitment{purposeCommitment.of(le.AppendUint64(nil, uint64(n)), root[:])}
}

// Verify tells whether a model is the one that the opening belongs to: nil, or
// ErrNotCommitted with the first tensor that differs. It reads every value.
func (o *Opening) Verify(ctx context.Context, m tensor.Model) error {
	got, err := Commit(ctx, m, o.Secret)
	if err != nil {
		return err
	}
	for i := range o.Tensors {
		name := escape.Printable(o.Tensors[i].Name)
		if i >= len(got.Tensors) || got.Tensors[i].Name != o.Tensors[i].Name {
			return fmt.Errorf("%w: tensor %s is missing, or others were added", ErrNotCommitted, name)
		}
		if got.Tensors[i].Root != o.Tensors[i].Root {
			return fmt.Errorf("%w: tensor %s has other values", ErrNotCommitted, name)
		}
	}
	if got.Commitment() != o.Commitment() {
		return fmt.Errorf("%w: names, shapes or axes differ", ErrNotCommitted)
	}
	return nil
}
