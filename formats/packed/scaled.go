package packed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// scaleEndings are the names under which the scales of 8-bit weights stand.
// All of them multiply, the one called an inverse too.
var scaleEndings = []string{".weight_scale", ".weight_scale_inv", ".scale_weight", ".qscale_weight"}

// scaledBooks are the 8-bit types that are scaled.
var scaledBooks = map[tensor.DType]*book{tensor.F8E4M3: bookE4M3, tensor.F8E5M2: bookE5M2, tensor.I8: bookI8}

func isScaled(m *module) bool {
	w := m.parts[".weight"]
	return w != nil && scaledBooks[w.DType] != nil && slices.ContainsFunc(scaleEndings, m.has)
}

// isExponents tells whether bytes are the scales of MXFP8, whatever the configuration
// calls it: one for each 32 values of a row of 8-bit floats, as the standard has it.
// Nothing else is stored so.
func isExponents(m tensor.Model, s *tensor.Tensor) bool {
	for _, e := range scaleEndings {
		stem, ok := strings.CutSuffix(s.Name, e)
		if !ok || s.DType != tensor.U8 || len(s.Shape) != 2 {
			continue
		}
		w, ok := m.Tensor(stem + ".weight")
		if ok && (w.DType == tensor.F8E4M3 || w.DType == tensor.F8E5M2) && len(w.Shape) == 2 && w.Shape[0] == s.Shape[0] && w.Shape[1] == 32*s.Shape[1] {
			return true
		}
	}
	return false
}

// openScaled reads weights of one byte with scales for the whole tensor, each
// row, groups of a row or blocks: DeepSeek's FP8, compressed-tensors'
// float-quantized and int-quantized, FBGEMM's, ModelOpt's, MXFP8.
func openScaled(m *module) *tensor.Tensor {
	m.ignore(".input_scale", ".input_scale_ub", ".scale_input", ".qscale_act")
	ending := scaleEndings[slices.IndexFunc(scaleEndings, m.has)]
	w, s := m.part(".weight", 2, tensor.F8E4M3, tensor.F8E5M2, tensor.I8), m.part(ending, anyRank)
	if s.DType == tensor.U8 {
		s = s.as(tensor.F8E8M0)
	}
	types := append([]tensor.DType{tensor.F8E8M0}, scaleTypes...)
	if !slices.Contains(types, s.DType) {
		m.fail(tensor.ErrUnsupported, ending, "scales of type %v, expected %v", s.DType, types)
	}
	if m.err != nil {
		return nil
	}
	rows, cols := w.Shape[0], w.Shape[1]
	kind, dtype := "FP8", tensor.Named("FP8")
	if w.DType == tensor.I8 {
		kind, dtype = "INT8", tensor.PackedInt(8)
	}
	g := m.blocks(s, rows, cols, ending)
	x := &matrix{
		what: fmt.Sprintf("%s scaled %s", kind, g.what), rows: rows, cols: cols,
		codes: &rowCodes{t: w, rowBytes: cols, bits: 8}, book: scaledBooks[w.DType],
		scale: &table{t: s, groups: g.groups, blockRows: g.rows}, groups: inOrder(g.cols, g.groups), slack: slackOf(s.DType),
	}
	if m.has(".weight_zero_point") {
		z := m.part(".weight_zero_point", len(s.Shape), tensor.I8, tensor.F8E4M3)
		m.shape(z, ".weight_zero_point", s.Shape...)
		x.zero = &table{t: z, groups: g.groups, blockRows: g.rows}
	}
	return m.finish(x, m.stem+".weight", dtype, rows, cols)
}

// block is the part of a matrix that shares a scale.
type block struct {
	rows, cols, groups int64
	what               string
}

// blocks tells from the shape of the scales what each of them covers.
func (m *module) blocks(s part, rows, cols int64, ending string) block {
	h, w := s.Len(), int64(1)
	if len(s.Shape) == 2 {
		h, w = s.Shape[0], s.Shape[1]
	} else {
		m.require(len(s.Shape) < 2, ending, "shape %v of the scales of a matrix", s.Shape)
	}
	switch {
	case h*w == 1:
		return block{rows, cols, 1, "as a whole"}
	case h == rows && w == 1:
		return block{1, cols, 1, "by row"}
	case h == rows:
		size := m.groupSize(cols, w, ending, append(m.cfg.integers("group_size"), 32)...)
		return block{1, size, w, fmt.Sprintf("in groups of %d", size)}
	}
	bh, bw := m.blockSides(rows, cols, h, w)
	m.require((rows+bh-1)/bh == h && (cols+bw-1)/bw == w, ending, "shape %v: blocks of %d × %d of a matrix of %d × %d expected", s.Shape, bh, bw, rows, cols)
	return block{bh, bw, w, fmt.Sprintf("in blocks of %d × %d", bh, bw)}
}

// blockSides finds the declared sides of a block, or 128 × 128, or an even
// division.
func (m *module) blockSides(rows, cols, h, w int64) (bh, bw int64) {
	fits := func(a, b int64) bool { return (rows+a-1)/a == h && (cols+b-1)/b == w }
	if a, b, ok := m.cfg.pair("weight_block_size"); ok {
		return a, b
	}
	for _, v := range m.cfg.weights("block_structure") {
		if a, b, ok := pairOf(v); ok && fits(a, b) {
			return a, b
		}
	}
	if !fits(128, 128) && rows%h == 0 && cols%w == 0 {
		m.warn("blocks of scales: no configuration says how large they are; they were taken to divide the matrix evenly")
		return rows / h, cols / w
	}
	return 128, 128
}

// openModelOpt reads ModelOpt's NVFP4: the scale of the whole tensor
// multiplies.
func openModelOpt(m *module) *tensor.Tensor {
	m.ignore(".input_scale")
	w, s := m.part(".weight", 2, tensor.U8), m.part(".weight_scale", 2, tensor.F8E4M3)
	g := m.floats(m.part(".weight_scale_2", anyRank, tensor.F32), ".weight_scale_2", 1)[0]
	m.plausible(".weight_scale_2", 448*6*g)
	rows, cols := w.Shape[0], 2*w.Shape[1]
	size, _ := m.cfg.number("group_size")
	x := m.fours("ModelOpt NVFP4", w, s, rows, cols, ".weight_scale", max(size, 16))
	x.scale = &changed{x.scale, func(v float32) float32 { return v * g }}
	return m.finish(x, m.stem+".weight", tensor.Named("NVFP4"), rows, cols)
}

func isMXFP4(m *module) bool {
	w := m.parts["_blocks"]
	return w != nil && w.DType == tensor.U8 && m.has("_scales")
}

// openMXFP4 reads gpt-oss' experts: blocks of 32 values in 16 bytes, a power
// of two each. The result is experts × outputs × inputs, where the unpacked
// form of transformers is experts × inputs × outputs.
func openMXFP4(m *module) *tensor.Tensor {
	w, s := m.part("_blocks", anyRank, tensor.U8), m.part("_scales", anyRank, tensor.U8, tensor.F8E8M0)
	n := len(w.Shape)
	m.require(m.err != nil || n >= 3 && n <= 8 && w.Shape[n-1] == 16, "_blocks", "shape %v, blocks of 16 bytes expected", w.Shape)
	if m.err != nil {
		return nil
	}
	m.shape(s, "_scales", w.Shape[:n-1]...)
	shape := append(slices.Clone(w.Shape[:n-2]), 32*w.Shape[n-2])
	cols := 32 * w.Shape[n-2]
	x := &matrix{
		what: "MXFP4, blocks of 32", rows: w.Len() / (cols / 2), cols: cols,
		codes: &rowCodes{t: w, rowBytes: cols / 2, bits: 4}, book: bookE2M1,
		scale: &table{t: s.as(tensor.F8E8M0), groups: w.Shape[n-2], blockRows: 1}, groups: inOrder(32, w.Shape[n-2]),
	}
	return m.finish(x, m.stem, tensor.Named("MXFP4"), shape...)
}
