package forward

import (
	"github.com/weightprint/weightprint/formats/tensor"
)

// declared reads the numbers of a configuration under every spelling in use.
type declared struct {
	meta     tensor.Metadata
	prefixes []string
}

func newDeclared(meta tensor.Metadata) declared {
	d := declared{meta: meta, prefixes: []string{"config.text_config.", "config."}}
	if arch, ok := meta.String("general.architecture"); ok {
		d.prefixes = append(d.prefixes, arch+".")
	}
	return d
}

// modelType is the type that the configuration or the GGUF file states.
func (d declared) modelType() string {
	s, _ := d.meta.String("config.text_config.model_type", "config.model_type", "general.architecture")
	return s
}

// number returns the first declared number of those names, otherwise fallback.
func (d declared) number(fallback float64, names ...string) float64 {
	for _, p := range d.prefixes {
		for _, n := range names {
			switch v := d.meta[p+n].(type) {
			case float64:
				return v
			case float32:
				return float64(v)
			case int64:
				return float64(v)
			case uint64:
				return float64(v)
			}
		}
	}
	return fallback
}

func (d declared) text(names ...string) string {
	for _, p := range d.prefixes {
		for _, n := range names {
			if s, ok := d.meta.String(p + n); ok {
				return s
			}
		}
	}
	return ""
}

func (d declared) flag(fallback bool, names ...string) bool {
	for _, p := range d.prefixes {
		for _, n := range names {
			if b, ok := d.meta.Bool(p + n); ok {
				return b
			}
		}
	}
	return fallback
}
