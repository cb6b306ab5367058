package packed

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// hqqEndings are those of HQQ's state dicts (hqq/core/quantize.py).
const hqqEndings = ".W_q .scale .zero .shape .nbits .group_size .axis .packing .unpack_view_dtype .view_as_float .compute_dtype .offload_meta .encoded_state_dict .stores_quant_config .channel_wise .optimize .round_zero .quant_scale .quant_zero"

// openHQQ reads HQQ: (q − zero)·scale. Groups are rows of a table of their own
// (axis 1), or its columns (axis 0); the table is cut into as many parts as a
// byte holds codes, the first part in the highest bits. Of 3 bits words of 32
// hold ten, the last part perhaps longer than the table; 5 and 6 bits take bytes.
func openHQQ(m *module) *tensor.Tensor {
	bits := int64(m.floats(m.part(".nbits", anyRank, tensor.I32, tensor.I64), ".nbits", 1)[0])
	stored, width, word := bits, int64(1), tensor.U8
	switch bits {
	case 3:
		width, word = 4, tensor.I32
	case 5, 6:
		stored = 8
	}
	w, scale, zero := m.part(".W_q", 2, word), m.part(".scale", 2, scaleTypes...), m.part(".zero", 2, scaleTypes...)
	shape := m.floats(m.part(".shape", 1, tensor.I64), ".shape", 2)
	axis := int64(m.floats(m.part(".axis", anyRank, tensor.I32, tensor.I64), ".axis", 1)[0])
	m.ignore(".group_size", ".packing", ".unpack_view_dtype", ".view_as_float", ".compute_dtype", ".offload_meta", ".encoded_state_dict", ".stores_quant_config", ".channel_wise", ".optimize", ".round_zero", ".quant_scale", ".quant_zero")
	m.require(m.err != nil || bits >= 1 && bits <= 8 && bits != 7, ".nbits", "%d bits", bits)
	m.require(m.err != nil || axis == 0 || axis == 1, ".axis", "axis %d", axis)
	m.require(m.err != nil || shape[0] >= 1 && shape[1] >= 1 && shape[0] < 1<<24 && shape[1] < 1<<24, ".shape", "shape %v", shape)
	if m.err != nil {
		return nil
	}
	codes := &planeCodes{t: w, rows: w.Shape[0], cols: w.Shape[1], width: width, bits: int(stored), highFirst: true}
	values, cols := int64(shape[0])*int64(shape[1]), w.Shape[1]
	rows := values / cols
	m.require(values == rows*cols && (rows-1)/codes.planes()+1 == w.Shape[0] && (bits == 3 || rows%codes.planes() == 0), ".shape", "%v, but %d × %d codes", shape, w.Shape[0]*codes.planes(), cols)
	x := &matrix{
		rows: rows, cols: cols, codes: codes, book: integers(int(stored), 0), slack: slackOf(scale.DType),
	}
	if axis == 1 {
		m.shape(scale, ".scale", rows, 1)
		m.shape(zero, ".zero", rows, 1)
		x.what, x.groups = fmt.Sprintf("HQQ %d bits, groups of %d", bits, cols), inOrder(cols, 1)
		x.scale, x.zero = &table{t: scale, groups: 1, blockRows: 1}, &table{t: zero, groups: 1, blockRows: 1}
	} else {
		m.shape(scale, ".scale", 1, cols)
		m.shape(zero, ".zero", 1, cols)
		x.what, x.groups = fmt.Sprintf("HQQ %d bits, groups of %d across rows", bits, rows), inOrder(1, cols)
		x.scale, x.zero = &table{t: scale, groups: cols, blockRows: rows}, &table{t: zero, groups: cols, blockRows: rows}
	}
	return m.finish(x, m.stem+".weight", tensor.PackedInt(int(bits)), int64(shape[0]), int64(shape[1]))
}
