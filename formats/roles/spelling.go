package roles

import (
	"regexp"
	"strings"
)

// Flax, Keras and TensorFlow write `encoder/layer_._0/attention/self/query/kernel:0` where
// PyTorch has `encoder.layer.0.attention.self.query.weight`, and keep such a kernel inputs ×
// outputs.

// numberedWord is a word that ends with the number of a layer.
var numberedWord = regexp.MustCompile(`(^|\.)(layers?|blocks?|encoderblock|decoderblock)_(\d+)(\.|$)`)

// endings are what a module's weight is called there.
var endings = []string{".kernel", ".scale", ".embedding"}

var unslashed = strings.NewReplacer("_._", ".", "/", ".")

// spelled writes a name as PyTorch would.
func spelled(name string) string {
	if len(name) > maxName {
		return name
	}
	if strings.ContainsAny(name, "/:") {
		name = unslashed.Replace(strings.TrimSuffix(name, ":0"))
		if stem, ok := strings.CutSuffix(name, ".embeddings"); ok {
			return stem + ".weight"
		}
	}
	for _, e := range endings {
		if stem, ok := strings.CutSuffix(name, e); ok {
			name = stem + ".weight"
			break
		}
	}
	if strings.Contains(name, "r_") || strings.Contains(name, "s_") || strings.Contains(name, "k_") { // spares most names the pattern
		name = numberedWord.ReplaceAllString(name, "$1$2.$3$4")
	}
	return name
}

// isKernel tells a name that says that inputs come first.
func isKernel(name string) bool {
	return strings.HasSuffix(strings.TrimSuffix(name, ":0"), "kernel") && len(name) <= maxName
}
