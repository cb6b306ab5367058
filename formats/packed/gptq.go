package packed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// scaleTypes are the types that scales are stored in.
var scaleTypes = []tensor.DType{tensor.F16, tensor.BF16, tensor.F32}

// slackOf is the relative error of rounding a scale to its type, where the
// comparison of lattices does not allow for it anyway.
func slackOf(t tensor.DType) float32 {
	if t == tensor.BF16 {
		return 1.0 / (1 << 9)
	}
	return 0
}

// triple fetches the three tensors that GPTQ and AWQ share.
func (m *module) triple() (w, z, s part) {
	return m.part(".qweight", 2, tensor.I32), m.part(".qzeros", 2, tensor.I32), m.part(".scales", 2, scaleTypes...)
}

// openGPTQ reads GPTQ's packing (GPTQModel, qlinear).
func openGPTQ(m *module) *tensor.Tensor {
	w, z, s := m.triple()
	groups, rows := s.Shape[0], s.Shape[1]
	bits := 32 * z.Shape[1] / rows
	m.require(bits*rows == 32*z.Shape[1] && slices.Contains([]int64{2, 3, 4, 8}, bits), ".qzeros", "shape %v: zero-points of 2, 3, 4 or 8 bits for %d rows expected", z.Shape, rows)
	bits = max(1, bits)
	cols := 32 * w.Shape[0] / bits
	m.require(cols*bits == 32*w.Shape[0], ".qweight", "shape %v: %d-bit codes do not fill the words", w.Shape, bits)
	m.shape(w, ".qweight", w.Shape[0], rows)
	m.shape(z, ".qzeros", groups, z.Shape[1])
	m.refuseRepacked()
	x := &matrix{
		what: fmt.Sprintf("GPTQ %d-bit", bits), rows: rows, cols: cols,
		codes: &columnCodes{t: w, columns: rows, bits: bits}, book: integers(int(min(bits, 8)), 0),
		scale: &turned{t: s, rows: rows}, zero: &packedTurned{t: z, row: 4 * z.Shape[1], bits: bits, plus: 1}, slack: slackOf(s.DType),
	}
	m.gptqGroups(x, groups)
	return m.finish(x, m.stem+".weight", tensor.PackedInt(int(bits)), rows, cols)
}

// gptqGroups finds the group of each column.
func (m *module) gptqGroups(x *matrix, count int64) {
	size, _ := m.cfg.number("group_size", "q_group_size")
	x.groups = groups{count: count}
	if m.has(".g_idx") {
		x.groups = m.indexed(x, ".g_idx", count, ".scales")
		return
	}
	if on, _ := m.cfg.flag("desc_act"); on {
		m.warn("GPTQ with act-order declared, but without g_idx: the columns were taken in order")
	}
	x.groups.size = m.groupSize(x.cols, count, ".scales", size)
	x.what += fmt.Sprintf(", groups of %d", x.groups.size)
}

// indexed is the groups of columns as an index tensor says.
func (m *module) indexed(x *matrix, ending string, count int64, scales string) groups {
	p := m.part(ending, 1, tensor.I32)
	m.shape(p, ending, x.cols)
	m.require(count <= x.cols, scales, "scales for %d groups of %d columns", count, x.cols)
	x.what += ", groups by index"
	return groups{count: count, index: &index{t: p, count: count}}
}

// repacked are layouts for one kernel that keep GPTQ's or AWQ's names.
var repacked = []string{"marlin", "bitblas", "gptq_p", "gemv", "gemv_fast", "llm-awq", "exllama", "ipex", "triton_fused"}

// refuseRepacked records a fault where the configuration names such a layout.
func (m *module) refuseRepacked() {
	for _, field := range []string{"checkpoint_format", "version", "packing_format"} {
		format := m.cfg.text(field)
		if slices.ContainsFunc(repacked, func(r string) bool { return format == r || strings.HasSuffix(format, ":"+r) }) {
			m.fail(tensor.ErrUnsupported, ".qweight", "the configuration's %s is %s: this packing is not read", field, escape.Printable(format))
		}
	}
}

// isAWQ tells AWQ from GPTQ, which has the same names, by the shapes: eight
// rows share a word.
func isAWQ(m *module) bool {
	w, s := m.parts[".qweight"], m.parts[".scales"]
	return w != nil && s != nil && len(w.Shape) == 2 && len(s.Shape) == 2 && w.Shape[1] > 0 && s.Shape[1]%8 == 0 && s.Shape[1]/8 == w.Shape[1]
}

// openAWQ reads AWQ's "gemm" packing (AutoAWQ, packing_utils.py).
func openAWQ(m *module) *tensor.Tensor {
	w, z, s := m.triple()
	cols, groups, rows := w.Shape[0], s.Shape[0], s.Shape[1]
	m.shape(z, ".qzeros", groups, w.Shape[1])
	m.refuseRepacked()
	declared, _ := m.cfg.number("group_size", "q_group_size")
	size := m.groupSize(cols, groups, ".scales", declared)
	x := &matrix{
		what: fmt.Sprintf("AWQ 4-bit, groups of %d", size), rows: rows, cols: cols,
		codes: &eightCodes{t: w, words: w.Shape[1]}, book: integers(4, 0),
		scale: &turned{t: s, rows: rows}, zero: &eightTurned{t: z, words: w.Shape[1]}, slack: slackOf(s.DType),
		groups: inOrder(size, groups),
	}
	return m.finish(x, m.stem+".weight", tensor.PackedInt(4), rows, cols)
}

// inOrder is runs of columns in order.
func inOrder(size, count int64) groups { return groups{size: max(1, size), count: count} }
