package forward

import (
	"context"
	"fmt"
	"math"

	"github.com/weightprint/weightprint/formats/roles"
)

// MaxText is the most tokens that a text may have.
const MaxText = 64

// Cut says what is taken out of one layer.
type Cut struct {
	MLP       bool      // the whole MLP
	Attention bool      // the whole attention
	Units     []float32 // by hidden unit of the MLP: what is left of its output, nil = all of it
	Heads     []float32 // by key and value head: what is left of its output, nil = all of it
}

// Variant is a network with parts taken out, by position of the layer. The nil
// variant is the network as it is.
type Variant map[int]Cut

// Pass is what a run leaves: the stream after the last norm.
type Pass struct {
	Tokens   int       // of all texts
	Variants int       // that were run
	Hidden   []float32 // variants × tokens × width

	model *Model
}

// stream is the residual stream of all variants at work.
type stream struct {
	m     *Model
	texts int // of one variant
	long  int // tokens of a text
	cuts  []Variant
	x     []float32 // variants × texts × long × width
	each  func(Activity) error
}

func (s *stream) tokens() int { return s.texts * s.long }
func (s *stream) rows() int   { return len(s.cuts) * s.tokens() }

// Activity is the MLP of one layer at work on the first variant.
type Activity struct {
	Layer  int
	Tokens int
	Width  int
	Units  []float32     // tokens × width: the outputs of the hidden units
	Down   *roles.Matrix // where they are written to
}

// Options are what a run may be asked for besides its result.
type Options struct {
	Activity func(Activity) error // is called for every layer in order; the slices are not kept
}

// Run runs variants of the network on texts of one length. Every variant sees
// the same texts.
func (m *Model) Run(ctx context.Context, texts [][]int, variants []Variant, o *Options) (*Pass, error) {
	s := &stream{m: m, texts: len(texts), long: len(texts[0]), cuts: variants}
	if o != nil {
		s.each = o.Activity
	}
	if s.long > MaxText {
		return nil, fmt.Errorf("forward: a text of %d tokens, more than %d", s.long, MaxText)
	}
	if err := s.embed(ctx, texts); err != nil {
		return nil, err
	}
	for i, l := range m.Tower.Layers {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.layer(ctx, i, l); err != nil {
			return nil, fmt.Errorf("layer %d: %w", i, err)
		}
	}
	if !m.last.empty() && !m.encoder {
		if err := m.apply(ctx, s.x, s.x, m.last); err != nil {
			return nil, err
		}
	}
	return &Pass{Tokens: s.tokens(), Variants: len(variants), Hidden: s.x, model: m}, nil
}

// embed looks up the tokens, and what else enters before the first layer.
func (s *stream) embed(ctx context.Context, texts [][]int) error {
	m, h := s.m, s.m.Tower.Hidden
	var tokens, places []int
	for _, text := range texts {
		if len(text) != s.long {
			return fmt.Errorf("forward: texts of %d and %d tokens in one run", s.long, len(text))
		}
		for i, t := range text {
			if t < 0 || t >= m.Vocabulary() {
				return fmt.Errorf("forward: token %d of %d", t, m.Vocabulary())
			}
			tokens, places = append(tokens, t), append(places, i+m.firstPlace)
		}
	}
	one := make([]float32, len(tokens)*h)
	if err := m.Tower.Embedding.Gather(ctx, one, tokens); err != nil {
		return err
	}
	if m.scaled {
		root := float32(math.Sqrt(float64(h)))
		for k := range one {
			one[k] = float32(one[k] * root)
		}
	}
	add := func(x *roles.Matrix, rows []int) error {
		if x == nil {
			return nil
		}
		more := make([]float32, len(one))
		if err := x.Gather(ctx, more, rows); err != nil {
			return err
		}
		plus(one, more)
		return nil
	}
	if err := add(m.types, make([]int, len(tokens))); err != nil {
		return err
	}
	if err := add(m.Tower.Positions, places); err != nil {
		return err
	}
	if !m.first.empty() {
		if err := m.apply(ctx, one, one, m.first); err != nil {
			return err
		}
	}
	for range s.cuts {
		s.x = append(s.x, one...)
	}
	return nil
}

func plus(x, y []float32) {
	for k, v := range y {
		x[k] += v
	}
}

// layer runs one layer: before and after each of its two parts there may be a
// norm, and the parts may stand one after the other or side by side.
func (s *stream) layer(ctx context.Context, i int, l *roles.Layer) error {
	m := s.m
	attention, mlp := m.norm(l, "attn.norm", l.AttnNorm), m.norm(l, "mlp.norm", l.MLPNorm)
	after, post := m.norm(l, "attn.post_norm", nil), m.norm(l, "mlp.post_norm", nil)
	if m.encoder {
		return s.encode(ctx, i, l, mlp, post)
	}
	if l.MLPNorm == l.AttnNorm {
		mlp = attention
	}
	a, err := s.part(ctx, attention, after, func(x []float32) ([]float32, error) { return s.attend(ctx, i, l, x) })
	if err != nil {
		return err
	}
	if !m.parallel {
		plus(s.x, a)
	}
	b, err := s.part(ctx, mlp, post, func(x []float32) ([]float32, error) { return s.feed(ctx, i, l, x) })
	if err != nil {
		return err
	}
	if m.parallel {
		plus(s.x, a)
	}
	plus(s.x, b)
	return nil
}

// part runs one part of a layer on the stream, between its norms.
func (s *stream) part(ctx context.Context, before, after norm, run func([]float32) ([]float32, error)) ([]float32, error) {
	x := s.x
	if !before.empty() {
		x = make([]float32, len(s.x))
		if err := s.m.apply(ctx, x, s.x, before); err != nil {
			return nil, err
		}
	}
	y, err := run(x)
	if err != nil || after.empty() {
		return y, err
	}
	return y, s.m.apply(ctx, y, y, after)
}

// encode runs a layer of BERT's kind: each norm acts on the stream after what a
// part adds to it.
func (s *stream) encode(ctx context.Context, i int, l *roles.Layer, attention, mlp norm) error {
	for _, part := range []struct {
		after norm
		run   func(context.Context, int, *roles.Layer, []float32) ([]float32, error)
	}{{attention, s.attend}, {mlp, s.feed}} {
		y, err := part.run(ctx, i, l, s.x)
		if err != nil {
			return err
		}
		plus(s.x, y)
		if part.after.empty() {
			return unsupported("it has no norm after a part of its layer")
		}
		if err := s.m.apply(ctx, s.x, s.x, part.after); err != nil {
			return err
		}
	}
	return nil
}
