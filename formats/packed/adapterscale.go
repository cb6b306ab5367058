package packed

import (
	"cmp"
	"context"
	"maps"
	"math"
	"regexp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// scale is what ΔW is multiplied by.
func (m *adapterModule) scale(d change, meta tensor.Metadata) (float64, error) {
	r := float64(d.rank())
	if kind, _ := meta.String("adapter.peft_type"); r == 0 && strings.EqualFold(kind, "LOKR") {
		var err error
		if r, err = patterned(meta, "adapter.rank_pattern.", m.name, meta["adapter.r"]); err != nil || !(r > 0) {
			return 0, cmp.Or(err, error(tensor.Errorf(tensor.ErrFormat, "adapter_config.json", -1, "r", "the rank of LoKr's two whole factors is not declared")))
		}
	}
	if r == 0 {
		return 1, nil // a difference, or two whole factors of LyCORIS
	}
	if t := m.parts[partAlpha]; t != nil {
		v := make([]float32, 1)
		if t.Len() != 1 {
			return 0, m.fail(tensor.ErrFormat, "alpha has the shape %v", t.Shape)
		}
		if err := t.Data.ReadValues(context.Background(), v, 0); err != nil {
			return 0, err
		}
		return m.finite(float64(v[0]) / r)
	}
	if m.parts[partTurnedA] != nil {
		if s, ok := number(meta["adapter.lora_parameters.scale"]); ok {
			return m.finite(s)
		}
	}
	alpha, err := alphaOf(meta, m.name)
	switch {
	case err != nil:
		return 0, err
	case math.IsNaN(alpha):
		if m.named("lora_down", "lora.down", "hada_", "lokr_", "lora_linear_layer") {
			return 1, nil // these formats' readers take alpha for the rank where it is absent
		}
		return 0, tensor.Errorf(tensor.ErrFormat, "adapter_config.json", -1, "lora_alpha", "the scale of the adapter is not declared as a number")
	}
	if on, _ := meta.Bool("adapter.use_rslora"); on {
		return m.finite(alpha / math.Sqrt(r))
	}
	return m.finite(alpha / r)
}

func (m *adapterModule) finite(s float64) (float64, error) {
	if math.IsNaN(s) || math.IsInf(s, 0) {
		return 0, m.fail(tensor.ErrFormat, "the scale %v is no number to multiply by", s)
	}
	return s, nil
}

// named tells whether a part's name holds one of the texts.
func (m *adapterModule) named(texts ...string) bool {
	for _, t := range m.parts {
		if slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(t.Name, s) }) {
			return true
		}
	}
	return false
}

// alphaOf is a module's declared alpha: that of the pattern that fits its name
// as PEFT matches it, else the adapter's; NaN if none is declared.
func alphaOf(meta tensor.Metadata, module string) (float64, error) {
	value := meta["adapter.lora_alpha"]
	for _, key := range []string{"adapter.alpha", "adapter.lora.alpha"} { // LoHa and LoKr of PEFT; GGUF
		if value == nil {
			value = meta[key]
		}
	}
	return patterned(meta, "adapter.alpha_pattern.", module, value)
}

// patterned is the number under the pattern that fits a module's name, else
// the one for all; NaN if there is none.
func patterned(meta tensor.Metadata, prefix, module string, value any) (float64, error) {
	for _, key := range slices.Sorted(maps.Keys(meta)) {
		pattern, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		r, err := regexp.Compile(`^(?:.*\.)?(?:` + pattern + `)$`)
		if err != nil {
			return 0, tensor.Errorf(tensor.ErrUnsupported, "adapter_config.json", -1, strings.TrimPrefix(prefix, "adapter.")+escape.Printable(pattern), "the pattern is not read: %v", err)
		}
		if r.MatchString(module) {
			value = meta[key]
			break
		}
	}
	if v, ok := number(value); ok {
		return v, nil
	}
	return math.NaN(), nil
}

// number is a declared number.
func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v) && !math.IsInf(v, 0)
	}
	return 0, false
}
