package packed

import (
	"cmp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// layout is one way to store a tensor in several.
type layout struct {
	name    string
	endings string // of all its parts
	is      func(*module) bool
	open    func(*module) *tensor.Tensor // nil, and a fault in the module
}

// layouts is asked from the top; the first that fits is taken. Sources: the
// packages' own packing code as named in each layout's file.
var layouts = []layout{
	{"torchao", "._weight_qdata ._weight_scale ._weight_zero_point ._weight_act_pre_scale .weight:qdata .weight:scale .weight:zero_point", isTorchAO, openTorchAO},
	{"quanto", quantoEndings, isQuanto, openQuanto},
	{"hqq", hqqEndings, ending(".W_q"), openHQQ},
	{"aqlm", ".codes .codebooks .scales", isAQLM, openAQLM},
	{"vptq", vptqEndings, isVPTQ, openVPTQ},
	{"bitnet", ".weight .weight_scale .input_scale", isBitNet, openBitNet},
	{"marlin", ".B .s .workspace", isMarlin, openMarlin},
	{"awq", ".qweight .qzeros .scales", isAWQ, openAWQ},
	{"gptq", ".qweight .qzeros .scales .g_idx", ending(".qweight"), openGPTQ},
	{"compressed-tensors", ".weight_packed .weight_scale .weight_shape .weight_zero_point .weight_g_idx .weight_global_scale .input_scale .input_global_scale .input_zero_point", ending(".weight_packed"), openCompressed},
	{"bitsandbytes", ".weight .weight.absmax .weight.quant_map .weight.nested_absmax .weight.nested_quant_map " + stateNF4 + " " + stateFP4, isFourBit, openFourBit},
	{"bitsandbytes", ".weight .SCB .weight_format", ending(".SCB"), openLLMInt8},
	{"modelopt", ".weight .weight_scale .weight_scale_2 .input_scale", ending(".weight_scale_2"), openModelOpt},
	{"scaled", ".weight .weight_scale .weight_scale_inv .scale_weight .qscale_weight .weight_zero_point .input_scale .input_scale_ub .scale_input .qscale_act", isScaled, openScaled},
	{"mxfp4", "_blocks _scales", isMXFP4, openMXFP4},
	{"mlx", ".weight .scales .biases", isMLX, openMLX},
}

func ending(e string) func(*module) bool { return func(m *module) bool { return m.has(e) } }

// endings lists all parts' endings, longer ones first.
var endings = allEndings()

func allEndings() (out []string) {
	for _, l := range layouts {
		out = append(out, strings.Fields(l.endings)...)
	}
	slices.SortFunc(out, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(out)
}

// groupSize finds how many of k columns share each of count scales: a
// declared size that fits, or an even division.
func (m *module) groupSize(k, count int64, ending string, declared ...int64) int64 {
	if count == 1 {
		return k
	}
	for _, s := range declared {
		if s > 0 && (k+s-1)/s == count {
			return s
		}
	}
	m.require(k%count == 0, ending, "scales for %d groups: %d columns do not divide so, and no declared group size fits", count, k)
	return max(1, k/count)
}
