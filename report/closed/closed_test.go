package closed_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report/closed"
	"github.com/weightprint/weightprint/report/verdict"
)

// answered puts a network through the protocol, alone.
func answered(t *testing.T, m *zoo.Model, c func(...commitment.Commitment) *commitment.Challenge, second string) (*commitment.Challenge, closed.Party) {
	t.Helper()
	o, err := commitment.Commit(context.Background(), m, commitment.Secret{1})
	require.NoError(t, err)
	challenge := c(o.Commitment())
	r, err := commitment.Respond(context.Background(), m, o, challenge, second)
	require.NoError(t, err)
	s, err := challenge.Check(r)
	require.NoError(t, err)
	return challenge, closed.Party{Ref: "a.response", Response: r, Sketches: s}
}

func TestCheckedSaysWhatIsProved(t *testing.T) {
	net := func(seed uint64) *zoo.Model {
		s := zoo.Shape{Layers: 4, Hidden: 64, Width: 256, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 20}
		return zoo.Random(rand.New(rand.NewPCG(seed, 3)), s, zoo.Quirks{})
	}
	for _, beacon := range []string{"", "drawn in public"} {
		make := func(cs ...commitment.Commitment) *commitment.Challenge {
			c, err := commitment.NewChallenge(beacon, 16, append(cs, commitment.Commitment{})...)
			require.NoError(t, err)
			return c
		}
		for _, second := range []string{"", "drawn later"} {
			for _, seed := range []uint64{1, 2} {
				c, a := answered(t, net(1), make, second)
				open, err := commitment.SketchUnder(context.Background(), net(seed), c)
				require.NoError(t, err)
				bare := closed.New(c, nil, false, a, closed.Party{Ref: "public", Sketches: open})
				require.Equal(t, verdict.Inconclusive, bare.Comparison.Relation, "labels alone")
				x := closed.New(c, nil, true, a, closed.Party{Ref: "public\x1b[31m", Sketches: open})
				want := map[bool]verdict.Relation{true: verdict.Related, false: verdict.Inconclusive}[seed == 1]
				require.Equal(t, want, x.Comparison.Relation)
				var text, js bytes.Buffer
				require.NoError(t, x.WriteText(&text))
				require.NoError(t, x.WriteJSON(&js))
				require.NotContains(t, text.String()+js.String(), "\x1b")
				said := strings.Join(strings.Fields(text.String()), " ")
				require.Equal(t, beacon == "", strings.Contains(said, "try out commitments"), said)
				require.Equal(t, second == "", strings.Contains(said, "try out answers"), said)
				require.Equal(t, seed == 2, strings.Contains(said, "none is excluded"), said)
				require.NotContains(t, said, "1e-0 ")
				for _, l := range strings.Split(text.String(), "\n") {
					require.LessOrEqual(t, len([]rune(l)), 85, l) // a digest is longer than the column
				}
			}
		}
	}
}

// A withdrawn axis costs: which ones to withdraw can be chosen afterwards.
func TestWithdrawnAxesAreChargedFor(t *testing.T) {
	m := zoo.Random(rand.New(rand.NewPCG(1, 3)), zoo.Shape{Layers: 6, Hidden: 64, Width: 256, Heads: 4, KVHeads: 4, HeadDim: 16, Vocab: 20}, zoo.Quirks{})
	gate := m.Values("model.layers.2.mlp.gate_proj.weight")
	for i := range gate {
		gate[i] = float32(i%64) * float32(i/64+1) // ramps
	}
	c, a := answered(t, m, func(cs ...commitment.Commitment) *commitment.Challenge {
		c, err := commitment.NewChallenge("x", 16, cs...)
		require.NoError(t, err)
		return c
	}, "y")
	x := closed.New(c, nil, true, a, closed.Party{Ref: "b", Sketches: a.Sketches})
	require.Equal(t, 1, x.Parties[0].Withdrawn)
	require.Equal(t, 5, x.Comparison.Axes)
	require.Contains(t, fmt.Sprint(x.NotProved), "1 of 6 axes were withdrawn")
}
