package fingerprint

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// Fingerprint is what may be published of a model: digests of its values,
// figures of their distribution and one-bit sketches of a few of its units.
type Fingerprint struct {
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
// defaults. Nothing but SketchOnly changes the result.
type Options struct {
	SketchOnly bool // read only the sketched units; the digests stay empty
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
	f := &Fingerprint{Header: Header(m), Complete: !o.SketchOnly}
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
	for _, a := range axes(n) {
		s, err := a.sketch(ctx)
		if err != nil {
			return err
		}
		f.Sketches = append(f.Sketches, *s)
	}
	for _, p := range probes(n) {
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

// alone probes a layer outside a pass.
func (p *probe) alone(ctx context.Context) error {
	if err := p.tokens(ctx); err != nil {
		return err
	}
	p.begin()
	row := make([]float32, p.gate.Cols)
	for u := range p.gate.Rows {
		if err := p.gate.Gather(ctx, row, []int{u}); err != nil {
			return err
		}
		p.score(u, row)
	}
	p.choose()
	return nil
}

// computation is one Compute of a whole model.
type computation struct {
	model  tensor.Model
	f      *Fingerprint
	pass   *pass
	shadow *shadow
	roles  map[*tensor.Tensor]string
	kinds  map[string]*kindCount
	stored []Digest

	axes   []axis
	needs  [][]*kept // of each axis
	probes []*probe
	early  map[*tensor.Tensor]bool // what probes need before all else
	late   map[*tensor.Tensor]bool // what they need of units they have chosen
	done   map[*tensor.Tensor]bool

	check func(*whole) error // sees every tensor first; nil for none
}

type kindCount struct {
	tensors int
	counts  histogram
}

func newComputation(m tensor.Model, f *Fingerprint, p *pass) *computation {
	c := &computation{model: m, f: f, pass: p, shadow: newShadow(m), roles: map[*tensor.Tensor]string{}, kinds: map[string]*kindCount{}, early: map[*tensor.Tensor]bool{}, late: map[*tensor.Tensor]bool{}, done: map[*tensor.Tensor]bool{}}
	net := roles.Map(c.shadow)
	for _, a := range net.Roles {
		c.roles[c.shadow.of[a.Tensor]] = a.Role
	}
	for _, t := range m.Tensors() {
		p.count[t] = room(t) >= statsRoom && t.DType.Kind() != tensor.KindInteger
	}
	c.axes, c.probes = axes(net), probes(net)
	c.f.Sketches = make([]Sketch, len(c.axes))
	return c
}

// run reads the model: first what the probes see with, then nearly all, last
// the tensors of which the probes have chosen rows.
func (c *computation) run(ctx context.Context) error {
	if err := c.plan(ctx); err != nil {
		return err
	}
	all := byName(c.model)
	pick := func(want func(t *tensor.Tensor) bool) []*tensor.Tensor {
		return slices.DeleteFunc(slices.Clone(all), func(t *tensor.Tensor) bool { return !want(t) })
	}
	if err := c.pass.run(ctx, pick(func(t *tensor.Tensor) bool { return c.early[t] }), c.finished); err != nil {
		return err
	}
	for _, p := range c.probes {
		if err := p.tokens(ctx); err != nil {
			return err
		}
		p.begin()
	}
	if err := c.pass.run(ctx, pick(func(t *tensor.Tensor) bool { return !c.early[t] && !c.late[t] }), c.finished); err != nil {
		return err
	}
	if err := c.chooseUnits(ctx); err != nil {
		return err
	}
	if err := c.pass.run(ctx, pick(func(t *tensor.Tensor) bool { return c.late[t] }), c.finished); err != nil {
		return err
	}
	for _, p := range c.probes {
		x, err := p.finish(ctx)
		if err != nil {
			return err
		}
		c.f.Probes = append(c.f.Probes, *x)
	}
	c.close()
	return nil
}

// plan notes which values the sketches and probes will ask for.
func (c *computation) plan(ctx context.Context) error {
	used := map[*kept]bool{}
	need := func(read func() error) ([]*kept, error) {
		ks, err := c.shadow.wanted(read)
		for _, k := range ks {
			k.users++
			used[k] = true
		}
		return ks, err
	}
	for i := range c.axes {
		a := &c.axes[i]
		ks, err := need(func() error { _, err := a.sketch(ctx); return err })
		if err != nil {
			return err
		}
		c.needs = append(c.needs, ks)
	}
	for _, p := range c.probes {
		ks, err := need(func() error { return p.tokens(ctx) })
		if err != nil {
			return err
		}
		for _, k := range ks {
			k.users++ // these stay to the end
			c.early[k.real] = true
		}
	}
	for _, p := range c.probes {
		gate, up := c.shadow.of[p.gate.Tensor], c.shadow.of[p.up.Tensor]
		if c.early[gate] { // the matrix is the embedding itself
			c.probes = nil
			break
		}
		c.pass.sinks[gate] = append(c.pass.sinks[gate], p)
		if up != gate && !c.early[up] {
			c.late[up] = true
		}
	}
	for _, p := range c.probes {
		delete(c.late, c.shadow.of[p.gate.Tensor])
	}
	for k := range used {
		k.prepare()
		c.pass.sinks[k.real] = append(c.pass.sinks[k.real], k)
	}
	return nil
}

// chooseUnits ends the probes' search and asks for the up rows of what they
// found: from the tensors that are still to come, or, where they are past,
// once more.
func (c *computation) chooseUnits(ctx context.Context) error {
	for _, p := range c.probes {
		p.choose()
		ks, err := c.shadow.wanted(func() error {
			units := p.chosen()
			return p.up.Gather(ctx, make([]float32, len(units)*p.up.Cols), units)
		})
		if err != nil {
			return err
		}
		for _, k := range ks {
			k.users++
			if c.done[k.real] {
				k.direct = true
				continue
			}
			k.prepare()
			if !slices.Contains(c.pass.sinks[k.real], sink(k)) {
				c.pass.sinks[k.real] = append(c.pass.sinks[k.real], k)
			}
		}
	}
	return nil
}

// finished keeps what is known of a tensor and makes the sketches that waited
// for it.
func (c *computation) finished(w *whole) error {
	if c.check != nil {
		if err := c.check(w); err != nil {
			return err
		}
	}
	c.done[w.t] = true
	c.f.Tensors = append(c.f.Tensors, *w.print())
	if d, ok := w.storedDigest(); ok {
		c.stored = append(c.stored, d)
	}
	if w.counts != nil {
		c.addKind(w)
	}
	for i, ks := range c.needs {
		if ks == nil || slices.ContainsFunc(ks, func(k *kept) bool { return !c.done[k.real] }) {
			continue
		}
		s, err := c.axes[i].sketch(context.Background()) // reads nothing but what was kept
		if err != nil {
			return err
		}
		c.f.Sketches[i], c.needs[i] = *s, nil
		for _, k := range ks {
			k.release()
		}
	}
	return nil
}

// kindOf is the kind of matrix that a role names: the role without the numbers
// of layer and expert.
func kindOf(role string) string {
	words := slices.DeleteFunc(strings.Split(role, "."), func(w string) bool {
		return w == "layers" || w != "" && strings.Trim(w, "0123456789") == ""
	})
	return strings.Join(words, ".")
}

func (c *computation) addKind(w *whole) {
	kind := kindOf(c.roles[w.t])
	k := c.kinds[kind]
	if k == nil {
		k = &kindCount{}
		c.kinds[kind] = k
	}
	k.tensors++
	for b, n := range w.counts {
		k.counts[b] += n
	}
}

// close sorts what came in and takes the roots.
func (c *computation) close() {
	f := c.f
	slices.SortFunc(f.Tensors, func(a, b TensorPrint) int { return cmp.Compare(a.Name, b.Name) })
	for kind, k := range c.kinds {
		f.Kinds = append(f.Kinds, KindPrint{kind, k.tensors, k.counts.stats()})
	}
	slices.SortFunc(f.Kinds, func(a, b KindPrint) int { return cmp.Compare(a.Kind, b.Kind) })
	var all []Digest
	byRole := make([]roleDigest, 0, len(f.Tensors))
	for _, t := range byName(c.model) {
		d := f.Tensors[len(all)].Values
		all = append(all, d)
		byRole = append(byRole, roleDigest{plainRole(c.roles[t]), d})
	}
	f.Root = rootOf(all, purposeBare)
	f.RoleRoot = roleRoot(byRole)
	if len(c.stored) == len(all) {
		f.Stored = rootOf(c.stored, purposeStored)
	}
}

// print is what is kept of a tensor.
func (w *whole) print() *TensorPrint {
	p := &TensorPrint{Name: w.t.Name, DType: w.t.DType.String(), Shape: w.t.Shape, Values: w.digest()}
	if w.leaves() > 1 {
		for i := range w.blocks {
			root := w.blocks[i].Root()
			copy(p.Blocks[i][:], root[:])
		}
	}
	if w.counts != nil {
		s := w.counts.stats()
		p.Stats = &s
	}
	return p
}

// storedDigest is the digest of the stored bytes: type, byte order and values,
// and the bytes themselves of the leaves whose values leave them open.
func (w *whole) storedDigest() (Digest, bool) {
	s, ok := w.t.Data.(*tensor.Stored)
	if !ok || w.bare {
		return Digest{}, false
	}
	h := newHash(purposeCoded)
	writeString(h, w.t.DType.String())
	writeString(h, map[bool]string{false: "little", true: "big"}[s.BigEndian])
	values, bytes := w.digest(), w.stored.Root()
	h.Write(values[:])
	h.Write(bytes[:])
	return sum(h), true
}

// rootOf is a digest over digests in whatever order.
func rootOf(all []Digest, p purpose) Digest {
	all = slices.Clone(all)
	slices.SortFunc(all, func(a, b Digest) int { return bytes.Compare(a[:], b[:]) })
	h := newHash(p)
	for _, d := range all {
		h.Write(d[:])
	}
	return sum(h)
}

type roleDigest struct {
	role   string
	values Digest
}

// plainRole leaves out the number of a generic role, which is no more than a
// place in the file. Integers have no role, but may be stored as floats.
func plainRole(role string) string {
	if role == "none" || strings.HasPrefix(role, "generic.") {
		return "generic"
	}
	return role
}

// roleRoot is a digest over all tensors by role.
func roleRoot(all []roleDigest) Digest {
	slices.SortFunc(all, func(a, b roleDigest) int {
		return cmp.Or(cmp.Compare(a.role, b.role), bytes.Compare(a.values[:], b.values[:]))
	})
	h := newHash(purposeRoles)
	for _, x := range all {
		writeString(h, x.role)
		h.Write(x.values[:])
	}
	return sum(h)
}
