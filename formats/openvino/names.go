package openvino

import (
	"regexp"
	"slices"
	"strings"
)

// anonymous matches names that converters make up.
var anonymous = regexp.MustCompile(`^(Constant|constant|Const|onnx::|__module\.|/|\d+$|Multiply_|Transpose_|Reshape_|Add_|MatMul_)|_output_\d+$`)

// module finds the module in the name of an operation.
var module = regexp.MustCompile(`^__module\.(.+?)/aten::(\w+)/`)

// compressions are what compressing puts behind a name.
var compressions = []string{"_compressed", "/fq_weights_1", "/quantized"}

// called is the tensor's name as the module has it, where that can be told.
func (c *constant) called() string {
	name := strings.TrimPrefix(c.name, "self.")
	for _, s := range compressions {
		name = strings.TrimSuffix(name, s)
	}
	if !anonymous.MatchString(name) {
		return name
	}
	u, ok := c.last()
	for range maxHops {
		if !ok || !slices.Contains([]string{"Subtract", "Multiply", "Reshape"}, u.l.typ) || module.MatchString(u.l.name) {
			break
		}
		u, ok = u.l.last()
	}
	if !ok {
		return name
	}
	found := module.FindStringSubmatch(u.l.name)
	if found == nil {
		found = module.FindStringSubmatch(name) // a constant made of the module's own
	}
	switch {
	case found == nil:
		return name
	case u.l.typ == "Add":
		return found[1] + ".bias"
	}
	return found[1] + ".weight"
}
