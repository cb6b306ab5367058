package forward

import (
	"errors"
	"fmt"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// ErrUnsupported is what every error says that means: this network cannot be
// run here.
var ErrUnsupported = errors.New("the network cannot be run")

func unsupported(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrUnsupported}, args...)...)
}

// Model is a network that can be run.
type Model struct {
	Tower *roles.Tower

	traits
	net        *roles.Network
	activation func(float64) float64
	attention  float64 // factor of attention scores
	rotary     rotation
	head       *roles.Matrix // nil where the last hidden states are the output
	types      *roles.Matrix // BERT's token types, nil if none
	first      norm          // on the embeddings, empty if none
	last       norm          // before the head
}

// New prepares a network to be run; meta is its model's metadata. It reads no
// weights but says what stands in the way.
func New(net *roles.Network, meta tensor.Metadata) (*Model, error) {
	d := newDeclared(meta)
	kind := d.modelType()
	tr, known := traitsOf(kind)
	switch {
	case kind == "":
		return nil, unsupported("no configuration states its type")
	case !known:
		return nil, unsupported("its type is %q, and those that can be run are %s", kind, supported())
	case len(net.Towers) != 1:
		return nil, unsupported("it has %d stacks of layers, not one", len(net.Towers))
	}
	m := &Model{Tower: net.Towers[0], traits: tr, net: net}
	if err := m.shapes(); err != nil {
		return nil, err
	}
	return m, m.numbers(d)
}

// shapes checks that everything has a place and fits.
func (m *Model) shapes() error {
	t := m.Tower
	switch {
	case t.Embedding == nil:
		return unsupported("it has no token embeddings")
	case t.Heads == 0 || t.KVHeads == 0 || t.HeadDim == 0 || t.Heads%t.KVHeads != 0:
		return unsupported("its %d heads of %d values do not divide among %d key and value heads", t.Heads, t.HeadDim, t.KVHeads)
	case len(t.Layers) == 0 || t.Hidden == 0:
		return unsupported("it has no layers")
	}
	for i, l := range t.Layers {
		if err := m.layerShapes(l); err != nil {
			return fmt.Errorf("layer %d: %w", i, err)
		}
	}
	return nil
}

func (m *Model) layerShapes(l *roles.Layer) error {
	t := m.Tower
	if l.Router != nil || len(l.Experts) != 1 || l.Shared != nil {
		return unsupported("its MLP is a mixture of experts, or missing")
	}
	for _, o := range l.Others {
		if !placed[o.Name] {
			return unsupported("nothing is known to be done with %s", o.Name)
		}
	}
	p := l.Experts[0]
	for _, x := range []struct {
		name       string
		m          *roles.Matrix
		rows, cols int
	}{
		{"queries", l.Q, t.Heads * t.HeadDim, t.Hidden}, {"keys", l.K, t.KVHeads * t.HeadDim, t.Hidden},
		{"values", l.V, t.KVHeads * t.HeadDim, t.Hidden}, {"attention output", l.O, t.Hidden, t.Heads * t.HeadDim},
		{"up", p.Up, p.Width(), t.Hidden}, {"down", p.Down, t.Hidden, p.Width()}, {"gate", p.Gate, p.Width(), t.Hidden},
	} {
		switch {
		case x.m == nil && x.name == "gate":
		case x.m == nil:
			return unsupported("it has no matrix of %s", x.name)
		case x.m.Rows != x.rows || x.m.Cols != x.cols:
			return unsupported("its matrix of %s is %d × %d, not %d × %d", x.name, x.m.Rows, x.m.Cols, x.rows, x.cols)
		}
	}
	return nil
}

// placed are the other parts of a layer that a pass makes use of.
var placed = map[string]bool{
	"attn.norm.bias": true, "mlp.norm.bias": true, "attn.post_norm": true, "attn.post_norm.bias": true, "mlp.post_norm": true, "mlp.post_norm.bias": true,
	"attn.q_norm.bias": true, "attn.k_norm.bias": true,
}

// numbers takes what the configuration declares.
func (m *Model) numbers(d declared) error {
	t := m.Tower
	m.eps = d.number(m.eps, "rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon", "attention.layer_norm_rms_epsilon", "attention.layer_norm_epsilon")
	name := m.traits.activation
	if s := d.text("hidden_activation", "hidden_act", "activation_function"); s != "" && !m.fixed {
		name = s
	}
	if m.activation = functions[name]; m.activation == nil {
		return unsupported("its activation %q is not known", name)
	}
	m.attention = 1 / math.Sqrt(d.number(float64(t.HeadDim), "query_pre_attn_scalar"))
	m.softScores = d.number(m.softScores, "attn_logit_softcapping", "attn_logit_softcap", "attn_logit_softcapping")
	m.softAnswers = d.number(m.softAnswers, "final_logit_softcapping", "final_logit_softcap")
	if m.either {
		m.parallel = d.flag(true, "use_parallel_residual")
	}
	if w := d.number(0, "sliding_window", "attention.sliding_window"); w > 0 && w < MaxText {
		return unsupported("its attention window of %g tokens is shorter than the texts it is run on", w)
	}
	m.last, m.first = m.outer("norm", t.FinalNorm), m.outer("embedding_norm", nil)
	m.types = m.generic("token_types")
	if err := m.heads(d); err != nil {
		return err
	}
	var err error
	m.rotary, err = newRotation(m, d)
	return err
}

// heads finds the matrix that gives the scores of tokens.
func (m *Model) heads(d declared) error {
	t := m.Tower
	m.head = t.Head
	if m.head == nil && !m.untied && d.flag(true, "tie_word_embeddings") {
		m.head = t.Embedding
	}
	if m.untied {
		m.head = nil // a masked-language head has layers of its own
	}
	if m.head != nil && m.head.Cols != t.Hidden || t.Embedding.Cols != t.Hidden || t.Positions != nil && t.Positions.Cols != t.Hidden {
		return unsupported("its embeddings are not as wide as its stream of %d", t.Hidden)
	}
	if rows := m.firstPlace + MaxText; t.Positions != nil && t.Positions.Rows < rows {
		return unsupported("its table of positions has %d rows, and %d are needed", t.Positions.Rows, rows)
	}
	if t.Positions == nil && t.Rotary == roles.NoRotary {
		return unsupported("how it takes in positions is not known")
	}
	return nil
}

// Scores tells whether the output is scores of tokens; otherwise it is the last
// hidden states.
func (m *Model) Scores() bool { return m.head != nil }

// Vocabulary is the number of tokens that can be given.
func (m *Model) Vocabulary() int { return m.Tower.Embedding.Rows }

// Encoder tells whether a token's output depends on those that follow.
func (m *Model) Encoder() bool { return m.encoder }

// Parameters is the number of values that a token passes through.
func (m *Model) Parameters() (n int64) {
	add := func(x *roles.Matrix) {
		if x != nil {
			n += int64(x.Rows) * int64(x.Cols)
		}
	}
	for _, l := range m.Tower.Layers {
		for _, x := range []*roles.Matrix{l.Q, l.K, l.V, l.O, l.Experts[0].Gate, l.Experts[0].Up, l.Experts[0].Down} {
			add(x)
		}
	}
	add(m.head)
	return n
}

func (m *Model) generic(role string) *roles.Matrix {
	for _, x := range m.net.Generic {
		if x.Role == role && x.Cols == m.Tower.Hidden {
			return x
		}
	}
	return nil
}
