// Package archs holds the tensors, configuration and roles of a sample of each
// model architecture in use, for tests.
package archs

import (
	_ "embed" // the table
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

//go:embed families.txt
var table string

// Architecture is one section of the table: what a checkpoint of it declares,
// its tensors, and the roles they must get. Sizes are scaled down.
type Architecture struct {
	Name    string
	Meta    tensor.Metadata
	Family  string
	Towers  []string // described as in the table
	Tensors []string // in stored order
	Shapes  map[string][]int64
	Roles   map[string]string // "generic" for those without a known role
}

// With counts the towers some layer of which has a place, such as "attn.o". An
// expert's and a stacked one's count as the place itself.
func (a *Architecture) With(place string) int {
	towers := map[string]bool{}
	for _, role := range a.Roles {
		before, within, _ := strings.Cut(role, "layers.")
		within = strings.TrimSuffix(within, "_experts")
		if strings.HasSuffix(within, place) || place == "mlp.down" && strings.Contains(within, "experts.") && strings.HasSuffix(within, ".down") {
			towers[before] = true
		}
	}
	return len(towers)
}

// All reads the table. A section begins with "== name"; "config" is a
// config.json, "meta" a pair of GGUF metadata, "family" and "tower" what must
// be found; all other lines are tensor, shape, role, with {0-3} for runs of
// numbers.
func All() ([]*Architecture, error) {
	var out []*Architecture
	var a *Architecture
	for n, line := range strings.Split(table, "\n") {
		key, rest, _ := strings.Cut(line, " ")
		var err error
		switch key {
		case "", "#":
		case "==":
			a = &Architecture{Name: rest, Meta: tensor.Metadata{}, Shapes: map[string][]int64{}, Roles: map[string]string{}}
			out = append(out, a)
		case "config":
			err = a.config(rest)
		case "meta":
			a.pair(rest)
		case "family":
			a.Family = rest
		case "tower":
			a.Towers = append(a.Towers, rest)
		default:
			err = a.tensors(strings.Fields(line))
		}
		if err != nil {
			return nil, fmt.Errorf("archs: line %d: %w", n+1, err)
		}
	}
	return out, nil
}

func (a *Architecture) config(text string) error {
	var v map[string]any
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return err
	}
	flatten("config.", v, a.Meta)
	return nil
}

// flatten puts the members of an object under dotted keys.
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

func (a *Architecture) pair(text string) {
	k, v, _ := strings.Cut(text, " ")
	if n, err := strconv.ParseInt(v, 10, 64); err == nil {
		a.Meta[k] = n
	} else {
		a.Meta[k] = v
	}
}

func (a *Architecture) tensors(words []string) error {
	if len(words) != 3 {
		return fmt.Errorf("%d words where a tensor, a shape and a role belong", len(words))
	}
	var shape []int64
	if words[1] != "scalar" {
		for _, d := range strings.Split(words[1], "x") {
			n, err := strconv.ParseInt(d, 10, 64)
			if err != nil {
				return err
			}
			shape = append(shape, n)
		}
	}
	names, roles := runs(words[0]), runs(words[2])
	if len(names)%len(roles) != 0 {
		return fmt.Errorf("%d names and %d roles", len(names), len(roles))
	}
	for i, n := range names {
		if _, twice := a.Shapes[n]; twice {
			return fmt.Errorf("tensor %s stands twice", n)
		}
		a.Tensors = append(a.Tensors, n)
		a.Shapes[n], a.Roles[n] = shape, roles[i%len(roles)]
	}
	return nil
}

// runs writes out {a-b}, the first one slowest.
func runs(name string) []string {
	before, rest, ok := strings.Cut(name, "{")
	if !ok {
		return []string{name}
	}
	run, after, _ := strings.Cut(rest, "}")
	first, last, _ := strings.Cut(run, "-")
	from, _ := strconv.Atoi(first)
	to, _ := strconv.Atoi(last)
	var out []string
	for i := from; i <= to; i++ {
		for _, tail := range runs(after) {
			out = append(out, before+strconv.Itoa(i)+tail)
		}
	}
	return out
}
