package report_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
)

// architecture is a section of the table of architectures.
type architecture struct {
	name   string
	meta   tensor.Metadata
	names  []string
	shapes map[string][]int64
	fixed  map[string]bool // tables that are the same in all networks
	towers int
}

// architectures reads the table that package roles is tested with.
func architectures(t *testing.T) []*architecture {
	f, err := os.Open("../formats/roles/testdata/families.txt")
	require.NoError(t, err)
	defer f.Close()
	var out []*architecture
	var a *architecture
	for lines := bufio.NewScanner(f); lines.Scan(); {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		switch key {
		case "", "#", "family":
		case "==":
			a = &architecture{name: rest, meta: tensor.Metadata{}, shapes: map[string][]int64{}, fixed: map[string]bool{}}
			out = append(out, a)
		case "tower":
			a.towers++
		case "config":
			var v map[string]any
			d := json.NewDecoder(strings.NewReader(rest))
			d.UseNumber()
			require.NoError(t, d.Decode(&v))
			a.declare("config.", v)
		case "meta":
			k, v, _ := strings.Cut(rest, " ")
			a.declare("", map[string]any{k: json.Number(v)})
		default:
			a.tensor(key, strings.Fields(rest))
		}
	}
	return out
}

func (a *architecture) declare(prefix string, object map[string]any) {
	for k, v := range object {
		switch v := v.(type) {
		case map[string]any:
			a.declare(prefix+k+".", v)
		case json.Number:
			if i, err := v.Int64(); err == nil {
				a.meta[prefix+k] = i
			} else if x, err := v.Float64(); err == nil {
				a.meta[prefix+k] = x
			} else {
				a.meta[prefix+k] = v.String()
			}
		default:
			a.meta[prefix+k] = v
		}
	}
}

func (a *architecture) tensor(name string, rest []string) {
	var shape []int64
	for _, d := range strings.Split(rest[0], "x") {
		if n, err := strconv.ParseInt(d, 10, 64); err == nil {
			shape = append(shape, n)
		}
	}
	for _, n := range spelled(name) {
		a.names = append(a.names, n)
		a.shapes[n] = shape
		a.fixed[n] = rest[1] == "table" || strings.Contains(n, "encoder.embed_positions")
	}
}

func spelled(name string) []string {
	before, rest, ok := strings.Cut(name, "{")
	if !ok {
		return []string{name}
	}
	run, after, _ := strings.Cut(rest, "}")
	var first, last int
	fmt.Sscanf(run, "%d-%d", &first, &last)
	var out []string
	for i := first; i <= last; i++ {
		for _, tail := range spelled(after) {
			out = append(out, before+strconv.Itoa(i)+tail)
		}
	}
	return out
}

// network draws weights. Gains of norms are near one and biases near zero, and
// fixed tables are the same, in every network.
func (a *architecture) network(seed uint64) *zoo.Model {
	r := rand.New(rand.NewPCG(seed, 1))
	m := zoo.New()
	m.Meta = a.meta
	for _, name := range a.names {
		n, _ := tensor.Elements(a.shapes[name])
		v := make([]float32, n)
		for i := range v {
			switch x := float32(r.NormFloat64()); {
			case a.fixed[name]:
				v[i] = float32(i%17) / 17
			case len(a.shapes[name]) > 1:
				v[i] = x / 8
			case strings.HasSuffix(name, ".bias"):
				v[i] = x / 100
			default:
				v[i] = 1 + x/100
			}
		}
		m.Add(name, v, a.shapes[name]...)
	}
	return m
}

// tuned is a copy whose weights have moved by a tenth of their size.
func tuned(m *zoo.Model, a *architecture) *zoo.Model {
	c := m.Clone()
	r := rand.New(rand.NewPCG(99, 1))
	for _, name := range a.names {
		if v := c.Values(name); !a.fixed[name] && len(a.shapes[name]) > 1 {
			for i := range v {
				v[i] += float32(r.NormFloat64()) / 80
			}
		}
	}
	return c
}

// Of every architecture a fine-tuned copy is found, in all towers, and a
// stranger never is.
func TestEveryArchitecture(t *testing.T) {
	all := architectures(t)
	require.Greater(t, len(all), 100)
	for i, a := range all {
		if testing.Short() && i%5 != 0 {
			continue
		}
		t.Run(a.name, func(t *testing.T) {
			base, stranger := a.network(1), a.network(2)
			child := tuned(base, a)
			verdict := func(x, y *zoo.Model) *report.Report {
				r, err := report.Build(context.Background(), report.Input{Ref: "a", Model: x}, report.Input{Ref: "b", Model: y}, nil)
				require.NoError(t, err)
				return r
			}
			r := verdict(base, child)
			require.Equal(t, report.Related, r.Verdict.Relation, "%v", r.Verdict.Because)
			require.Equal(t, "exact", r.Verdict.Tier)
			parts := map[string]report.Relation{}
			for _, c := range r.Components {
				parts[c.Name] = c.Relation
			}
			if a.meta["config.model_type"] == "mamba" || a.meta["general.architecture"] == "mamba" {
				require.Equal(t, report.Related, parts["embeddings"])
				return
			}
			attention, mlp := 0, 0
			for name, relation := range parts {
				switch name[strings.LastIndexByte(name, '.')+1:] {
				case "attention":
					attention++
				case "mlp", "experts":
					if relation == report.Related {
						mlp++
					}
				}
			}
			require.GreaterOrEqual(t, attention, a.towers, "%v", parts)
			require.GreaterOrEqual(t, mlp, a.towers, "%v", parts)
			require.Empty(t, r.Delta.OnlyA)
			require.Empty(t, r.Delta.OnlyB)
			for _, o := range []*zoo.Model{base, child} {
				v := verdict(o, stranger).Verdict
				require.NotContains(t, []report.Relation{report.Related, report.SharedInit, report.Reencoded, report.Identical}, v.Relation, "%v", v.Because)
			}
		})
	}
}
