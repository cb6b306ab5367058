package packed

import (
	"fmt"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

func isMLX(m *module) bool {
	w := m.parts[".weight"]
	return w != nil && w.DType == tensor.U32 && m.has(".scales")
}

// mlxMode is one of MLX's ways to quantise.
type mlxMode struct {
	bits, size int64
	scale      tensor.DType // of the scales' bytes
	book       *book
	dtype      tensor.DType
}

// mlxModes are those without biases, by name.
var mlxModes = map[string]mlxMode{
	"mxfp4": {4, 32, tensor.F8E8M0, bookE2M1, tensor.Named("MXFP4")},
	"nvfp4": {4, 16, tensor.F8E4M3, bookE2M1, tensor.Named("NVFP4")},
	"mxfp8": {8, 32, tensor.F8E8M0, bookE4M3, tensor.Named("FP8")},
}

// openMLX reads MLX's layouts: a little-endian stream of bits along each row,
// value = code·scale + bias, or floats with scales of one byte.
func openMLX(m *module) *tensor.Tensor {
	w, s := m.part(".weight", anyRank, tensor.U32), m.part(".scales", anyRank)
	n := len(w.Shape)
	m.require(m.err != nil || n >= 2 && len(s.Shape) == n && slices.Equal(w.Shape[:n-1], s.Shape[:n-1]), ".scales", "shape %v, the weights have %v", s.Shape, w.Shape)
	if m.err != nil {
		return nil
	}
	words, groups := w.Shape[n-1], s.Shape[n-1]
	mode := m.mlxMode(s, words, groups)
	cols := mode.size * groups
	m.require(cols*mode.bits == 32*words, ".weight", "%d words a row, %d groups of %d codes of %d bits fill %d", words, groups, mode.size, mode.bits, cols*mode.bits/32)
	shape := append(slices.Clone(w.Shape[:n-1]), cols)
	x := &matrix{
		what: fmt.Sprintf("MLX %v, groups of %d", mode.dtype, mode.size), rows: w.Len() / words, cols: cols,
		codes: &rowCodes{t: w, rowBytes: 4 * words, bits: int(mode.bits)}, book: mode.book,
		groups: inOrder(mode.size, groups), slack: slackOf(s.DType),
	}
	if s.DType == tensor.U8 {
		s = s.as(mode.scale)
	} else {
		b := m.part(".biases", n, s.DType)
		m.shape(b, ".biases", s.Shape...)
		x.bias = &table{t: b, groups: groups, blockRows: 1}
	}
	x.scale = &table{t: s, groups: groups, blockRows: 1}
	return m.finish(x, m.stem+".weight", mode.dtype, shape...)
}

// mlxMode finds bits and group size: those declared for the module, then those
// declared for all, then what the shapes allow.
func (m *module) mlxMode(s part, words, groups int64) mlxMode {
	get := func(field string) int64 {
		for _, p := range []string{"config.quantization.", "config.quantization_config."} {
			if v, ok := m.cfg.meta.Int(p+m.stem+"."+field, p+field); ok {
				return int64(v)
			}
		}
		return 0
	}
	bits, size := get("bits"), get("group_size")
	if s.DType == tensor.U8 {
		name, _ := m.cfg.meta.String("config.quantization."+m.stem+".mode", "config.quantization.mode", "config.quantization_config.mode")
		mode, ok := mlxModes[name]
		if !ok {
			mode, name = mlxGuess(words, groups)
			m.warn("MLX: no configuration names the mode; %s was told from the shapes", name)
		}
		return mode
	}
	if !slices.Contains(scaleTypes, s.DType) {
		m.fail(tensor.ErrUnsupported, ".scales", "type %v, expected %v", s.DType, scaleTypes)
	}
	if bits == 0 || size == 0 {
		bits, size = m.mlxSizes(words, groups)
	}
	m.require(bits >= 2 && bits <= 8 && size >= 8 && size <= 1<<16, ".weight", "codes of %d bits in groups of %d", bits, size)
	bits = min(max(bits, 1), 8)
	return mlxMode{bits: bits, size: min(max(size, 1), 1<<16), book: integers(int(bits), 0), dtype: tensor.PackedInt(int(bits))}
}

// mlxGuess tells the float modes apart by the bits that share a scale.
func mlxGuess(words, groups int64) (mlxMode, string) {
	for _, name := range []string{"mxfp4", "nvfp4", "mxfp8"} {
		if m := mlxModes[name]; m.size*m.bits*groups == 32*words {
			return m, name
		}
	}
	return mlxModes["mxfp4"], "mxfp4"
}

// mlxSizes chooses bits and group size from the shapes alone. A row of the
// same number of bits may be few wide codes or many narrow ones: the width
// that other tensors have decides, else the usual 4 bits.
func (m *module) mlxSizes(words, groups int64) (bits, size int64) {
	widths := map[int64]bool{}
	for _, t := range m.out.stored.Tensors() {
		if len(t.Shape) == 1 && t.DType.Kind() == tensor.KindFloat {
			widths[t.Shape[0]] = true
		}
	}
	var fit [][2]int64
	for _, c := range [][2]int64{{4, 64}, {8, 64}, {4, 32}, {6, 64}, {3, 64}, {5, 64}, {2, 64}, {8, 32}, {4, 128}, {8, 128}, {3, 32}, {5, 32}, {6, 32}, {2, 32}, {3, 128}, {5, 128}, {6, 128}, {2, 128}} {
		if c[0]*c[1]*groups == 32*words {
			fit = append(fit, c)
		}
	}
	m.require(len(fit) > 0, ".weight", "%d words and %d scales a row: no number of bits and group size in use fits", words, groups)
	known := slices.IndexFunc(fit, func(c [2]int64) bool { return widths[c[1]*groups] })
	switch {
	case len(fit) == 0:
		return 4, 64
	case known >= 0:
		return fit[known][0], fit[known][1]
	case len(fit) > 1:
		m.warn("MLX: no configuration names bits and group size, and the shapes of %s allow several; %d bits in groups of %d were taken", escape.Printable(m.stem), fit[0][0], fit[0][1])
	}
	return fit[0][0], fit[0][1]
}
