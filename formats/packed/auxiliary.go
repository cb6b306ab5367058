package packed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Auxiliary is a stored tensor that is no weight: what runtimes keep beside
// the weights for their own use. It is set aside, and named.
type Auxiliary struct {
	Tensor *tensor.Tensor
	Reason string
}

// auxiliaries says by which endings such tensors are known and how many values
// they have at most: a name alone must not hide weights.
var auxiliaries = []struct {
	endings string
	most    int64
	reason  string
}{
	{".k_scale .v_scale .q_scale .prob_scale .kv_scale .k_proj.output_scale .v_proj.output_scale .k_zero_point .v_zero_point", 1024, "a scale of cached keys or values"},
	{"scaled_fp8", 2, "ComfyUI's mark of scaled FP8 weights"},
	{".comfy_quant", 4096, "ComfyUI's description of a layer's quantisation"},
	{".input_scale .output_scale .input_scale_ub .scale_input .input_amax .weight_amax .output_amax .input_quantizer._amax .weight_quantizer._amax", 1, "a scale of activations"},
	{"._extra_state", 4096, "a state of Transformer Engine's recipes"},
}

// auxiliary tells why a tensor is none of the weights, "" if it is one.
func auxiliary(t *tensor.Tensor) string {
	n, _ := tensor.Elements(t.Shape)
	for _, a := range auxiliaries {
		fits := func(e string) bool { return t.Name == e || strings.HasSuffix(t.Name, e) }
		if n <= a.most && len(t.Shape) <= 1 && slices.ContainsFunc(strings.Fields(a.endings), fits) {
			return a.reason
		}
	}
	return ""
}

// Auxiliary lists the tensors that were set aside, in stored order.
func (out *Model) Auxiliary() []Auxiliary { return out.auxiliary }

// noteAuxiliary says which tensors were set aside.
func (out *Model) noteAuxiliary() {
	count := map[string]int{}
	var reasons []string
	first := map[string]string{}
	for _, a := range out.auxiliary {
		if count[a.Reason]++; count[a.Reason] == 1 {
			reasons = append(reasons, a.Reason)
			first[a.Reason] = a.Tensor.Name
		}
	}
	for _, r := range reasons {
		more := ""
		if n := count[r]; n > 1 {
			more = fmt.Sprintf(" and %d more", n-1)
		}
		out.warn(fmt.Sprintf("set aside as no weights: %s%s (%s)", escape.Printable(first[r]), more, r))
	}
}
