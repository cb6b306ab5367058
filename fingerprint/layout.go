package fingerprint

import (
	"context"
	"slices"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

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
	tokens *shortRows              // nil if there is no sketch of them
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
	c.axes, c.probes = axes(net, f.Version), probes(net, f.Version)
	c.f.Sketches = make([]Sketch, len(c.axes))
	c.takeTokens(net)
	return c
}

// takeTokens asks for a sketch of little-used tokens.
func (c *computation) takeTokens(net *roles.Network) {
	if c.tokens = shortRowsOf(net, c.f.Version); c.tokens != nil {
		e := c.shadow.of[net.Tower("main").Embedding.Tensor]
		c.pass.sinks[e] = append(c.pass.sinks[e], c.tokens)
	}
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
	if c.tokens != nil {
		c.f.Tokens = c.tokens.sketch()
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
