package fingerprint

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/zeebo/blake3"
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
type Commitment struct{ Root Digest }

// Opening is what the committing party keeps to answer challenges: the secret
// and what the commitment was made of. Whoever has it and the model can prove,
// and whoever has it can recognise the model.
type Opening struct {
	Secret  Secret
	Axes    []CommittedAxis
	Tensors []CommittedTensor // by name
}

// CommittedTensor is one tensor of a commitment. Its tree has salted leaves of
// Length values each: rows, or columns where units are stored as columns.
type CommittedTensor struct {
	Name    string
	Shape   []int64
	Columns bool
	Length  int64
	Leaves  int64
	Root    Digest
}

// CommittedAxis is an axis that answers sketch: unit u is leaf First + u·Step
// of a tensor.
type CommittedAxis struct {
	Name        string
	Tensor      int // position in Opening.Tensors
	First, Step int64
	Units, Dim  int
}

const (
	purposeSalt       purpose = "weightprint v1 commitment salt"
	purposeSalted     purpose = "weightprint v1 commitment salted row"
	purposeCommitted  purpose = "weightprint v1 commitment tensor"
	purposeAxes       purpose = "weightprint v1 commitment axes"
	purposeCommitment purpose = "weightprint v1 commitment"
)

// Commit reads every value of a model once and makes what a commitment to it
// is opened with. The same model and secret give the same commitment, in
// whatever container and lossless type the values are stored.
func Commit(ctx context.Context, m tensor.Model, secret Secret) (*Opening, error) {
	ts := byName(m)
	o := &Opening{Secret: secret}
	axes, layouts := committedAxes(roles.Map(m), ts)
	o.Axes = axes
	for i, t := range ts {
		c := CommittedTensor{Name: t.Name, Shape: t.Shape, Columns: layouts[i].columns, Length: layouts[i].length, Leaves: layouts[i].leaves(t)}
		var tree Tree
		s := newSalter(secret, i)
		err := layouts[i].each(ctx, t, func(k int64, _ []byte, d Digest) { tree.Add(s.leaf(k, d)) })
		if err != nil {
			return nil, err
		}
		c.Root = tree.Root()
		o.Tensors = append(o.Tensors, c)
	}
	return o, nil
}

// committedAxes finds the axes that can be sketched and how their tensors have
// to be cut for it.
func committedAxes(n *roles.Network, ts []*tensor.Tensor) ([]CommittedAxis, []layout) {
	layouts := make([]layout, len(ts))
	at := map[string]int{}
	for i, t := range ts {
		layouts[i], at[t.Name] = plain(t), i
	}
	taken := map[int]bool{}
	var out []CommittedAxis
	for _, x := range unitAxes(n) {
		l, first, step, ok := layoutOf(x.m)
		i := at[x.m.Tensor.Name]
		if !ok || max(x.m.Rows, x.m.Cols) > maxAxis || pairs(x.m.Rows, x.m.Cols) < minSketched || taken[i] && layouts[i] != l {
			continue
		}
		layouts[i], taken[i] = l, true
		out = append(out, CommittedAxis{x.name, i, first, step, x.m.Rows, x.m.Cols})
	}
	return out, layouts
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
func (s *salter) salt(i int64) Digest {
	var b [48]byte
	copy(b[:], s.secret[:])
	binary.LittleEndian.PutUint64(b[32:], uint64(s.tensor))
	binary.LittleEndian.PutUint64(b[40:], uint64(i))
	s.salts.Reset()
	s.salts.Write(b[:])
	return sum(s.salts)
}

func (s *salter) leaf(i int64, row Digest) Digest { return salted(s.leaves, s.salt(i), row) }

// salted is a leaf of a committed tensor's tree.
func salted(h *blake3.Hasher, salt, row Digest) Digest {
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

// entry is the leaf of a tensor in the commitment's tree.
func (c *CommittedTensor) entry(salt Digest) Digest {
	e := &encoder{}
	e.digest(salt)
	e.committed(c)
	h := newHash(purposeCommitted)
	h.Write(e.b)
	return sum(h)
}

// axesLeaf is the first leaf of the commitment's tree.
func axesLeaf(salt Digest, axes []CommittedAxis) Digest {
	e := &encoder{}
	e.digest(salt)
	e.axes(axes)
	h := newHash(purposeAxes)
	h.Write(e.b)
	return sum(h)
}

// leaves are the leaves of the commitment's tree: the axes, then the tensors.
func (o *Opening) leaves() []Digest {
	out := []Digest{axesLeaf(newSalter(o.Secret, 0).salt(saltAxes), o.Axes)}
	for i := range o.Tensors {
		out = append(out, o.Tensors[i].entry(newSalter(o.Secret, i).salt(saltEntry)))
	}
	return out
}

// Commitment is the public part.
func (o *Opening) Commitment() Commitment {
	leaves := o.leaves()
	return commitmentOf(int64(len(leaves)), rootOfLeaves(leaves))
}

// commitmentOf closes a commitment over the size and root of its tree.
func commitmentOf(n int64, root Digest) Commitment {
	h := newHash(purposeCommitment)
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	h.Write(b[:])
	h.Write(root[:])
	return Commitment{sum(h)}
}

// Verify tells whether a model is the one that the opening belongs to: nil, or
// ErrNotCommitted with the first tensor that differs. It reads every value.
func (o *Opening) Verify(ctx context.Context, m tensor.Model) error {
	got, err := Commit(ctx, m, o.Secret)
	if err != nil {
		return err
	}
	for i := range o.Tensors {
		name := tensor.Printable(o.Tensors[i].Name)
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
