package formats

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Flax's nn.scan keeps one parameter of all layers in one tensor, whose first axis counts the layers,
// or the second where MaxText asks for it. Such a stack is read layer by layer, under the names that
// the same layers have apart.

// Limits of what is taken apart.
const (
	maxStackedLayers = 1 << 12
	maxUnstacked     = 1 << 16 // tensors
	maxStackedName   = 512
)

// stackWords are the words of a name behind which a stack's parameters stand, with what stands
// before the number of a layer in its place.
var stackWords = []struct {
	pattern *regexp.Regexp // one word
	number  string
}{
	{regexp.MustCompile(`^(encoderblock|decoderblock)$`), "${1}_"},
	{regexp.MustCompile(`^Flax\w*Layers$`), ""}, // transformers' scanned layers, behind "layers"
	{regexp.MustCompile(`^(layers|blocks|h)$`), "${1}SEPARATOR"},
}

// stack is the tensors that stand behind one word.
type stack struct {
	prefix  string // up to and without the word
	axis    int    // that counts the layers
	layers  int64
	members []member
}

// member is a tensor of a stack: what stands for the word before the number, and what behind it.
type member struct {
	t              *tensor.Tensor
	before, behind string
}

// unstack puts the layers of stacks in place of them.
func (op *opener) unstack() error {
	if !slices.ContainsFunc(op.c.tensors, func(t *tensor.Tensor) bool { return ranks[lastWord(t.Name)] > 1 }) {
		return nil
	}
	found, notes := stacks(op.c.tensors)
	op.c.Warnings = append(op.c.Warnings, notes...)
	notes = nil
	taken := map[*tensor.Tensor][]*tensor.Tensor{}
	total := len(op.c.tensors)
	for _, s := range found {
		if total += len(s.members) * int(s.layers); total > maxUnstacked {
			return nil
		}
		for _, m := range s.members {
			for i := range s.layers {
				taken[m.t] = append(taken[m.t], m.layer(s.prefix, s.axis, i))
			}
		}
		notes = append(notes, fmt.Sprintf("the %d layers under %s are stacked%s, as Flax's nn.scan keeps them; they were taken apart", s.layers, escape.Printable(s.prefix+s.members[0].before), []string{"", " along the second axis"}[s.axis]))
	}
	if len(taken) == 0 {
		return nil
	}
	var all []*tensor.Tensor
	for _, t := range op.c.tensors {
		if layers, ok := taken[t]; ok {
			all = append(all, layers...)
		} else {
			all = append(all, t)
		}
	}
	if _, twice := names(nil).with(all); twice != nil {
		return nil // some layers stand apart already
	}
	op.c.Warnings = append(op.c.Warnings, notes...)
	op.c.setTensors(all)
	return nil
}

// layer views one layer's parameter.
func (m member) layer(prefix string, axis int, i int64) *tensor.Tensor {
	name := prefix + m.before + strconv.FormatInt(i, 10) + m.behind
	if axis == 0 {
		x := tensor.Slice(m.t, name, i, 1)
		x.Shape = x.Shape[1:]
		return x
	}
	strides := stridesOf(m.t.Shape)
	start := i * strides[axis]
	return newStrided(m.t, name, start, slices.Delete(slices.Clone(m.t.Shape), axis, axis+1), slices.Delete(strides, axis, axis+1))
}

// stridesOf counts the values from one entry of each axis to the next.
func stridesOf(shape []int64) []int64 {
	out, n := make([]int64, len(shape)), int64(1)
	for i := len(shape) - 1; i >= 0; i-- {
		out[i], n = n, n*shape[i]
	}
	return out
}

// stacks finds the stacks among tensors, in the order of their first members, and says which of
// them were left as they are because nothing tells the axis of their layers.
func stacks(tensors []*tensor.Tensor) (out []*stack, notes []string) {
	by := map[string]*stack{}
	for _, t := range tensors {
		if prefix, m, ok := stackOf(t); ok {
			key := prefix + m.before
			if by[key] == nil {
				by[key] = &stack{prefix: prefix}
				out = append(out, by[key])
			}
			by[key].members = append(by[key].members, m)
		}
	}
	out = slices.DeleteFunc(out, func(s *stack) bool {
		first, second := s.is(0), s.is(1)
		switch {
		case first && second:
			notes = append(notes, fmt.Sprintf("the layers under %s are stacked, %d along the first axis or %d along the second: nothing tells which, and they were left as they are", escape.Printable(s.prefix+s.members[0].before), s.members[0].t.Shape[0], s.members[0].t.Shape[1]))
		case first:
			s.lieAlong(0)
		case second:
			s.lieAlong(1)
		}
		return first == second
	})
	return out, notes
}

// lieAlong settles the axis of the layers.
func (s *stack) lieAlong(axis int) { s.axis, s.layers = axis, s.members[0].t.Shape[axis] }

// stackOf takes apart a name that has the word of a stack and no number behind it.
func stackOf(t *tensor.Tensor) (prefix string, m member, ok bool) {
	if len(t.Name) > maxStackedName {
		return "", member{}, false
	}
	separator := "."
	if strings.Contains(t.Name, "/") {
		separator = "/"
	}
	words := strings.Split(t.Name, separator)
	for _, w := range stackWords {
		i := slices.IndexFunc(words, w.pattern.MatchString)
		if i < 0 || i+1 >= len(words) {
			continue
		}
		if _, err := strconv.Atoi(words[i+1]); err == nil {
			continue
		}
		prefix = strings.Join(append(slices.Clone(words[:i]), ""), separator)
		before := w.pattern.ReplaceAllString(words[i], strings.ReplaceAll(w.number, "SEPARATOR", separator))
		return prefix, member{t, before, separator + strings.Join(words[i+1:], separator)}, true
	}
	return "", member{}, false
}

// ranks are the axes that a layer's parameter has at least, by the last word of its name: those of
// Flax's modules, and of the einsums of big_vision's Gemma and the experts of MaxText, which have no
// module of their own.
var ranks = map[string]int{
	"kernel": 2, "scale": 1, "bias": 1,
	"w": 3, "gating_einsum": 3, "linear": 2,
	"wi_0": 3, "wi_1": 3, "wo": 3,
}

// lastWord is a name from its last separator on.
func lastWord(name string) string { return name[strings.LastIndexAny(name, "./")+1:] }

// is tells a stack from the one layer that such names could be, too: every parameter counts the same
// number of layers along the axis, and has one axis more than its kind has in a layer.
func (s *stack) is(axis int) bool {
	kernels, vectors := 0, 0
	for _, m := range s.members {
		t, rank := m.t, ranks[lastWord(m.behind)]
		if rank == 0 || len(t.Shape) <= rank {
			return false
		}
		n := s.members[0].t.Shape[axis]
		if t.Shape[axis] != n || n < 1 || n > maxStackedLayers {
			return false
		}
		if rank > 1 {
			kernels++
		} else {
			vectors++
		}
	}
	return kernels > 0 && vectors > 0
}
