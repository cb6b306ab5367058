package packed

import (
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// unreadLayouts are ways to pack that are known by the endings of their parts
// and are not read. All of the endings must be there for one module.
var unreadLayouts = []struct{ name, endings string }{
	{"EXL2", ".q_weight .q_scale"},
	{"EXL3", ".trellis .svh"},
	{"QuIP#", ".Qidxs .SU"},
	{"SpQR", ".dense_weights .row_offsets"},
	{"HIGGS", ".weight .tables2"},
}

// unread refuses models that are packed in one of these.
func unread(m tensor.Model) error {
	for _, t := range m.Tensors() {
		for _, l := range unreadLayouts {
			ends := strings.Fields(l.endings)
			stem, ok := strings.CutSuffix(t.Name, ends[0])
			if !ok {
				continue
			}
			if _, ok := m.Tensor(stem + ends[1]); ok {
				return tensor.Errorf(tensor.ErrUnsupported, "checkpoint", -1, "tensor "+escape.Printable(t.Name), "the model is packed as %s, which is not read", l.name)
			}
		}
	}
	return nil
}
