package packed

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

const quantoEndings = ".weight._data .weight._data._data .weight._scale .weight._shift .input_scale .output_scale"

func isQuanto(m *module) bool {
	return m.has(".weight._scale") && (m.has(".weight._data") || m.has(".weight._data._data"))
}

// openQuanto reads optimum-quanto: scale·q for 8 bits, scale·q − shift for
// packed codes (quanto/tensor/weights). Codes in groups do not say what shape
// they have and are refused.
func openQuanto(m *module) *tensor.Tensor {
	m.ignore(".input_scale", ".output_scale")
	if m.has(".weight._data._data") {
		return m.quantoBits()
	}
	w, s := m.part(".weight._data", 2, tensor.I8, tensor.F8E4M3, tensor.F8E5M2), m.part(".weight._scale", anyRank, scaleTypes...)
	if m.err != nil {
		return nil
	}
	rows, cols := w.Shape[0], w.Shape[1]
	g := m.blocks(s, rows, cols, ".weight._scale")
	kind, dtype := "FP8", tensor.Named("FP8")
	if w.DType == tensor.I8 {
		kind, dtype = "INT8", tensor.PackedInt(8)
	}
	x := &matrix{
		what: fmt.Sprintf("quanto %s scaled %s", kind, g.what), rows: rows, cols: cols,
		codes: &rowCodes{t: w, rowBytes: cols, bits: 8}, book: scaledBooks[w.DType],
		scale: &table{t: s, groups: g.groups, blockRows: g.rows}, groups: inOrder(g.cols, g.groups), slack: slackOf(s.DType),
	}
	return m.finish(x, m.stem+".weight", dtype, rows, cols)
}

// quantoGroups are the sizes of groups in use, which rows that are no groups
// seldom have.
var quantoGroups = []int64{32, 64, 128}

// quantoBits reads codes of 2 or 4 bits with a scale and a shift for each row.
func (m *module) quantoBits() *tensor.Tensor {
	const data = ".weight._data._data"
	w, s, z := m.part(data, 2, tensor.U8), m.part(".weight._scale", 2, scaleTypes...), m.part(".weight._shift", 2, scaleTypes...)
	if m.err != nil {
		return nil
	}
	rows, cols, bytes := s.Shape[0], w.Shape[1], w.Shape[0]
	m.shape(s, ".weight._scale", rows, 1)
	m.shape(z, ".weight._shift", rows, 1)
	bits := int64(0)
	for _, n := range []int64{4, 2} {
		if (rows*n+7)/8 == bytes {
			bits = n
		}
	}
	m.require(m.err != nil || bits > 0, data, "%d rows of bytes for %d of codes", bytes, rows)
	bias, known := m.out.stored.Tensor(m.stem + ".bias")
	if known && bias.Len() != rows || !known && slices.Contains(quantoGroups, cols) {
		m.fail(tensor.ErrUnsupported, data, "quanto's codes in groups are not read: the file does not say which shape they have")
	}
	if m.err != nil {
		return nil
	}
	x := &matrix{
		what: fmt.Sprintf("quanto %d bits by row", bits), rows: rows, cols: cols,
		codes: &planeCodes{t: w, rows: bytes, cols: cols, width: 1, bits: int(bits)}, book: integers(int(bits), 0), groups: inOrder(cols, 1),
		scale: &table{t: s, groups: 1, blockRows: 1}, slack: slackOf(s.DType),
		bias: &changed{&table{t: z, groups: 1, blockRows: 1}, func(v float32) float32 { return -v }},
	}
	return m.finish(x, m.stem+".weight", tensor.PackedInt(int(bits)), rows, cols)
}
