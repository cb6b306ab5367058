package onnx

// linear is how an operator scales the codes of a weight: which inputs are
// the codes, the scale and the zero-point, and along which axis there are
// several of them. Sources: the operators' reference of onnx, and
// ContribOperators.md of ONNX Runtime.
type linear struct {
	codes, scale, zero int
	axis               int
}

// lastAxis stands for the outputs of a matrix that lies inputs × outputs.
const lastAxis = -1

var linears = map[string][]linear{
	"DequantizeLinear":         {{0, 1, 2, 1}},
	"QLinearConv":              {{3, 4, 5, 0}},
	"QLinearMatMul":            {{3, 4, 5, lastAxis}, {0, 1, 2, lastAxis}},
	"QGemm":                    {{3, 4, 5, lastAxis}},
	"MatMulIntegerToFloat":     {{1, 3, 5, lastAxis}},
	"DynamicQuantizeMatMul":    {{1, 2, 3, lastAxis}},
	"QAttention":               {{1, 4, 7, lastAxis}},
	"DynamicQuantizeLSTM":      {{1, 8, 9, lastAxis}, {2, 10, 11, lastAxis}},
	"QEmbedLayerNormalization": {{2, 8, 13, lastAxis}, {3, 9, 14, lastAxis}, {4, 10, 15, lastAxis}, {5, 11, 16, lastAxis}, {6, 12, 17, lastAxis}},
	"QLinearAdd":               {{3, 4, 5, lastAxis}, {0, 1, 2, lastAxis}},
	"QLinearMul":               {{3, 4, 5, lastAxis}, {0, 1, 2, lastAxis}},
	"QuantizeLinear":           {{-1, 1, 2, 0}},
	"MatMulInteger":            {{1, -1, 3, lastAxis}},
	"ConvInteger":              {{1, -1, 3, 0}},
	"QLinearLeakyRelu":         {{-1, 1, 2, 0}, {-1, 3, 4, 0}},
	"QLinearSigmoid":           {{-1, 1, 2, 0}, {-1, 3, 4, 0}},
	"QLinearSoftmax":           {{-1, 1, 2, 0}, {-1, 3, 4, 0}},
	"QLinearAveragePool":       {{-1, 1, 2, 0}, {-1, 3, 4, 0}},
	"QLinearGlobalAveragePool": {{-1, 1, 2, 0}, {-1, 3, 4, 0}},
}

// biases are the inputs of operators on integers that hold a bias as INT32. Its
// scale is the product of those of the input and of the weight.
var biases = map[string]struct{ codes, input, weight int }{"QLinearConv": {8, 1, 4}, "QGemm": {6, 1, 4}}

// answers are the further scales of operators that quantise what they give.
var answers = map[string][]int{"QLinearConv": {1, 2, 6, 7}, "QLinearMatMul": {6, 7}, "QGemm": {1, 2, 7, 8}, "QLinearAdd": {6, 7}, "QLinearMul": {6, 7}, "QAttention": {3, 6}, "MatMulIntegerToFloat": {2, 4}}

// auxiliary tells whether an input is a scale or a zero-point.
func (u use) auxiliary() bool {
	for _, l := range linears[u.n.op] {
		if u.input == l.scale || u.input == l.zero {
			return true
		}
	}
	for _, i := range answers[u.n.op] {
		if u.input == i {
			return true
		}
	}
	switch u.n.op {
	case "MatMulNBits":
		return u.input >= 2 && u.input <= 4
	case "GatherBlockQuantized":
		return u.input >= 2
	case "ConvInteger", "MatMulInteger":
		return u.input == 2
	}
	return false
}

// scales are the constants that make numbers of codes.
type scales struct {
	scale, zero *constant
	times       *constant // a further factor of the scale, one number; nil if none
	axis        int       // of which each has a scale, where there are several; -1: the last
	directions  bool      // the first axis, of directions, has scales of its own: with those of axis, or alone
	block       int64     // how many along the axis share one, where the other axes are apart; 0: a scale for each of the axis
}

// scalesOf finds how a constant's codes are scaled, where it is used.
func (f *finder) scalesOf(x *value) (s scales, ok bool) {
	for _, u := range x.ends([]string{"Identity"}) {
		if s, ok := f.scaledBy(x, u); ok {
			return s, true
		}
	}
	return s, false
}

func (f *finder) scaledBy(x *value, u use) (s scales, ok bool) {
	if b, is := biases[u.n.op]; is && u.input == b.codes {
		s = scales{scale: u.in.constant(u.n, b.weight), times: u.in.constant(u.n, b.input), axis: 0}
		return s, s.scale != nil && s.times != nil && s.times.single()
	}
	for _, l := range linears[u.n.op] {
		if u.input != l.codes {
			continue
		}
		s = scales{zero: u.in.constant(u.n, l.zero), axis: l.axis}
		if l.scale >= 0 {
			s.scale = u.in.constant(u.n, l.scale)
		} else {
			s.scale = u.laterScale(x)
		}
		if u.n.op == "DequantizeLinear" {
			s.axis = int(u.n.int("axis", 1))
			s.block = max(0, u.n.int("block_size", 0))
		}
		s.directions = u.n.op == "DynamicQuantizeLSTM"
		if u.n.op == "QGemm" && u.n.int("transB", 0) != 0 {
			s.axis = 0
		}
		zeroed := l.zero < 0 || l.zero >= len(u.n.in) || u.n.in[l.zero] == "" || s.zero != nil
		return s, s.scale != nil && zeroed
	}
	switch u.n.op {
	case "Gather", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Flatten", "Slice": // the numbers are chosen first and scaled then, all alike
		if u.input != 0 {
			return s, false
		}
		d, ok := u.in.then(u.n, passing, "DequantizeLinear")
		if !ok || d.input != 0 {
			return s, false
		}
		s = scales{scale: d.in.constant(d.n, 1), zero: d.in.constant(d.n, 2), axis: -1}
		return s, s.scale != nil && s.scale.single() && (len(d.n.in) < 3 || s.zero != nil)
	}
	return s, false
}

// laterScale is the scale of the weight of an integer product. It is
// multiplied by that of the other factor, and then into the product.
func (u use) laterScale(x *value) *constant {
	mul, ok := u.in.then(u.n, []string{"Cast", "Identity", "Reshape"}, "Mul")
	if ok && len(mul.n.in) == 2 {
		if c := mul.in.constant(mul.n, 1-mul.input); c != nil && c.floating() {
			return c
		}
		if y := mul.in.find(mul.n.in[1-mul.input]); y != nil && y.by != nil && y.by.op == "Mul" {
			for i := range y.by.in {
				if c := mul.in.constant(y.by, i); c != nil && c.floating() {
					return c
				}
			}
		}
	}
	// Quantisers name it so, also where other operators stand between.
	if y := u.in.find(plainName(x.name) + "_scale"); y != nil && y.c != nil && y.c.floating() {
		return y.c
	}
	return nil
}
