package onnx

import (
	"fmt"
	"io"
	"regexp"

	"github.com/weightprint/weightprint/formats/tensor"
)

// LSTM, GRU and RNN keep the weights of both directions in one tensor, the
// gates in an order of their own: W is directions × gates·hidden × inputs, R
// directions × gates·hidden × hidden, B directions × 2·gates·hidden with the
// biases of inputs and of the hidden state one behind the other. Modules keep
// them apart and in another order, and are given so: weight_ih_l0,
// weight_hh_l0, bias_ih_l0, bias_hh_l0, and the same with _reverse.

// gates gives, for each gate of a module, its place in ONNX.
var gates = map[string][]int64{
	"LSTM": {0, 2, 3, 1}, // i f g o, stored as i o f c
	"GRU":  {1, 0, 2},    // r z n, stored as z r h
	"RNN":  {0},
}

// parts are the parameters that an input of the operator holds, one behind the
// other.
var parts = map[int][]string{1: {"weight_ih"}, 2: {"weight_hh"}, 3: {"bias_ih", "bias_hh"}}

// layerNumber is what exporters put behind an operator's name from the second
// layer on.
var layerNumber = regexp.MustCompile(`_(\d+)$`)

// recurrent lists the weights of a recurrent operator. It reports false where
// the constant is no such weight, or has a name of its own.
func (f *finder) recurrent(v *values, x *value) (ok bool, err error) {
	c := x.c
	if !anonymous.MatchString(c.name) || c.elem.bits < 8 || !c.floating() {
		return false, nil
	}
	ends := x.ends([]string{"Identity", "Cast", "Expand"})
	if len(ends) != 1 {
		return false, nil
	}
	u := ends[0]
	if gates[u.n.op] != nil && u.input >= 5 { // what the state begins with
		f.file.Constants++
		return true, nil
	}
	order, names := gates[u.n.op], parts[u.input]
	module := u.module()
	if order == nil || names == nil || module == "" || len(c.dims) < 2 || c.dims[0] > 2 || c.dims[1]%int64(len(order)*len(names)) != 0 {
		return false, nil
	}
	layer := "0"
	if m := layerNumber.FindStringSubmatch(u.n.name); m != nil {
		layer = m[1]
	}
	if err := f.at.locate(c); err != nil {
		return false, err
	}
	row := c.elem.bytes(c.elements()) / (c.dims[0] * c.dims[1]) // bytes
	per := c.dims[1] / int64(len(names))
	for d := range c.dims[0] {
		for i, name := range names {
			suffix := [2]string{"", "_reverse"}[d]
			full := fmt.Sprintf("%s.%s_l%s%s", module, name, layer, suffix)
			g := &gated{r: c.values, base: c.values.off + (d*c.dims[1]+int64(i)*per)*row, gate: per / int64(len(order)) * row, order: order}
			shape := append([]int64{per}, c.dims[2:]...)
			s := &tensor.Stored{File: c.values.file, Name: full, R: g, Bytes: per * row, DType: c.elem.dtype}
			t := &tensor.Tensor{Name: f.free(f.within(v, full), v), DType: c.elem.dtype, Shape: shape, Data: s}
			if err := f.add(t, x); err != nil {
				return true, err
			}
			f.order[t.Name] = u.n.order*placesOfNode + 8*int(d) + u.input + i
		}
	}
	return true, nil
}

// gated reads gates in another order than they are stored in.
type gated struct {
	r     io.ReaderAt
	base  int64
	gate  int64 // bytes of a gate
	order []int64
}

func (g *gated) ReadAt(p []byte, off int64) (int, error) {
	done := 0
	for done < len(p) {
		at := off + int64(done)
		if at >= g.gate*int64(len(g.order)) {
			return done, io.EOF
		}
		i, within := at/g.gate, at%g.gate
		part := p[done:min(len(p), done+int(g.gate-within))]
		if n, err := g.r.ReadAt(part, g.base+g.order[i]*g.gate+within); n < len(part) {
			return done + n, err
		}
		done += len(part)
	}
	return done, nil
}
