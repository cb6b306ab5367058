package index_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/similarity/index"
)

// generic is content that strangers have alike: each fills a matrix of d
// columns.
var generic = map[string]func(x []float32, d int){
	"zeros":     func(x []float32, _ int) { clear(x) },
	"constants": func(x []float32, _ int) { fill(x, func(int) float64 { return 0.25 }) },
	"identity": func(x []float32, d int) {
		fill(x, func(i int) float64 {
			if i/d%d == i%d {
				return 1
			}
			return 0
		})
	},
	"one value a unit": func(x []float32, d int) { fill(x, func(i int) float64 { return math.Sin(float64(i / d * 7)) }) },
	"sinusoids": func(x []float32, d int) {
		fill(x, func(i int) float64 { return math.Sin(float64(i%d)*0.37*float64(i/d+1) + float64(i/d)) })
	},
	"ramps": func(x []float32, d int) { fill(x, func(i int) float64 { return float64(i%d)*float64(i/d+1) - 3 }) },
	"decays": func(x []float32, d int) {
		fill(x, func(i int) float64 { return math.Exp(-float64(i%d) / float64(d) * float64(i/d%50+1)) })
	},
	"two rows in turn": func(x []float32, d int) {
		fill(x, func(i int) float64 { return math.Sin(float64((i/d)%2*1000 + (i%d)*(i%d))) })
	},
	"rank two": func(x []float32, d int) {
		fill(x, func(i int) float64 {
			a, b := math.Sin(float64(i/d*i/d)), math.Cos(float64(i/d*3))
			return a*math.Sin(float64((i%d)*(i%d))) + b*math.Cos(float64((i%d)*(i%d)*7))
		})
	},
}

func fill(x []float32, value func(i int) float64) {
	for i := range x {
		x[i] = float32(value(i))
	}
}

// poisoned is a network whose MLPs and embeddings hold generic content.
func poisoned(seed uint64, content func(x []float32, d int)) *fingerprint.Fingerprint {
	m := zoo.Random(rand.New(rand.NewPCG(seed, 3)), fingerprinttest.Middle, zoo.Quirks{})
	for _, t := range m.Tensors() {
		if strings.Contains(t.Name, "mlp") || strings.Contains(t.Name, "embed") {
			content(m.Values(t.Name), int(t.Cols()))
		}
	}
	f, err := fingerprint.Compute(context.Background(), m, nil)
	if err != nil {
		panic(err)
	}
	return f
}

// Entries of generic content are set aside: no query finds them, be it an
// ordinary network or a stranger with the same generic content.
func TestGenericContentIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	generic := maps.Clone(generic)
	if testing.Short() {
		maps.DeleteFunc(generic, func(name string, _ func([]float32, int)) bool {
			return name != "rank two" && name != "sinusoids" && name != "zeros"
		})
	}
	for name, content := range generic {
		_, err := index.Add(path, index.Entry{Name: name, Fingerprint: poisoned(1, content)})
		require.NoError(t, err)
	}
	x := open(t, path)
	require.Equal(t, len(generic), x.Quarantined())
	search := func(what string, f *fingerprint.Fingerprint) *index.Found {
		found, err := x.Search(context.Background(), f, 9, -3)
		require.NoError(t, err)
		return found
	}
	for seed := range uint64(3) {
		found := search("an ordinary network", fingerprinttest.Of(fingerprinttest.Middle, 10+seed, nil))
		require.Empty(t, found.Hits)
		require.Empty(t, found.Leads)
	}
	for name, content := range generic {
		found := search(name, poisoned(2, content))
		require.Empty(t, found.Hits, name)
		require.Empty(t, found.Leads, name)
		// Equal content is still recognised.
		found = search(name, poisoned(1, content))
		require.Len(t, found.Hits, 1)
		require.True(t, found.Hits[0].Same)
		require.Equal(t, name, found.Hits[0].Name)
	}
}
