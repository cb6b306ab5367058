package packed

import "github.com/weightprint/weightprint/formats/tensor"

func isBitNet(m *module) bool {
	w := m.parts[".weight"]
	return m.cfg.text("quant_method") == "bitnet" && w != nil && w.DType == tensor.U8 && m.has(".weight_scale")
}

// openBitNet reads BitNet b1.58 as transformers packs it: ternary codes, four
// rows a byte, one scale. Layers of the class "autobitlinear" multiply by it,
// the others divide (transformers/integrations/bitnet.py).
func openBitNet(m *module) *tensor.Tensor {
	m.ignore(".input_scale")
	w := m.part(".weight", 2, tensor.U8)
	s := m.part(".weight_scale", anyRank, scaleTypes...)
	m.floats(s, ".weight_scale", 1)
	if m.err != nil {
		return nil
	}
	rows, cols := 4*w.Shape[0], w.Shape[1]
	var scale grid = &table{t: s, groups: 1, blockRows: rows}
	if m.cfg.text("linear_class") != "autobitlinear" {
		scale = &changed{scale, func(v float32) float32 { return 1 / v }}
	}
	x := &matrix{
		what: "BitNet, ternary", rows: rows, cols: cols,
		codes: &planeCodes{t: w, rows: w.Shape[0], cols: cols, width: 1, bits: 2}, book: integers(2, 1), groups: inOrder(cols, 1),
		scale: scale, slack: slackOf(s.DType),
	}
	return m.finish(x, m.stem+".weight", tensor.PackedInt(2), rows, cols)
}
