package fingerprint

import (
	"cmp"
	"context"
	"fmt"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Fingerprint is what may be published of a model: digests of its values,
// figures of their distribution and one-bit sketches of a few of its units.
type Fingerprint struct {
	Version    int    // of the file, 1 or 2
	Complete   bool   // every value was read; all but Header, Parameters and Sketches is set only then
	Header     Digest // over names, types and shapes
	Root       Digest // over all values, whatever the names
	RoleRoot   Digest // over all values and the roles of their tensors
	Stored     Digest // over all stored bytes, whatever the names; zero where these are not at hand
	Parameters int64
	Tensors    []TensorPrint // by name
	Kinds      []KindPrint   // by kind
	Sketches   []Sketch
	Probes     []Probes // complete fingerprints, and others where the layers probed are small
	Tokens     *Tokens  // complete fingerprints; nil where training touched all embeddings; since version 2
}

// TensorPrint is what is kept of one tensor.
type TensorPrint struct {
	Name   string
	DType  string
	Shape  []int64
	Values Digest
	Blocks [rowBlocks][blockBytes]byte // beginnings of the digests of its row blocks; zero for tensors of one leaf
	Stats  *Stats                      // nil for vectors and small matrices
}

// KindPrint sums up all matrices of one kind of role, such as "mlp.gate".
type KindPrint struct {
	Kind    string
	Tensors int
	Stats   Stats
}

const (
	rowBlocks  = 4 // row blocks of a tensor that are told apart
	blockBytes = 8
)

// Options changes what Compute reads and how; nil and zero fields are the
// defaults. Nothing but SketchOnly and Version changes the result.
type Options struct {
	SketchOnly bool // read only the sketched units; the digests stay empty
	Version    int  // of the file: 1, or 2, which is also what 0 means
	Workers    int  // GOMAXPROCS if zero
	ChunkBytes int  // of one read, 4 KiB to 64 MiB; 4 MiB if zero
}

// Compute fingerprints a model. Every value is read and decoded once; where
// gate and up of an MLP are one tensor, a few of their rows once more. With
// SketchOnly no more than the sketched units is read.
func Compute(ctx context.Context, m tensor.Model, o *Options) (*Fingerprint, error) {
	if o == nil {
		o = &Options{}
	}
	f := &Fingerprint{Version: cmp.Or(o.Version, currentVersion), Header: Header(m), Complete: !o.SketchOnly}
	if f.Version < 1 || f.Version > currentVersion {
		return nil, fmt.Errorf("%w: version %d", ErrVersion, f.Version)
	}
	for _, t := range m.Tensors() {
		n, _ := tensor.Elements(t.Shape)
		f.Parameters += n
	}
	if o.SketchOnly {
		return f, f.sketch(ctx, roles.Map(m))
	}
	c := newComputation(m, f, newPass(o))
	return f, c.run(ctx)
}

// sketchProbeBytes is how much of a layer is read for its probes when not all
// of the model is.
const sketchProbeBytes = 16 << 20

// sketch reads what sketches need and nothing more.
func (f *Fingerprint) sketch(ctx context.Context, n *roles.Network) error {
	for _, a := range axes(n, f.Version) {
		s, err := a.sketch(ctx)
		if err != nil {
			return err
		}
		f.Sketches = append(f.Sketches, *s)
	}
	for _, p := range probes(n, f.Version) {
		if !p.cheap() {
			continue
		}
		if err := p.alone(ctx); err != nil {
			return err
		}
		x, err := p.finish(ctx)
		if err != nil {
			return err
		}
		f.Probes = append(f.Probes, *x)
	}
	return nil
}

// cheap tells whether a layer is probed when not all of the model is read.
func (p *probe) cheap() bool { return p.gate.Tensor.StoredBytes() <= sketchProbeBytes }

// announce makes rows that are read one by one quick to read, where a server is asked for
// them: as many at once as it keeps, when the turn comes to the first of them.
func announce(ctx context.Context, m *roles.Matrix, rows []int, turn int) error {
	ahead := int(max(1, tensor.FetchBytes/max(1, m.Cost(1))))
	if turn%ahead > 0 {
		return nil
	}
	return tensor.FetchAll(ctx, []tensor.Want{m.Want(rows[turn:min(turn+ahead, len(rows))])})
}

// alone probes a layer outside a pass.
func (p *probe) alone(ctx context.Context) error {
	if err := p.tokens(ctx); err != nil {
		return err
	}
	p.begin()
	row, all := make([]float32, p.gate.Cols), p.gate.All()
	for u := range all {
		if err := announce(ctx, p.gate, all, u); err != nil {
			return err
		}
		if err := p.gate.Gather(ctx, row, []int{u}); err != nil {
			return err
		}
		response := p.see(row, 1)
		p.score(u, row, &response[0])
	}
	p.choose()
	return nil
}
