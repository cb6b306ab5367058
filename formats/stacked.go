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

// Flax's nn.scan keeps one parameter of all layers in one tensor, whose first axis counts the layers.
// Such a stack is read layer by layer, under the names that the same layers have apart.

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
	if !slices.ContainsFunc(op.c.tensors, func(t *tensor.Tensor) bool { return strings.HasSuffix(t.Name, "kernel") }) {
		return nil
	}
	found := stacks(op.c.tensors)
	taken := map[*tensor.Tensor][]*tensor.Tensor{}
	total := len(op.c.tensors)
	var notes []string
	for _, s := range found {
		if total += len(s.members) * int(s.layers); total > maxUnstacked {
			return nil
		}
		for _, m := range s.members {
			for i := range s.layers {
				taken[m.t] = append(taken[m.t], m.layer(s.prefix, i))
			}
		}
		notes = append(notes, fmt.Sprintf("the %d layers under %s are stacked, as Flax's nn.scan keeps them; they were taken apart", s.layers, escape.Printable(s.prefix+s.members[0].before)))
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
func (m member) layer(prefix string, i int64) *tensor.Tensor {
	x := tensor.Slice(m.t, prefix+m.before+strconv.FormatInt(i, 10)+m.behind, i, 1)
	x.Shape = x.Shape[1:]
	return x
}

// stacks finds the stacks among tensors, in the order of their first members.
func stacks(tensors []*tensor.Tensor) (out []*stack) {
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
	out = slices.DeleteFunc(out, func(s *stack) bool { return !s.is() })
	return out
}

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

// is tells a stack from the one layer that such names could be, too: every parameter counts the same
// number of layers first, and has one axis more than its kind has in a layer.
func (s *stack) is() bool {
	kernels, vectors := 0, 0
	for _, m := range s.members {
		t := m.t
		if len(t.Shape) == 0 {
			return false
		}
		if s.layers = s.members[0].t.Shape[0]; t.Shape[0] != s.layers || s.layers < 1 || s.layers > maxStackedLayers {
			return false
		}
		leaf := m.behind[strings.LastIndexAny(m.behind, "./")+1:]
		switch {
		case leaf == "kernel" && len(t.Shape) > 2:
			kernels++
		case (leaf == "scale" || leaf == "bias") && len(t.Shape) > 1:
			vectors++
		default:
			return false
		}
	}
	return kernels > 0 && vectors > 0
}
