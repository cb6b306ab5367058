package onnx

import (
	"slices"
	"strings"
)

// place is what the use of a weight tells of it.
type place struct {
	name    string // of the tensor as the module has it; "" if unknown
	swapped bool   // it lies inputs × outputs
}

// products are operators of a matrix: the input that is the weight, the input
// that is the bias.
var products = map[string]struct{ weight, bias int }{
	"MatMul": {1, -1}, "FusedMatMul": {1, -1}, "Gemm": {1, 2}, "FusedGemm": {1, 2}, "Conv": {1, 2}, "FusedConv": {1, 2}, "ConvTranspose": {1, 2},
	"MatMulInteger": {1, -1}, "ConvInteger": {1, -1}, "QLinearMatMul": {3, -1}, "QLinearConv": {3, 8}, "QGemm": {3, 6},
	"MatMulIntegerToFloat": {1, 6}, "DynamicQuantizeMatMul": {1, 4}, "MatMulNBits": {1, 5},
}

// norms are operators whose inputs are gains, shifts and statistics.
var norms = map[string][]string{
	"LayerNormalization": {"", "weight", "bias"}, "SkipLayerNormalization": {"", "", "weight", "bias"}, "SimplifiedLayerNormalization": {"", "weight"},
	"SkipSimplifiedLayerNormalization": {"", "", "weight"}, "RMSNormalization": {"", "weight"}, "InstanceNormalization": {"", "weight", "bias"}, "GroupNormalization": {"", "weight", "bias"},
	"BatchNormalization": {"", "weight", "bias", "running_mean", "running_var"}, "PRelu": {"", "weight"}, "Gather": {"weight"},
}

// between are operators that stand between a stored weight and its use.
var between = []string{"Identity", "Cast", "DequantizeLinear", "QuantizeLinear"}

// after are operators that stand between a product and the bias added to it.
var after = []string{"Identity", "Cast", "Mul", "QuantizeLinear", "DequantizeLinear"}

// find tells from a constant's uses which weight it is. Uses that disagree
// tell nothing.
func (x *value) place(rank int) place {
	var found place
	for i, u := range x.ends(between) {
		p := u.place(rank)
		if i > 0 && p.swapped != found.swapped {
			return place{}
		}
		if i == 0 {
			found = p
		}
	}
	return found
}

func (u use) place(rank int) place {
	op := u.n.op
	if p, ok := products[op]; ok {
		switch u.input {
		case p.weight:
			return place{u.weightName(), rank == 2 && u.swapped()}
		case p.bias:
			return place{u.scoped("bias"), false}
		}
	}
	if names, ok := norms[op]; ok && u.input < len(names) && names[u.input] != "" {
		return place{u.scoped(names[u.input]), false}
	}
	if op == "Add" && rank == 1 {
		return place{u.biasName(), false}
	}
	return place{}
}

// swapped tells whether the weight of a product lies inputs × outputs.
func (u use) swapped() bool {
	switch {
	case u.n.op == "MatMulNBits" || strings.Contains(u.n.op, "Conv"):
		return false
	}
	return u.n.int("transB", 0) == 0
}

// weightName is the name of a product's weight: that of the bias added to it,
// else that of the module.
func (u use) weightName() string {
	if b := u.bias(); b != "" {
		return strings.TrimSuffix(b, "bias") + "weight"
	}
	if name := u.scoped("weight"); name != "" {
		return name
	}
	return u.siblingName()
}

// trios are the products that attention makes of one input, in order.
var trios = [][3]string{{"q_proj", "k_proj", "v_proj"}, {"query", "key", "value"}, {"q_lin", "k_lin", "v_lin"}, {"to_q", "to_k", "to_v"}, {"q", "k", "v"}}

// siblingName is the name of a product's weight that the names of the other
// two of attention leave: keys often have no bias.
func (u use) siblingName() string {
	if len(u.n.in) == 0 {
		return ""
	}
	x := u.in.find(u.n.in[0])
	if x == nil {
		return ""
	}
	var modules []string
	for _, v := range x.ends(between[:2]) {
		if p, ok := products[v.n.op]; !ok || v.n == u.n || v.input == p.weight {
			continue
		}
		if b := v.bias(); b != "" {
			modules = append(modules, strings.TrimSuffix(b, ".bias"))
		}
	}
	if len(modules) != 2 {
		return ""
	}
	for _, trio := range trios {
		for i, missing := range trio {
			a, okA := strings.CutSuffix(modules[0], "."+trio[(i+1)%3])
			b, okB := strings.CutSuffix(modules[1], "."+trio[(i+2)%3])
			if !okA || !okB {
				a, okA = strings.CutSuffix(modules[0], "."+trio[(i+2)%3])
				b, okB = strings.CutSuffix(modules[1], "."+trio[(i+1)%3])
			}
			if okA && okB && a == b {
				return a + "." + missing + ".weight"
			}
		}
	}
	return ""
}

// bias is the name of the bias of a product, if it has one of the model's own.
func (u use) bias() string {
	n, input := u.n, products[u.n.op].bias
	if input < 0 {
		add, ok := u.in.then(u.n, after, "Add")
		if !ok || len(add.n.in) != 2 {
			return ""
		}
		n, input = add.n, 1-add.input
	}
	if input >= len(n.in) {
		return ""
	}
	name := n.in[input]
	for range maxHops { // a bias may be stored quantised
		x := u.in.find(name)
		if x == nil || x.by == nil || len(x.by.in) == 0 {
			break
		}
		name = x.by.in[0]
	}
	if x := u.in.find(name); x == nil || x.c == nil {
		return ""
	}
	name = plainName(name)
	if anonymous.MatchString(name) || !strings.HasSuffix(name, "bias") {
		return ""
	}
	return name
}

// biasName is the name of what is added to a product.
func (u use) biasName() string {
	if n := u.product(); n != nil {
		return use{n, 0, u.in}.scoped("bias")
	}
	return ""
}

// product is the product that an input of an addition is added to, or nil.
func (u use) product() *node {
	if u.n.op != "Add" || len(u.n.in) != 2 {
		return nil
	}
	x := u.in.find(u.n.in[1-u.input&1])
	for range maxHops {
		if x == nil || x.by == nil || len(x.by.in) == 0 {
			return nil
		}
		if _, ok := products[x.by.op]; ok {
			return x.by
		}
		if !slices.Contains(after, x.by.op) {
			return nil
		}
		x = u.in.find(x.by.in[0])
	}
	return nil
}
