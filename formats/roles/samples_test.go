package roles_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/roles"
	"github.com/weightprint/weightprint/formats/tensor"
)

// sample is one architecture of testdata/families.txt: what a checkpoint of it
// declares, its tensors, and the roles they must get.
type sample struct {
	name    string
	meta    tensor.Metadata
	family  string
	towers  []string
	names   []string
	shapes  map[string][]int64
	expects map[string]string
}

// samples reads the file. A section begins with "== name"; "config" is a
// config.json, "meta" a pair of GGUF metadata, "family" and "tower" what Map
// must find; all other lines are tensor, shape, role, with {0-3} for runs of
// numbers.
func samples(t testing.TB) []*sample {
	f, err := os.Open("testdata/families.txt")
	require.NoError(t, err)
	defer f.Close()
	var out []*sample
	var s *sample
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		line := lines.Text()
		key, rest, _ := strings.Cut(line, " ")
		switch key {
		case "", "#":
		case "==":
			s = &sample{name: rest, meta: tensor.Metadata{}, shapes: map[string][]int64{}, expects: map[string]string{}}
			out = append(out, s)
		case "config":
			var v map[string]any
			d := json.NewDecoder(strings.NewReader(rest))
			d.UseNumber()
			require.NoError(t, d.Decode(&v), s.name)
			flatten("config.", v, s.meta)
		case "meta":
			k, v, _ := strings.Cut(rest, " ")
			if n, err := strconv.ParseInt(v, 10, 64); err == nil {
				s.meta[k] = n
			} else {
				s.meta[k] = v
			}
		case "family":
			s.family = rest
		case "tower":
			s.towers = append(s.towers, rest)
		default:
			s.tensors(t, strings.Fields(line))
		}
	}
	require.NoError(t, lines.Err())
	return out
}

func flatten(prefix string, object map[string]any, into tensor.Metadata) {
	for k, v := range object {
		switch v := v.(type) {
		case map[string]any:
			flatten(prefix+k+".", v, into)
		case json.Number:
			if i, err := v.Int64(); err == nil {
				into[prefix+k] = i
			} else {
				into[prefix+k], _ = v.Float64()
			}
		default:
			into[prefix+k] = v
		}
	}
}

func (s *sample) tensors(t testing.TB, words []string) {
	require.Len(t, words, 3, "%s: %v", s.name, words)
	var shape []int64
	for _, d := range strings.Split(words[1], "x") {
		if n, err := strconv.ParseInt(d, 10, 64); err == nil {
			shape = append(shape, n)
		}
	}
	names, expected := runs(words[0]), runs(words[2])
	for i, n := range names {
		require.NotContains(t, s.shapes, n, s.name)
		s.names = append(s.names, n)
		s.shapes[n] = shape
		s.expects[n] = expected[i%len(expected)]
	}
	require.Zero(t, len(names)%len(expected), "%s: %v", s.name, words)
}

// runs writes out {a-b}, the first one slowest.
func runs(name string) []string {
	before, rest, ok := strings.Cut(name, "{")
	if !ok {
		return []string{name}
	}
	run, after, _ := strings.Cut(rest, "}")
	var first, last int
	fmt.Sscanf(run, "%d-%d", &first, &last)
	var out []string
	for i := first; i <= last; i++ {
		for _, tail := range runs(after) {
			out = append(out, before+strconv.Itoa(i)+tail)
		}
	}
	return out
}

// describe puts a tower in the words of the file.
func describe(t *roles.Tower) string {
	s := fmt.Sprintf("%s layers %d hidden %d heads %d kv %d dim %d", t.Name, len(t.Layers), t.Hidden, t.Heads, t.KVHeads, t.HeadDim)
	if t.Rotary != roles.NoRotary {
		s += fmt.Sprintf(" rotary %s %d", t.Rotary, t.RotaryDim)
	}
	if t.Permuted {
		s += " permuted"
	}
	if t.RMSNorm {
		s += " rms"
	}
	return s
}
