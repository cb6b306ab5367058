package packed

import (
	"math"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// config is what the files beside the weights say about the packing.
type config struct{ meta tensor.Metadata }

// prefixes are the places of a quantisation's parameters, newest first:
// config.json's own, those of a multimodal model's text part, the files that
// AutoGPTQ and ModelOpt wrote, and MLX's.
var prefixes = []string{
	"config.quantization_config.", "config.text_config.quantization_config.", "config.compression_config.",
	"quantize.", "hf_quant.quantization.", "config.quantization.",
}

func keys(name string) []string {
	out := make([]string, len(prefixes))
	for i, p := range prefixes {
		out[i] = p + name
	}
	return out
}

// text returns a declared string, lower case, or "".
func (c *config) text(name string) string {
	s, _ := c.meta.String(keys(name)...)
	return strings.ToLower(s)
}

// number returns a declared integer.
func (c *config) number(names ...string) (int64, bool) {
	for _, n := range names {
		if v, ok := c.meta.Int(keys(n)...); ok {
			return int64(v), true
		}
	}
	return 0, false
}

// flag returns a declared boolean.
func (c *config) flag(name string) (value, ok bool) { return c.meta.Bool(keys(name)...) }

// pair returns two declared integers, such as the sides of a block.
func (c *config) pair(name string) (a, b int64, ok bool) {
	for _, k := range keys(name) {
		if a, b, ok = pairOf(c.meta[k]); ok {
			return a, b, ok
		}
	}
	return 0, 0, false
}

func pairOf(v any) (a, b int64, ok bool) {
	l, _ := v.(*tensor.List)
	if l == nil || l.Len != 2 {
		return 0, 0, false
	}
	x, err := l.Floats()
	if err != nil || x[0] < 1 || x[1] < 1 || x[0] > 1<<30 || x[1] > 1<<30 {
		return 0, 0, false
	}
	return int64(x[0]), int64(x[1]), true
}

// two returns two declared integers of any sign.
func (c *config) two(name string) (out [2]int64, ok bool) {
	for _, k := range keys(name) {
		l, _ := c.meta[k].(*tensor.List)
		if l == nil || l.Len != 2 {
			continue
		}
		if x, err := l.Floats(); err == nil && math.Abs(x[0]) < 1<<30 && math.Abs(x[1]) < 1<<30 {
			return [2]int64{int64(x[0]), int64(x[1])}, true
		}
	}
	return out, false
}

// declared tells whether anything says that the model is quantised.
func (c *config) declared() bool {
	for k := range c.meta {
		for _, p := range prefixes {
			if strings.HasPrefix(k, p) {
				return true
			}
		}
	}
	return false
}

// weights returns the values that compressed-tensors' groups declare for a
// field of their weights, by ascending key, each once.
func (c *config) weights(field string) (out []any) {
	var found []string
	for k := range c.meta {
		if strings.Contains(k, ".config_groups.") && strings.HasSuffix(k, ".weights."+field) {
			found = append(found, k)
		}
	}
	slices.Sort(found)
	for _, k := range found {
		out = append(out, c.meta[k])
	}
	return out
}

// integers returns the positive integers among the groups' values of a field.
func (c *config) integers(field string) (out []int64) {
	for _, v := range c.weights(field) {
		if n, ok := v.(int64); ok && n > 0 && n < 1<<30 && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// methods are the quantisation methods whose layouts are read. Others are
// refused where their tensors are no plain weights.
var methods = map[string]bool{
	"": true, "gptq": true, "awq": true, "bitsandbytes": true, "compressed-tensors": true, "modelopt": true, "fp8": true,
	"fbgemm_fp8": true, "mxfp4": true, "mxfp8": true, "auto-round": true, "auto_round": true, "intel/auto-round": true,
}

// partly are methods of which some layouts are read.
var partly = map[string]bool{"torchao": true, "quanto": true, "hqq": true, "bitnet": true, "aqlm": true, "vptq": true}

// refused is an error for models that say they are quantised by a method
// whose layout is not known: their packed integers are no weights. read tells
// tensors that a layout was found for.
func (c *config) refused(m tensor.Model, read func(*tensor.Tensor) bool) error {
	method := c.text("quant_method")
	if methods[method] {
		return nil
	}
	for _, t := range m.Tensors() {
		if !read(t) && len(t.Shape) >= 2 && t.DType.Kind() == tensor.KindInteger {
			return tensor.Errorf(tensor.ErrUnsupported, "config.json", -1, "quantization_config quant_method",
				"tensors packed by %s are not read (the first is %s, %v %v)", escape.Printable(method), escape.Printable(t.Name), t.DType, t.Shape)
		}
	}
	return nil
}
