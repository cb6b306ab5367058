package onnx

import (
	"regexp"
	"strings"
)

// Exporters that transpose or fold a weight lose its name. It is found again
// from where the weight is used: the bias that is added to the product, the
// module that the exporter noted, or the path that is the node's name.

// anonymous matches names that exporters make up.
var anonymous = regexp.MustCompile(`^(onnx::|/|\d+$|_?val_\d+|_v_\d+$|const(ant)?_|Constant|node_|t_\d+$|fused |p2o\.)|_output_\d+$|\.MatMul\.weight$`)

// suffixes are what quantisers put behind the name of a weight.
var suffixes = []string{"_quantized", "_quant", "_Q4G32", "_Q4", "_Q8", "_Q2", "_q4", "_DQ_Q4", ".qweight"}

// plainName takes a quantiser's suffix off.
func plainName(name string) string {
	for _, s := range suffixes {
		if short, ok := strings.CutSuffix(name, s); ok && short != "" {
			if s == ".qweight" {
				return short + ".weight"
			}
			return short
		}
	}
	return name
}

// scoped is a parameter of the module that a node is of.
func (u use) scoped(parameter string) string {
	m := u.module()
	if m == "" {
		return ""
	}
	return m + "." + parameter
}

// module is the module that a node is of: as torch's exporter notes it, else
// by the node's name.
func (u use) module() string {
	if m := scopeModule(u.n.scopes); m != "" {
		return m
	}
	return pathModule(u.n.name)
}

// scopeModule reads a list of scopes as Python writes it: from the model
// inwards, the last but one is the module of the operator.
func scopeModule(list string) string {
	parts := strings.Split(strings.Trim(list, "[]"), ",")
	if len(parts) < 2 {
		return ""
	}
	return strings.Trim(strings.TrimSpace(parts[len(parts)-2]), `'"`)
}

// pathModule reads a node's name such as /model/layers.0/mlp/up_proj/MatMul. A
// part that begins with the one before it replaces it: containers repeat their
// own name before the number of the member.
func pathModule(name string) string {
	path, ok := strings.CutPrefix(name, "/")
	if !ok {
		return ""
	}
	parts := strings.Split(path, "/")
	var out []string
	for _, p := range parts[:len(parts)-1] {
		if k := len(out) - 1; k >= 0 && strings.HasPrefix(p, out[k]+".") {
			out = out[:k]
		}
		out = append(out, p)
	}
	return strings.Join(out, ".")
}
