package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/adversary"
	"github.com/weightprint/weightprint/internal/dense"
	"github.com/weightprint/weightprint/report"
)

// resident is a network that attacks work on.
type resident struct {
	name string
	net  *adversary.Decoder
}

// family is a number of networks, and which of them share nothing.
type family struct {
	name      string
	residents []*resident
	strangers [][2]*resident // accuser and victim
}

// input is a network as report.Build takes it. Tensors whose values are all of bfloat16
// are stored so, as whoever publishes them would.
func input(name string, d *adversary.Decoder) report.Input {
	m := d.Model()
	for _, t := range m.Tensors() {
		if !slices.ContainsFunc(m.Values(t.Name), func(x float32) bool { return math.Float32bits(x)&0xffff != 0 }) {
			t.DType = tensor.BF16
		}
	}
	return report.Input{Ref: name, Format: "memory", Model: m, Tokens: d.Tokens}
}

// families loads those of a zoo, if one is given, and trains those of package
// adversary, with so many members each. What was trained is kept in the folder cache
// and taken from there the next time.
func families(ctx context.Context, zoo, cache string, members int) ([]*family, error) {
	var out []*family
	if zoo != "" {
		f, err := zooFamily(ctx, zoo)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	for _, f := range adversary.Families {
		t, err := trainedFamily(ctx, f, cache, members)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

func trainedFamily(ctx context.Context, f adversary.Family, cache string, members int) (*family, error) {
	out := &family{name: f.Name, residents: make([]*resident, members)}
	errs := make([]error, members)
	dense.Parallel(members, func(i int) {
		out.residents[i], errs[i] = trained(ctx, f, cache, i)
	})
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	for _, a := range out.residents {
		for _, b := range out.residents {
			if a != b {
				out.strangers = append(out.strangers, [2]*resident{a, b})
			}
		}
	}
	return out, nil
}

func trained(ctx context.Context, f adversary.Family, cache string, i int) (*resident, error) {
	name := f.MemberName(i)
	if cache == "" {
		return &resident{name, f.Member(i)}, nil
	}
	dir := filepath.Join(cache, name)
	if _, err := os.Stat(filepath.Join(dir, "tokenizer.json")); err == nil {
		return open(ctx, name, dir)
	}
	d := f.Member(i)
	return &resident{name, d}, d.Write(dir)
}

func open(ctx context.Context, name, dir string) (*resident, error) {
	c, err := formats.Open(ctx, dir, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	tokens, err := c.Vocabulary(ctx)
	if err != nil {
		return nil, err
	}
	d, err := adversary.Load(ctx, c, tokens)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return &resident{name, d}, nil
}

// zooFamily takes the members of a zoo that package adversary can work on. Strangers
// are pairs of one size whose roots, by the manifest, are not the same.
func zooFamily(ctx context.Context, dir string) (*family, error) {
	cases, err := zooCases(dir, "")
	if err != nil {
		return nil, err
	}
	out := &family{name: "zoo"}
	by := map[*member]*resident{}
	for _, c := range cases {
		for _, m := range []*member{c.a, c.b} {
			if _, seen := by[m]; seen {
				continue
			}
			by[m], _ = open(ctx, m.Name, filepath.Join(dir, m.Path)) // of another layout otherwise
			if by[m] != nil {
				out.residents = append(out.residents, by[m])
			}
		}
		a, b := by[c.a], by[c.b]
		if c.truth == "strangers" && a != nil && b != nil && sameSize(a.net, b.net) {
			out.strangers = append(out.strangers, [2]*resident{a, b})
		}
	}
	return out, nil
}

func sameSize(a, b *adversary.Decoder) bool {
	x, y := a.Blocks[0], b.Blocks[0]
	return len(a.Blocks) == len(b.Blocks) && a.Hidden() == b.Hidden() && a.Heads == b.Heads && a.KV == b.KV && a.Vocab() == b.Vocab() && x.Gate.R == y.Gate.R && x.Q.R == y.Q.R
}

// spread takes n things, evenly spread, all where n is 0.
func spread[T any](all []T, n int) []T {
	if n == 0 || n >= len(all) {
		return slices.Clone(all)
	}
	var out []T
	for i := range n {
		out = append(out, all[i*len(all)/n])
	}
	return out
}
