package report_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/verdict"
)

// foreign gives the parts of layers words of its own, and stores them in another order.
func foreign(m *zoo.Model) *zoo.Model {
	words := strings.NewReplacer("model.layers.", "net.stack.", "self_attn.q_proj", "mix.d", "self_attn.k_proj", "mix.a", "self_attn.v_proj", "mix.c", "self_attn.o_proj", "mix.b",
		"mlp.gate_proj", "wide.two", "mlp.up_proj", "wide.one", "mlp.down_proj", "wide.three", "input_layernorm", "scale.y", "post_attention_layernorm", "scale.x",
		"model.embed_tokens", "net.rows", "lm_head", "net.last", "model.norm", "net.end")
	out := zoo.New()
	for _, t := range slices.Backward(m.Tensors()) {
		out.Add(words.Replace(t.Name), m.Values(t.Name), t.Shape...)
	}
	return out
}

// scattered stores the tensors in any order, under names of which none tells anything.
func scattered(m *zoo.Model) *zoo.Model {
	r := rand.New(rand.NewPCG(5, 0x5ca7))
	out := zoo.New()
	for _, i := range r.Perm(len(m.Tensors())) {
		t := m.Tensors()[i]
		out.Add(fmt.Sprintf("%016x", r.Uint64()), m.Values(t.Name), t.Shape...)
	}
	return out
}

// A copy in another basis, with its units in another order and names that say nothing,
// is found by the roles that shapes tell. A stranger is not cleared by them, nor accused.
func TestRolesFromShapes(t *testing.T) {
	original, stranger := trainedLike(1), trainedLike(2)
	zoo.LikeTrained(rand.New(rand.NewPCG(4, 0xd15)), original)
	zoo.LikeTrained(rand.New(rand.NewPCG(5, 0xd15)), stranger)
	copied := original.Clone()
	zoo.DisguiseAll(rand.New(rand.NewPCG(3, 0xd15)), copied)
	names := map[string]func(*zoo.Model) *zoo.Model{"by numbers": foreign, "by order": nameless, "by values": scattered}
	for name, rename := range names {
		for i, pair := range [][2]*zoo.Model{{original, rename(copied)}, {rename(copied), original}, {rename(original), rename(copied)}, {stranger, rename(copied)}, {rename(stranger), rename(copied)}} {
			t.Run(fmt.Sprint(name, i), func(t *testing.T) {
				if testing.Short() && i%3 > 0 {
					t.Skip("in full runs only")
				}
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: pair[0]}, report.Input{Ref: "b", Model: pair[1]}, nil)
				require.NoError(t, err)
				v := r.Verdict
				if i == 2 && name == "by values" { // the gains of neither side have a role
					require.Equal(t, verdict.SharedInit, v.Relation, "%v", v.Because)
					require.True(t, v.MoreIsOpen())
				} else if i < 3 {
					require.Equal(t, verdict.Related, v.Relation, "%v", v.Because)
					require.Contains(t, strings.Join(r.Warnings, "\n"), "these were taken from shapes")
				} else {
					require.Equal(t, verdict.Inconclusive, v.Relation, "%v", v.Because)
				}
			})
		}
	}
}

// A stranger under known names clears nobody of what stands beside it under names that
// say nothing, in another tower, or as numbers that are not read.
func TestHiddenBesideAStranger(t *testing.T) {
	original, stranger := trainedLike(1), trainedLike(2)
	zoo.LikeTrained(rand.New(rand.NewPCG(4, 0xd15)), original)
	copied := original.Clone()
	zoo.DisguiseAll(rand.New(rand.NewPCG(3, 0xd15)), copied)
	beside := func(hide func(out *zoo.Model)) *zoo.Model {
		out := stranger.Clone()
		hide(out)
		return out
	}
	hidden := map[string]*zoo.Model{
		"under other names": beside(func(out *zoo.Model) {
			for i, x := range copied.Tensors() {
				out.Add(fmt.Sprintf("x%03d", i), copied.Values(x.Name), x.Shape...)
			}
		}),
		"in another tower": beside(func(out *zoo.Model) {
			for _, x := range copied.Tensors() {
				out.Add("vision_tower."+x.Name, copied.Values(x.Name), x.Shape...)
			}
		}),
		"in one vector": beside(func(out *zoo.Model) {
			var all []float32
			for _, x := range copied.Tensors() {
				all = append(all, copied.Values(x.Name)...)
			}
			out.Add("cache", all, int64(len(all)))
		}),
	}
	for name, m := range hidden {
		for _, turned := range []bool{false, true} {
			a, b := report.Input{Ref: "a", Model: original}, report.Input{Ref: "b", Model: m}
			if turned {
				a, b = b, a
			}
			r, err := report.Build(context.Background(), a, b, nil)
			require.NoError(t, err)
			require.NotEqual(t, verdict.NoEvidence, r.Verdict.Relation, "%s: %v", name, r.Verdict.Because)
			if name == "under other names" { // found, and it may be a passenger
				require.Equal(t, verdict.Related, r.Verdict.Relation, "%v", r.Verdict.Because)
				require.Contains(t, strings.Join(r.Verdict.Alternatives, "\n"), "passenger")
			} else {
				require.NotEmpty(t, r.Verdict.Next)
			}
		}
	}
}
