// Package depcheck keeps the chain of imports straight: bytes, tensors, roles,
// fingerprint, evidence, verdict. Each package imports only what stands before
// it.
package depcheck

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const module = "github.com/weightprint/weightprint"

// ranks orders the packages; a package imports only from lower ranks. The
// longest prefix decides.
var ranks = []struct {
	prefix string
	rank   float64 // there is room between any two
}{
	{"internal/escape", 0}, {"internal/strided", 0}, {"internal/outfile", 1}, {"internal/simd", -1}, {"internal/quant", 0}, {"internal/saferio", 0}, {"internal/rng", 0}, {"internal/dense", 0}, {"internal/manyhash", 0}, {"internal/softmemory", 0}, {"internal/linalg", 0}, {"internal/vectors", 0}, {"internal/demo", 1}, {"internal/degenerate", 0}, {"internal/strictjson", 0}, {"internal/schematest", 0}, {"internal/python", 0}, {"internal/hostile", 0}, {"internal/mutants", 1}, {"internal/walk", 1.5}, {"internal/glossary", 0},
	{"formats/tensor", 1}, {"internal/untrained", 1}, {"internal/basis", 1},
	{"formats/source", 2}, {"formats/safetensors", 2}, {"formats/gguf", 2}, {"formats/torch", 2}, {"formats/hdf5", 2}, {"formats/flax", 2}, {"formats/roles", 2}, {"formats/packed", 2}, {"formats/formatstest", 2}, {"internal/zoo", 2}, {"internal/archs", 2}, {"internal/packtest", 2}, {"internal/columns", 2},
	{"formats/onnx", 3}, {"formats/numpy", 2}, {"formats/tflite", 3}, {"formats/openvino", 3}, {"formats/pipeline", 2}, {"formats/whispercpp", 3}, {"formats/ctranslate2", 3}, {"formats/tensorbundle", 2},
	{"formats", 4}, {"internal/adversary", 3}, {"internal/population", 4},
	{"fingerprint", 3}, {"fingerprint/commitment", 4}, {"internal/fingerprinttest", 4}, {"internal/bitexact", 2},
	{"similarity/stats", 0}, {"similarity/align", 3}, {"similarity/axis", 4}, {"similarity/layers", 5}, {"similarity/mlp", 5}, {"similarity", 5},
	{"similarity/exact/evalue", 1}, {"similarity/exact/unitanchored", 6}, {"similarity/exact", 7}, {"similarity/delta", 6}, {"similarity/diff", 6}, {"similarity/recipe", 6}, {"similarity/faithful", 6}, {"similarity/similaritytest", 6}, {"similarity/sketches", 6},
	{"internal/forward", 5}, {"similarity/carry", 8}, {"similarity/equality", 4}, {"similarity/calibrated/tokenfree", 6}, {"similarity/calibrated", 8}, {"similarity/architecture", 8}, {"similarity/index", 8}, {"similarity/suite", 9},
	{"report/verdict", 9}, {"report", 10},
	{"internal/demo/pack", 2}, {"internal/demo/extract", 2}, {"report/page", 3}, {"report/internal/aligned", 4}, {"report/internal/planned", 5}, {"report/internal/read", 9.2}, {"report/internal/tested", 9.4}, {"report/internal/measured", 9.6},
	{"report/audit", 11}, {"report/closed", 11}, {"report/plan", 11}, {"report/recipe", 11}, {"report/diff", 11}, {"report/html", 11}, {"report/cyclonedx", 11}, {"report/spdx", 11}, {"report/intoto", 11}, {"report/lineage", 12}, {"report/faithful", 12}, {"report/intoto/oms", 12},
	{"internal/redteam", 12}, {"internal/release", 12}, {"report/dispute", 14},
	{"report/dated", 13}, {"report/dated/datedtest", 0},
	{"store", 12}, {"store/storetest", 13}, {"service", 13},
	{"cmd", 15}, {"examples", 15}, {"web", 15},
	{"", 16},
}

func rank(t *testing.T, path string) float64 {
	t.Helper()
	path = strings.TrimPrefix(strings.TrimPrefix(path, module), "/")
	best, length := 0.0, -1
	for _, r := range ranks {
		if (path == r.prefix || strings.HasPrefix(path, r.prefix+"/") || r.prefix == "" && path == "") && len(r.prefix) > length {
			best, length = r.rank, len(r.prefix)
		}
	}
	require.GreaterOrEqual(t, length, 0, "package %s has no place in the chain", path)
	return best
}

// only says which packages may import what is named.
var only = []struct{ what, where string }{
	{"gonum.org/v1/gonum", "internal/linalg"},
	{"github.com/zeebo/blake3", "fingerprint internal/rng internal/mutants similarity/index report/intoto/oms report/dispute"},
	{"net", "formats/source service cmd/weightprint-bench"},
	{"crypto/tls", "formats/source service"},
	{"github.com/spf13/cobra", "cmd"},
	{"github.com/secure-systems-lab/go-securesystemslib", "report/intoto"},
	{"github.com/CycloneDX/cyclonedx-go", "report/cyclonedx"},
	{"github.com/digitorus/timestamp", "report/dated"},
	{"github.com/digitorus/pkcs7", "report/dated"},
	{"github.com/stretchr/testify", "formats/formatstest internal/vectors internal/schematest similarity/similaritytest report/dated/datedtest store/storetest"},
}

// harmless packages lie below a restricted one and open no sockets.
var harmless = map[string]bool{"net/netip": true, "net/url": true, "net/textproto": true, "net/mail": true}

func TestImportsRunOneWay(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}} {{join .Imports " "}}`, module+"/...").Output()
	require.NoError(t, err)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Greater(t, len(lines), 15)
	for _, line := range lines {
		words := strings.Fields(line)
		from := words[0]
		place := strings.TrimPrefix(strings.TrimPrefix(from, module), "/")
		for _, to := range words[1:] {
			if strings.HasPrefix(to, module) {
				require.Less(t, rank(t, to), rank(t, from), "%s imports %s", from, to)
			}
			for _, o := range only {
				if to == o.what || strings.HasPrefix(to, o.what+"/") && !harmless[to] {
					require.True(t, allowed(place, o.where), "%s imports %s, which only %s may", from, to, o.where)
				}
			}
		}
	}
}

func allowed(place, where string) bool {
	for _, w := range strings.Fields(where) {
		if place == w || strings.HasPrefix(place, w+"/") {
			return true
		}
	}
	return false
}

// Built with the tag nonet the library links nothing that opens sockets.
func TestNoNetworkWithItsTag(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "nonet", "-deps", module+"/report", module+"/report/html", module+"/report/audit", module+"/report/recipe", module+"/report/lineage", module+"/similarity/...").Output()
	require.NoError(t, err)
	for _, path := range strings.Fields(string(out)) {
		require.NotContains(t, []string{"net", "net/http", "crypto/tls"}, path)
	}
	require.NoError(t, exec.Command("go", "build", "-tags", "nonet", module+"/report").Run())
}
