package fingerprint

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/internal/rng"
)

// Probes are what a few tokens find in the MLP of one layer: for each the unit
// whose gate it opens most, compared with what other tokens do to that unit.
// Such a unit is found again after units were permuted, residual dimensions
// permuted or rotated, and gains folded: X·Γ·Wᵀ of the tokens' embeddings X is
// changed by none of these.
type Probes struct {
	Axis    string
	Length  int      // units of the layer
	Gated   bool     // Signs mean something
	Units   []int    // position of the unit that each token finds, -1 where none stands out
	Signs   uint32   // of a fixed combination of tokens as the unit's up row sees them
	Profile []uint64 // signs of random combinations of tokens as the up row sees them, turned so that Signs would be 1
}

const (
	maxProbes    = 24
	probeTokens  = 32
	probedLayers = 3
	maxProbed    = 1 << 17 // units of a layer that is probed
	profileBits  = 64
	// probeWords is how much a probe publishes of the up matrix and of the
	// embedding: position, profile and sign.
	probeWords = 1 + profileBits/32
)

// probe is the work on one layer.
type probe struct {
	axis      string
	embedding *roles.Matrix
	gate, up  *roles.Matrix
	gated     bool
	n         int // probes

	seen   *dense.Packed // tokens × dim: embeddings, centred over tokens, times the gain
	starts []start
	scores []float32 // units × n
	found  []int
}

// start says where a unit's row begins among the stored values.
type start struct {
	at   int64
	unit int
}

// probes lists the layers that are probed: three, evenly spread, never the
// first, whose units for single tokens are alike in all networks.
func probes(n *roles.Network, version int) []*probe {
	t := n.Tower("main")
	if t == nil || t.Embedding == nil || t.Embedding.Transposed() || len(t.Layers) < 2 {
		return nil
	}
	var out []*probe
	last := 0
	for k := 1; k <= probedLayers; k++ {
		i := k * len(t.Layers) / (probedLayers + 1)
		if i == last {
			continue
		}
		last = i
		if p := probeOf(t, t.Layers[i], version); p != nil {
			out = append(out, p)
		}
	}
	return out
}

func probeOf(t *roles.Tower, l *roles.Layer, version int) *probe {
	gate := selector(l)
	if gate == nil || gate.Transposed() || gate.Cols != t.Embedding.Cols || gate.Rows > maxProbed || int64(gate.Cols) != gate.Tensor.Cols() || gate.Cols > leafMost {
		return nil
	}
	p := &probe{axis: t.Name + ".layers." + strconv.Itoa(l.Index) + ".mlp", embedding: t.Embedding, gate: gate, up: l.MLPs()[0].Up}
	p.gated = p.up != nil && p.up != gate && p.up.Cols == gate.Cols && p.up.Rows == gate.Rows && !p.up.Transposed()
	if !p.gated {
		p.up = gate
	}
	e := t.Embedding
	most := unspent(gate.Rows, gate.Cols)
	left := most - units(version, gate.Rows, gate.Cols, gate.Cols)*SketchBits/32 // of the gate, for positions
	seen := besideResidual(e, version)
	if tokensFit(e, version) {
		seen -= tokenWords(e.Rows)
	}
	p.n = min(maxProbes, left, (most-1)/probeWords, seen/(probedLayers*probeWords))
	if !p.gated { // positions and profiles are of one matrix
		p.n = min(p.n, (left-1)/probeWords)
	}
	if p.n < minSketched || e.Rows < 2*residualTokens {
		return nil
	}
	return p
}

// tokens reads the embeddings of the tokens and prepares them.
func (p *probe) tokens(ctx context.Context) error {
	d := p.gate.Cols
	x := make([]float32, probeTokens*d)
	some := tokens(p.embedding.Rows, probeTokens)
	for i, token := range some {
		if err := announce(ctx, p.embedding, some, i); err != nil {
			return err
		}
		if err := p.embedding.Gather(ctx, x[i*d:(i+1)*d], []int{token}); err != nil {
			return err
		}
	}
	var gain []float32
	if p.gate.Gain != nil {
		var err error
		if gain, err = p.gate.Gain.Read(ctx); err != nil {
			return err
		}
	}
	for k := range d {
		mean := float32(0)
		for i := range probeTokens {
			mean += x[i*d+k]
		}
		mean = float32(mean / probeTokens)
		for i := range probeTokens {
			x[i*d+k] -= mean
			if gain != nil {
				x[i*d+k] *= gain[k]
			}
		}
	}
	p.seen = dense.Pack(x, probeTokens, d)
	return nil
}

// begin makes ready for the gate's rows.
func (p *probe) begin() {
	p.scores = make([]float32, p.gate.Rows*p.n)
	p.starts = make([]start, p.gate.Rows)
	for r := range p.starts {
		p.starts[r] = start{p.gate.StoredAt(r), r}
	}
	slices.SortFunc(p.starts, func(a, b start) int { return cmp.Compare(a.at, b.at) })
}

// wants tells whether a row of the gate begins among n values.
func (p *probe) wants(first, n int64) bool {
	i := p.from(first)
	return i < len(p.starts) && p.starts[i].at < first+n
}

func (p *probe) from(first int64) int {
	i, _ := slices.BinarySearchFunc(p.starts, first, func(s start, v int64) int { return cmp.Compare(s.at, v) })
	return i
}

// take scores the rows of the gate that stream by. A leaf holds whole rows.
func (p *probe) take(first int64, values []float32) {
	d := int64(p.gate.Cols)
	for i := p.from(first); i < len(p.starts); {
		n := 1 // rows that lie one behind the other are seen together
		for n < rowsAtOnce && i+n < len(p.starts) && p.starts[i+n].at == p.starts[i].at+int64(n)*d {
			n++
		}
		at := p.starts[i].at - first
		if n = min(n, int((int64(len(values))-at)/d)); n <= 0 {
			return
		}
		responses := p.see(values[at:at+int64(n)*d], n)
		for k := range n {
			row := values[at+int64(k)*d:][:d]
			p.score(p.starts[i+k].unit, row, &responses[k])
		}
		i += n
	}
}

// score says how much of a unit's response to all tokens is to each.
func (p *probe) score(unit int, row []float32, response *[probeTokens]float32) {
	into := p.scores[unit*p.n : (unit+1)*p.n]
	if !dense.Varies(row) || tabular(row) {
		return
	}
	all := float32(0)
	for i, v := range response {
		response[i] = float32(v * v)
		all += response[i]
	}
	if all > 0 {
		for i := range into {
			into[i] = response[i] / all
		}
	}
}

// rowsAtOnce are the rows whose products are computed together.
const rowsAtOnce = 4

// see returns the products of up to rowsAtOnce rows with the tokens.
func (p *probe) see(rows []float32, n int) (out [rowsAtOnce][probeTokens]float32) {
	var flat [rowsAtOnce * probeTokens]float32
	p.seen.MulNT(flat[:n*probeTokens], rows, n)
	for i := range n {
		copy(out[i][:], flat[i*probeTokens:])
	}
	return out
}

// choose finds the unit of each token. Units that do not stand out alone, and
// the weaker of two tokens that find the same unit, are left out: each unit is
// used once, and nothing is decided by the order of the units.
func (p *probe) choose() {
	p.found = make([]int, p.n)
	best := make([]float32, p.n)
	for t := range p.found {
		p.found[t] = -1
		tied := false
		for u := range p.gate.Rows {
			switch s := p.scores[u*p.n+t]; {
			case s > best[t]:
				p.found[t], best[t], tied = u, s, false
			case s == best[t]:
				tied = true
			}
		}
		if tied {
			p.found[t] = -1
		}
	}
	drop := make([]bool, p.n)
	for t, u := range p.found {
		for s, v := range p.found {
			drop[t] = drop[t] || s != t && u == v && best[s] >= best[t]
		}
	}
	for t := range drop {
		if drop[t] {
			p.found[t] = -1
		}
	}
	p.scores, p.starts = nil, nil
}

// chosen lists the units that were found.
func (p *probe) chosen() []int {
	var out []int
	for _, u := range p.found {
		if u >= 0 {
			out = append(out, u)
		}
	}
	return out
}

// finish reads the up rows of the chosen units.
func (p *probe) finish(ctx context.Context) (*Probes, error) {
	out := &Probes{Axis: p.axis, Length: p.gate.Rows, Gated: p.gated, Units: p.found, Profile: make([]uint64, p.n)}
	d := p.up.Cols
	rows := make([]float32, len(p.chosen())*d)
	if err := p.up.Gather(ctx, rows, p.chosen()); err != nil {
		return nil, err
	}
	stream := rng.New(sketchSeed, "profile of tokens")
	var masks [profileBits + 1]uint64
	for i := range masks {
		masks[i] = stream.Uint64()
	}
	i := 0
	for t, u := range p.found {
		if u < 0 {
			continue
		}
		response := p.see(rows[i*d:(i+1)*d], 1)[0]
		i++
		sign, profile := profileOf(response, masks)
		switch {
		case sign == 0:
			out.Units[t] = -1
		case sign > 0:
			out.Signs |= 1 << t
		}
		out.Profile[t] = profile
	}
	return out, nil
}

// profileOf returns the sign of the first combination of the response, and of
// the others turned by it.
func profileOf(response [probeTokens]float32, masks [profileBits + 1]uint64) (sign int, profile uint64) {
	var x [probeTokens]float64
	for i, v := range response {
		x[i] = float64(v)
	}
	sign = signOf(combination(x[:], masks[:1]))
	for b := range profileBits {
		if signOf(combination(x[:], masks[b+1:b+2]))*sign > 0 {
			profile |= 1 << b
		}
	}
	return sign, profile
}

func signOf(v float64) int {
	switch {
	case v > 0:
		return 1
	case v < 0:
		return -1
	}
	return 0
}
