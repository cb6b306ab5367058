package pipeline

import (
	"regexp"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
)

// rule says how tensors of one kind are called in a folder of diffusers, and how
// they are cut.
type rule struct {
	from string // of a name without the component's prefix: a pattern for all of it
	to   string // the new names, "$1" for what the groups matched; "" drops the tensor
	how  cut    // nil where the tensor stays whole

	pattern func() *regexp.Regexp // compiled when it is first asked for: few programs read such files
}

// cut makes the tensors of the given names out of one. It returns nil where the
// tensor has not the shape for it.
type cut func(t *tensor.Tensor, names []string, width int64) []*tensor.Tensor

// compiled prepares a table of rules. Its patterns are compiled when a name is first
// held against them.
func compiled(rules []rule) []rule {
	for i := range rules {
		rules[i].pattern = pattern(`^(?:` + rules[i].from + `)$`)
	}
	return rules
}

// pattern compiles an expression when it is first asked for.
func pattern(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// apply finds the rule for a name. ok is false where there is none: the tensor
// keeps its name.
func apply(rules []rule, name string) (names []string, how cut, ok bool) {
	for i := range rules {
		r := &rules[i]
		m := r.pattern().FindStringSubmatchIndex(name)
		if m == nil {
			continue
		}
		for _, to := range strings.Fields(r.to) {
			names = append(names, string(r.pattern().ExpandString(nil, to, name, m)))
		}
		return names, r.how, true
	}
	return nil, nil, false
}

// evenly cuts the first dimension into equal parts.
func evenly(t *tensor.Tensor, names []string, _ int64) []*tensor.Tensor {
	n := int64(len(names))
	if len(t.Shape) == 0 || t.Shape[0]%n != 0 {
		return nil
	}
	var out []*tensor.Tensor
	for i, name := range names {
		out = append(out, tensor.Slice(t, name, int64(i)*(t.Shape[0]/n), t.Shape[0]/n))
	}
	return out
}

// byWidth cuts off parts as wide as the residual stream; the last name gets the
// rest.
func byWidth(t *tensor.Tensor, names []string, width int64) []*tensor.Tensor {
	last := int64(len(names)-1) * width
	if len(t.Shape) == 0 || width <= 0 || t.Shape[0] <= last {
		return nil
	}
	var out []*tensor.Tensor
	for i, name := range names[:len(names)-1] {
		out = append(out, tensor.Slice(t, name, int64(i)*width, width))
	}
	return append(out, tensor.Slice(t, names[len(names)-1], last, t.Shape[0]-last))
}

// exchange lets the two halves change places: these files keep shift before scale,
// diffusers scale before shift.
func exchange(t *tensor.Tensor, names []string, _ int64) []*tensor.Tensor {
	if len(t.Shape) == 0 || t.Shape[0]%2 != 0 {
		return nil
	}
	return []*tensor.Tensor{swapped(t, names[0])}
}

// turn exchanges the axes of a matrix.
func turn(t *tensor.Tensor, names []string, _ int64) []*tensor.Tensor {
	if len(t.Shape) != 2 {
		return nil
	}
	return []*tensor.Tensor{transposed(t, names[0])}
}

// flatten drops the window of a convolution of one pixel.
func flatten(t *tensor.Tensor, names []string, _ int64) []*tensor.Tensor {
	if n := len(t.Shape); n == 4 && t.Shape[2] == 1 && t.Shape[3] == 1 {
		return []*tensor.Tensor{{Name: names[0], DType: t.DType, Shape: t.Shape[:2:2], Data: t.Data}}
	}
	return whole(t, names, 0)
}

// whole gives the tensor another name.
func whole(t *tensor.Tensor, names []string, _ int64) []*tensor.Tensor {
	c := *t
	c.Name = names[0]
	return []*tensor.Tensor{&c}
}

// exchangeOfTwo lets the halves change places where there are just two parts of the
// width of the residual stream.
func exchangeOfTwo(t *tensor.Tensor, names []string, width int64) []*tensor.Tensor {
	if len(t.Shape) > 0 && t.Shape[0] == 2*width {
		return exchange(t, names, width)
	}
	return whole(t, names, width)
}
