package packed

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// openCompressed reads the packed formats of compressed-tensors:
// pack-quantized (integers), nvfp4-pack-quantized and mxfp4-pack-quantized.
func openCompressed(m *module) *tensor.Tensor {
	m.ignore(".input_scale", ".input_global_scale", ".input_zero_point")
	if w := m.parts[".weight_packed"]; w.DType == tensor.U8 {
		return m.compressedFloat()
	}
	return m.compressedInt()
}

// compressedFloat reads 4-bit floats with scales of E4M3 under a scale of the
// whole tensor that divides, or of powers of two.
func (m *module) compressedFloat() *tensor.Tensor {
	w := m.part(".weight_packed", 2, tensor.U8)
	rows, cols := w.Shape[0], 2*w.Shape[1]
	if m.has(".weight_global_scale") {
		s := m.part(".weight_scale", 2, tensor.F8E4M3)
		g := m.floats(m.part(".weight_global_scale", anyRank, tensor.F32), ".weight_global_scale", 1)[0]
		m.plausible(".weight_global_scale", 448*6/g)
		x := m.fours("compressed-tensors NVFP4", w, s, rows, cols, ".weight_scale", 16)
		x.scale = &changed{x.scale, func(v float32) float32 { return v / g }}
		return m.finish(x, m.stem+".weight", tensor.Named("NVFP4"), rows, cols)
	}
	s := m.part(".weight_scale", 2, tensor.U8, tensor.F8E8M0)
	if m.err != nil {
		return nil
	}
	x := m.fours("compressed-tensors MXFP4", w, s.as(tensor.F8E8M0), rows, cols, ".weight_scale", 32)
	return m.finish(x, m.stem+".weight", tensor.Named("MXFP4"), rows, cols)
}

// fours is a matrix of 4-bit floats, two in a byte, the low nibble first,
// with a scale for each group of a row.
func (m *module) fours(what string, w, s part, rows, cols int64, ending string, size int64) *matrix {
	groups := s.Shape[len(s.Shape)-1]
	size = m.groupSize(cols, groups, ending, size)
	m.shape(s, ending, append(slices.Clone(w.Shape[:len(s.Shape)-1]), groups)...)
	return &matrix{
		what: fmt.Sprintf("%s, groups of %d", what, size), rows: rows, cols: cols,
		codes: &rowCodes{t: w, rowBytes: cols / 2, bits: 4}, book: bookE2M1,
		scale: &table{t: s, groups: groups, blockRows: 1}, groups: inOrder(size, groups),
	}
}

// plausible warns where the scale of a whole tensor makes its largest value
// one that weights do not have: a sign that the scale was meant the other way
// round.
func (m *module) plausible(ending string, largest float32) {
	const most = 1000
	if m.err == nil && !(largest > 0 && largest < most) {
		m.warn("%s%s lets values reach %.3g: weights are smaller, so the scale may have been meant as its inverse", escape.Printable(m.stem), ending, largest)
	}
}

// compressedInt reads integers of 1 to 8 bits, offset by half their range.
func (m *module) compressedInt() *tensor.Tensor {
	w, s := m.part(".weight_packed", 2, tensor.I32), m.part(".weight_scale", 2, scaleTypes...)
	rows, cols := m.declaredShape(w)
	groups := s.Shape[1]
	m.shape(s, ".weight_scale", rows, groups)
	bits, perWord := m.density(w, cols)
	offset := 1 << (bits - 1)
	x := &matrix{
		what: fmt.Sprintf("compressed-tensors %d-bit", bits), rows: rows, cols: cols,
		codes: &rowCodes{t: w, rowBytes: 4 * w.Shape[1], bits: bits, perWord: perWord}, book: integers(bits, offset),
		scale: &table{t: s, groups: groups, blockRows: 1}, slack: slackOf(s.DType),
	}
	if m.has(".weight_zero_point") {
		m.zeroPoints(x, groups, int64(bits), perWord, float32(offset))
	}
	m.compressedGroups(x, groups)
	return m.finish(x, m.stem+".weight", tensor.PackedInt(bits), rows, cols)
}

// declaredShape reads weight_shape and holds it against the packed words.
func (m *module) declaredShape(w part) (rows, cols int64) {
	p := m.part(".weight_shape", 1, tensor.I64, tensor.I32)
	shape := m.floats(p, ".weight_shape", 2)
	const most = 1 << 24 // exact as a float32
	m.require(shape[0] >= 1 && shape[1] >= 1 && shape[0] < most && shape[1] < most, ".weight_shape", "%v is no shape of a matrix", shape)
	rows, cols = int64(shape[0]), int64(shape[1])
	m.shape(w, ".weight_packed", rows, w.Shape[1])
	if m.err != nil {
		return 1, 1
	}
	return rows, cols
}

// density finds the bits of a code and whether codes cross from word to word:
// a declared number of bits that fits the shape. Until 2026 codes of 3, 5, 6
// and 7 bits filled words only as far as whole codes fit.
func (m *module) density(w part, cols int64) (bits int, perWord int64) {
	declared := m.cfg.integers("num_bits")
	if len(declared) == 0 {
		declared = []int64{4, 8, 2, 3, 5, 6, 7, 1}
	}
	for _, b := range declared {
		if b > 8 {
			continue
		}
		whole := 32 / b
		dense, loose := (cols*b+31)/32 == w.Shape[1], (cols+whole-1)/whole == w.Shape[1]
		switch {
		case dense && loose && 32%b != 0 && cols > whole:
			return int(b), m.looseWords(w, b)
		case dense:
			return int(b), 0
		case loose:
			return int(b), whole
		}
	}
	m.fail(tensor.ErrFormat, ".weight_packed", "shape %v: %d columns of %v bits do not fill the words", w.Shape, cols, declared)
	return 1, 0
}

// looseWords decides by the data where a shape fits both ways of packing: in
// loose words the bits beyond the last whole code are zero.
func (m *module) looseWords(w part, bits int64) (perWord int64) {
	raw := make([]byte, min(w.s.Bytes, 1<<14)/4*4)
	if m.err != nil {
		return 0
	}
	if err := w.s.ReadRaw(raw, 0); err != nil {
		m.err = err
		return 0
	}
	whole := 32 / bits
	words := int(w.Shape[1])
	used := 0
	for i := range len(raw) / 4 {
		if (i+1)%words != 0 && word(raw, i)>>(whole*bits) != 0 { // the last word of a row is seldom full
			used++
		}
	}
	m.warn("compressed-tensors: the shape of %s.weight_packed fits dense and word-wise packing of %d bits; the data say %s", escape.Printable(m.stem), bits, map[bool]string{true: "dense", false: "word-wise"}[used > 0])
	if used > 0 {
		return 0
	}
	return whole
}

// zeroPoints sets the zero-points: packed along the rows as the codes are
// along the columns.
func (m *module) zeroPoints(x *matrix, groups, bits, perWord int64, offset float32) {
	z := m.part(".weight_zero_point", 2, tensor.I32)
	words := (x.rows*bits + 31) / 32
	if perWord > 0 {
		words = (x.rows + perWord - 1) / perWord
	}
	m.shape(z, ".weight_zero_point", words, groups)
	x.zero = &packedRows{t: z, groups: groups, bits: bits, perWord: perWord, offset: offset}
}

// compressedGroups finds the groups of columns.
func (m *module) compressedGroups(x *matrix, count int64) {
	if m.has(".weight_g_idx") {
		x.groups = m.indexed(x, ".weight_g_idx", count, ".weight_scale")
		return
	}
	x.groups = inOrder(m.groupSize(x.cols, count, ".weight_scale", m.cfg.integers("group_size")...), count)
	x.what += fmt.Sprintf(", groups of %d", x.groups.size)
}
