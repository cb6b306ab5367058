package commitment_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/rng"
	"github.com/weightprint/weightprint/internal/zoo"
)

// party is one side of the protocol.
type party struct {
	model   *zoo.Model
	opening *commitment.Opening
}

func model(seed uint64) *zoo.Model {
	s := zoo.Shape{Layers: 3, Hidden: 64, Width: 128, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 100, Untied: true}
	return zoo.Random(rand.New(rand.NewPCG(seed, 1)), s, zoo.Quirks{})
}

// exact is a model of values that every machine computes alike.
type exact = zoo.Model

// exactModel has multiples of 2⁻¹², drawn from BLAKE3.
func exactModel(seed byte) *exact {
	m := zoo.New()
	s := rng.New([]byte{seed}, "exact model")
	add := func(name string, rows, cols int) {
		v := make([]float32, rows*cols)
		for i := range v {
			v[i] = float32(int16(s.Uint64())) / (1 << 12)
		}
		m.Add(name, v, int64(rows), int64(cols))
	}
	add("model.embed_tokens.weight", 32, 64)
	for l := range 3 {
		p := fmt.Sprintf("model.layers.%d.", l)
		for _, name := range []string{"q", "k", "v", "o"} {
			add(p+"self_attn."+name+"_proj.weight", 64, 64)
		}
		add(p+"mlp.gate_proj.weight", 128, 64)
		add(p+"mlp.up_proj.weight", 128, 64)
		add(p+"mlp.down_proj.weight", 64, 128)
	}
	return m
}

func commitTo(t testing.TB, m *zoo.Model, secret byte) party {
	t.Helper()
	o, err := commitment.Commit(context.Background(), m, commitment.Secret{secret, 1})
	require.NoError(t, err)
	return party{m, o}
}

func challengeTo(t testing.TB, beacon string, ps ...party) *commitment.Challenge {
	t.Helper()
	var cs []commitment.Commitment
	for _, p := range ps {
		cs = append(cs, p.opening.Commitment())
	}
	c, err := commitment.NewChallenge(beacon, commitment.DefaultOpen, cs...)
	require.NoError(t, err)
	return c
}

func (p party) respond(t testing.TB, c *commitment.Challenge, beacon string) *commitment.Response {
	t.Helper()
	r, err := commitment.Respond(context.Background(), p.model, p.opening, c, beacon)
	require.NoError(t, err)
	return r
}

func TestHonestPartiesPass(t *testing.T) {
	a, b := commitTo(t, model(1), 1), commitTo(t, model(2), 2)
	c := challengeTo(t, "beacon", a, b)
	for _, p := range []party{a, b} {
		r, err := commitment.DecodeResponse(p.respond(t, c, "later").Encode())
		require.NoError(t, err)
		sketches, err := c.Check(r)
		require.NoError(t, err)
		under, err := commitment.SketchUnder(context.Background(), p.model, c)
		require.NoError(t, err)
		require.Equal(t, under, sketches, "the sketches of a response are those of the model")
		n, withdrawn := r.Pairs()
		require.Equal(t, 36, n)
		require.Zero(t, withdrawn)
	}
}

// The order in which tensors are read, and how many at once, shows nowhere.
func TestOpeningsDoNotDependOnProcessors(t *testing.T) {
	m := model(3)
	want := commitTo(t, m, 1).opening.Encode()
	for _, procs := range []int{1, 2, 7} {
		old := runtime.GOMAXPROCS(procs)
		require.Equal(t, want, commitTo(t, m, 1).opening.Encode(), "%d processors", procs)
		runtime.GOMAXPROCS(old)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := commitment.Commit(ctx, m, commitment.Secret{1})
	require.ErrorIs(t, err, context.Canceled)
}

// A tensor that cannot be read is named, and nothing is committed to.
func TestUnreadableTensor(t *testing.T) {
	m := model(3)
	m.Tensors()[2].Data = failing{m.Tensors()[2].Data, errors.New("disk gone")}
	_, err := commitment.Commit(context.Background(), m, commitment.Secret{1})
	require.ErrorContains(t, err, "disk gone")
}

type failing struct {
	tensor.Data
	err error
}

func (f failing) ReadValues(context.Context, []float32, int64) error { return f.err }

// Published numbers of a matrix, in words of 32 bits, stay below a quarter of
// its rows plus columns, and no more than half of the units are touched.
func TestAnswersStayBelowTheCap(t *testing.T) {
	for _, s := range []zoo.Shape{
		{Layers: 1, Hidden: 64, Width: 128, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 8},
		{Layers: 1, Hidden: 96, Width: 256, Heads: 6, KVHeads: 3, HeadDim: 16, Vocab: 8},
		{Layers: 1, Hidden: 256, Width: 96, Heads: 4, KVHeads: 4, HeadDim: 64, Vocab: 8},
	} {
		p := commitTo(t, zoo.Random(rand.New(rand.NewPCG(1, 1)), s, zoo.Quirks{}), 1)
		r := p.respond(t, challengeTo(t, "b", p), "")
		for k, x := range r.Answer.Axes {
			numbers := len(r.Answer.Sketches[k].Words) * 2
			require.LessOrEqual(t, numbers, (x.Units+x.Dim)/4)
			require.LessOrEqual(t, 2*len(r.Answer.Sketches[k].Eligible), x.Units/2)
		}
	}
}

// A commitment of the same model under another secret has nothing in common
// with it, nor have the openings of their tensors.
func TestCommitmentHidesTheModel(t *testing.T) {
	a, b := commitTo(t, model(1), 1), commitTo(t, model(1), 2)
	require.NotEqual(t, a.opening.Commitment(), b.opening.Commitment())
	seen := map[fingerprint.Digest]bool{}
	for _, p := range []party{a, b} {
		for _, x := range p.opening.Tensors {
			require.False(t, seen[x.Root], "equal tensors have different salted roots, also within one model")
			seen[x.Root] = true
		}
	}
	c := challengeTo(t, "b", a, b)
	paths := map[fingerprint.Digest]bool{}
	for _, proof := range a.respond(t, c, "").Proofs {
		for _, row := range proof {
			for _, d := range row.Path {
				paths[d] = true
			}
		}
	}
	for _, proof := range b.respond(t, c, "").Proofs {
		for _, row := range proof {
			require.False(t, paths[row.Salt])
			for _, d := range row.Path {
				require.False(t, paths[d], "a proof shows a digest that others of the same model show")
			}
		}
	}
}

// Names and order bind, container and lossless casts do not.
func TestCommitmentBindsValues(t *testing.T) {
	m := model(1)
	want := commitTo(t, m, 1).opening
	require.NoError(t, want.Verify(context.Background(), m))
	shuffled := zoo.New()
	ts := m.Tensors()
	for i := range ts {
		x := ts[(i*7+3)%len(ts)]
		shuffled.Add(x.Name, m.Values(x.Name), x.Shape...)
	}
	shuffled.Meta = m.Meta
	require.Equal(t, want.Commitment(), commitTo(t, shuffled, 1).opening.Commitment())
	for _, x := range ts {
		other := m.Clone()
		v := other.Values(x.Name)
		v[len(v)/2] = math.Nextafter32(v[len(v)/2], 9)
		require.NotEqual(t, want.Commitment(), commitTo(t, other, 1).opening.Commitment(), x.Name)
		err := want.Verify(context.Background(), other)
		require.ErrorIs(t, err, commitment.ErrNotCommitted)
		require.ErrorContains(t, err, x.Name)
	}
}

func TestChallengeRules(t *testing.T) {
	a, b := commitment.Commitment{Root: fingerprint.Digest{1}}, commitment.Commitment{Root: fingerprint.Digest{2}}
	ab, err := commitment.NewChallenge("", 32, a, b)
	require.NoError(t, err)
	ba, err := commitment.NewChallenge("", 32, b, a)
	require.NoError(t, err)
	require.Equal(t, ab.Digest(), ba.Digest(), "the order of naming does not matter")
	other, err := commitment.NewChallenge("x", 32, a, b)
	require.NoError(t, err)
	require.NotEqual(t, ab.Digest(), other.Digest())
	for name, make := range map[string]func() error{
		"none":             func() error { _, err := commitment.NewChallenge("x", 32); return err },
		"one, no beacon":   func() error { _, err := commitment.NewChallenge("", 32, a); return err },
		"copied":           func() error { _, err := commitment.NewChallenge("x", 32, a, a); return err },
		"too many to open": func() error { _, err := commitment.NewChallenge("x", commitment.MaxOpen+1, a, b); return err },
		"long beacon": func() error {
			_, err := commitment.NewChallenge(string(bytes.Repeat([]byte("x"), 1025)), 32, a, b)
			return err
		},
	} {
		require.Error(t, make(), name)
	}
}

// What a party may try besides forging sketches.
func TestCheatsAreFound(t *testing.T) {
	a, b := commitTo(t, model(1), 1), commitTo(t, model(2), 2)
	stranger := commitTo(t, model(3), 3)
	c := challengeTo(t, "beacon", a, b)
	older := challengeTo(t, "older", a, b)
	ctx := context.Background()

	_, err := commitment.Respond(ctx, b.model, a.opening, c, "")
	require.ErrorIs(t, err, commitment.ErrNotCommitted, "another model")
	_, err = commitment.Respond(ctx, zoo.Random(rand.New(rand.NewPCG(1, 1)), zoo.Shape{Layers: 3, Hidden: 64, Width: 96, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 100}, zoo.Quirks{}), a.opening, c, "")
	require.ErrorIs(t, err, commitment.ErrNotCommitted, "a model of another shape")
	_, err = commitment.Respond(ctx, stranger.model, stranger.opening, c, "")
	require.ErrorIs(t, err, commitment.ErrNotNamed, "another opening")

	for name, cheat := range map[string]func() *commitment.Response{
		"replayed": func() *commitment.Response { return a.respond(t, older, "") },
		"copied": func() *commitment.Response {
			r := a.respond(t, c, "")
			r.Answer.Commitment = b.opening.Commitment().Root
			return r
		},
		"the other's sketches": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Sketches = a.respond(t, c, "").Answer.Sketches
			return r
		},
		"the other's proofs": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Proofs = a.respond(t, c, "").Proofs
			return r
		},
		"another beacon": func() *commitment.Response {
			r := b.respond(t, c, "one")
			r.Beacon = "two"
			return r
		},
		"fewer proofs": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Proofs = r.Proofs[1:]
			return r
		},
		"bits of a pair that has none": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Sketches[0].Eligible[0] = false
			return r
		},
		"a withdrawn axis with bits": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Sketches[0].Withdrawn = true
			return r
		},
		"an axis left out": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Axes, r.Answer.Sketches, r.Answer.Tensors = r.Answer.Axes[1:], r.Answer.Sketches[1:], r.Answer.Tensors[1:]
			return r
		},
		"axes exchanged": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Axes[0].Tensor, r.Answer.Axes[1].Tensor = r.Answer.Axes[1].Tensor, r.Answer.Axes[0].Tensor
			return r
		},
		"a tensor's root": func() *commitment.Response {
			r := b.respond(t, c, "")
			r.Answer.Tensors[0].Tensor.Root[0] ^= 1
			return r
		},
	} {
		r, err := commitment.DecodeResponse(cheat().Encode())
		require.NoError(t, err, name)
		_, err = c.Check(r)
		require.ErrorIs(t, err, commitment.ErrMismatch, name)
	}
}

// Units stored as columns, fused, and as float64 are opened as well.
func TestOtherLayouts(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	normal := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	gpt2 := zoo.New()
	gpt2.Meta["config.model_type"] = "gpt2"
	gpt2.Add("wte.weight", normal(20*64), 20, 64)
	for _, l := range []string{"h.0.", "h.1."} {
		gpt2.Add(l+"attn.c_attn.weight", normal(64*192), 64, 192)
		gpt2.Add(l+"attn.c_proj.weight", normal(64*64), 64, 64)
		gpt2.Add(l+"attn.c_attn.bias", normal(192), 192)
		gpt2.Add(l+"mlp.c_fc.bias", normal(256), 256)
		gpt2.Add(l+"mlp.c_fc.weight", normal(64*256), 64, 256)
		gpt2.Add(l+"mlp.c_proj.weight", normal(256*64), 256, 64)
	}
	phi := zoo.New()
	phi.Meta["config.model_type"] = "phi3"
	phi.Add("model.embed_tokens.weight", normal(20*64), 20, 64)
	for _, l := range []string{"model.layers.0.", "model.layers.1."} {
		phi.Add(l+"self_attn.qkv_proj.weight", normal(192*64), 192, 64)
		phi.Add(l+"self_attn.o_proj.weight", normal(64*64), 64, 64)
		phi.Add(l+"mlp.gate_up_proj.weight", normal(512*64), 512, 64)
		phi.Add(l+"mlp.down_proj.weight", normal(64*256), 64, 256)
	}
	for name, x := range map[string]struct {
		m       *zoo.Model
		columns bool
	}{"gpt2": {gpt2, true}, "phi3": {phi, false}} {
		p := commitTo(t, x.m, 9)
		require.NotEmpty(t, p.opening.Axes, name)
		for _, a := range p.opening.Axes {
			require.Equal(t, x.columns, p.opening.Tensors[a.Tensor].Columns, name)
			require.Equal(t, 256, a.Units, name)
		}
		c := challengeTo(t, "b", p)
		got, err := c.Check(p.respond(t, c, ""))
		require.NoError(t, err, name)
		require.Len(t, got, 2)
	}
}

// An opened row is the row of the model.
func TestOpenedRowsAreTheModels(t *testing.T) {
	p := commitTo(t, model(1), 1)
	c := challengeTo(t, "b", p)
	r := p.respond(t, c, "")
	n := 0
	for k := range r.Proofs {
		name := p.opening.Tensors[r.Answer.Axes[r.Opened(c)[k].Axis].Tensor].Name
		v := p.model.Values(name)
		for _, row := range r.Proofs[k] {
			found := false
			for u := range 128 {
				found = found || bytes.Equal(row.Row[1:], little(v[u*64:(u+1)*64]))
			}
			require.True(t, found)
			n++
		}
	}
	require.Equal(t, 2*commitment.DefaultOpen, n)
}

func little(v []float32) []byte {
	var b []byte
	for _, x := range v {
		u := math.Float32bits(x)
		b = append(b, byte(u), byte(u>>8), byte(u>>16), byte(u>>24))
	}
	return b
}

func TestModelWithoutUnits(t *testing.T) {
	m := zoo.New()
	m.Add("a", []float32{1, 2, 3, 4}, 2, 2)
	p := commitTo(t, m, 1)
	require.NoError(t, p.opening.Verify(context.Background(), m))
	_, err := commitment.Respond(context.Background(), m, p.opening, challengeTo(t, "b", p), "")
	require.ErrorIs(t, err, commitment.ErrNoAxes)
}
