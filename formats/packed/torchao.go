package packed

import (
	"fmt"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

func isTorchAO(m *module) bool { return m.has("._weight_qdata") || m.has(".weight:qdata") }

// openTorchAO reads the tensor subclasses of torchao that keep a code in each
// byte, as its flatten_tensor_state_dict writes them: Float8Tensor,
// Int8Tensor and IntxUnpackedToInt8Tensor, (q − zero)·scale.
func openTorchAO(m *module) *tensor.Tensor {
	data, scales, zeros := "._weight_qdata", "._weight_scale", "._weight_zero_point"
	if m.has(".weight:qdata") { // before torchao 0.15
		data, scales, zeros = ".weight:qdata", ".weight:scale", ".weight:zero_point"
	}
	if kind := m.torchaoKind(); kind != "" && !strings.Contains(" Float8Tensor Int8Tensor IntxUnpackedToInt8Tensor ", " "+kind+" ") {
		m.fail(tensor.ErrUnsupported, data, "torchao's %s is not read", escape.Printable(kind))
	}
	m.ignore("._weight_act_pre_scale")
	w, s := m.part(data, 2, tensor.F8E4M3, tensor.F8E5M2, tensor.I8), m.part(scales, anyRank, scaleTypes...)
	if m.err != nil {
		return nil
	}
	rows, cols := w.Shape[0], w.Shape[1]
	g := m.blocks(s, rows, cols, scales)
	kind, dtype := "FP8", tensor.Named("FP8")
	if w.DType == tensor.I8 {
		kind, dtype = "INT8", tensor.PackedInt(8)
	}
	x := &matrix{
		what: fmt.Sprintf("torchao %s scaled %s", kind, g.what), rows: rows, cols: cols,
		codes: &rowCodes{t: w, rowBytes: cols, bits: 8}, book: scaledBooks[w.DType],
		scale: &table{t: s, groups: g.groups, blockRows: g.rows}, groups: inOrder(g.cols, g.groups), slack: slackOf(s.DType),
	}
	if m.has(zeros) {
		z := m.part(zeros, len(s.Shape), append([]tensor.DType{tensor.I8, tensor.I32}, scaleTypes...)...)
		m.shape(z, zeros, s.Shape...)
		x.zero = &table{t: z, groups: g.groups, blockRows: g.rows}
	}
	return m.finish(x, m.stem+".weight", dtype, rows, cols)
}

// torchaoKind is the subclass that the file's header names for the weight, ""
// if it names none.
func (m *module) torchaoKind() string {
	about, _ := m.cfg.meta.String("safetensors." + m.stem + ".weight")
	_, rest, ok := strings.Cut(about, `"_type": "`)
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(rest, `"`)
	return kind
}
