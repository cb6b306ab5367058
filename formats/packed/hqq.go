package packed

import (
	"fmt"

	"github.com/weightprint/weightprint/formats/tensor"
)

// hqqEndings are those of HQQ's state dicts (hqq/core/quantize.py).
const hqqEndings = ".W_q .scale .zero .shape .nbits .group_size .axis .packing .unpack_view_dtype .view_as_float .compute_dtype .offload_meta .encoded_state_dict .stores_quant_config .channel_wise .optimize .round_zero .quant_scale .quant_zero"

// openHQQ reads HQQ: (q − zero)·scale. Groups are rows of a table of their own
// (axis 1), or its columns (axis 0); the table is cut into as many parts as a
// byte holds codes, the first part in the highest bits.
func openHQQ(m *module) *tensor.Tensor {
	bits := int64(m.floats(m.part(".nbits", anyRank, tensor.I32, tensor.I64), ".nbits", 1)[0])
	if bits == 3 {
		m.fail(tensor.ErrUnsupported, ".W_q", "HQQ of 3 bits is not read")
	}
	w, scale, zero := m.part(".W_q", 2, tensor.U8), m.part(".scale", 2, scaleTypes...), m.part(".zero", 2, scaleTypes...)
	shape := m.floats(m.part(".shape", 1, tensor.I64), ".shape", 2)
	axis := int64(m.floats(m.part(".axis", anyRank, tensor.I32, tensor.I64), ".axis", 1)[0])
	m.ignore(".group_size", ".packing", ".unpack_view_dtype", ".view_as_float", ".compute_dtype", ".offload_meta", ".encoded_state_dict", ".stores_quant_config", ".channel_wise", ".optimize", ".round_zero", ".quant_scale", ".quant_zero")
	m.require(m.err != nil || bits == 1 || bits == 2 || bits == 4 || bits == 8, ".nbits", "%d bits", bits)
	m.require(m.err != nil || axis == 0 || axis == 1, ".axis", "axis %d", axis)
	m.require(m.err != nil || shape[0] >= 1 && shape[1] >= 1 && shape[0] < 1<<24 && shape[1] < 1<<24, ".shape", "shape %v", shape)
	if m.err != nil {
		return nil
	}
	rows, cols := w.Shape[0]*(8/bits), w.Shape[1]
	m.require(rows*cols == int64(shape[0])*int64(shape[1]), ".shape", "%v, but %d × %d codes", shape, rows, cols)
	x := &matrix{
		rows: rows, cols: cols, codes: &planeCodes{t: w, rows: w.Shape[0], cols: cols, bits: int(bits), highFirst: true},
		book: integers(int(bits), 0), slack: slackOf(scale.DType),
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
