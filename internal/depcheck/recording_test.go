package depcheck

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// recording lists the packages whose results are hashed or published. Their
// bits must be the same on every processor.
var recording = []string{"fingerprint", "internal/dense", "internal/manyhash", "internal/degenerate", "internal/rng", "internal/untrained", "internal/quant", "internal/saferio", "formats", "formats/tensor", "formats/roles", "formats/safetensors", "formats/gguf"}

// exact lists what of package math gives the same bits everywhere: constants,
// and functions that IEEE 754 defines to the bit.
var exact = strings.Fields(`Abs Ceil Copysign Float32bits Float32frombits Float64bits Float64frombits Floor Frexp Inf
	IsInf IsNaN Ldexp Max MaxFloat32 MaxFloat64 MaxInt MaxInt16 MaxInt32 MaxInt64 MaxInt8 MaxUint16 MaxUint32 MaxUint64
	MaxUint8 Min MinInt64 NaN Pi Round RoundToEven Signbit SmallestNonzeroFloat32 Sqrt Trunc`)

// Nothing that is recorded goes through a library function whose last bits
// depend on the processor, nor through one that fuses.
func TestRecordingPackagesUseExactMathAlone(t *testing.T) {
	for _, dir := range recording {
		files, err := filepath.Glob(filepath.Join("..", "..", dir, "*.go"))
		require.NoError(t, err)
		require.NotEmpty(t, files, dir)
		for _, name := range files {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			src, err := os.ReadFile(name)
			require.NoError(t, err)
			for _, bad := range inexact(t, name, src) {
				require.Fail(t, "inexact mathematics", "%s uses %s", name, bad)
			}
		}
	}
}

// inexact lists the functions of package math that a file uses and that are
// not on the list, and the packages it imports that have no place here.
func inexact(t *testing.T, name string, src []byte) (out []string) {
	f, err := parser.ParseFile(token.NewFileSet(), name, src, 0)
	require.NoError(t, err)
	local := ""
	for _, i := range f.Imports {
		path := strings.Trim(i.Path.Value, `"`)
		switch {
		case path == "math":
			local = "math"
			if i.Name != nil {
				local = i.Name.Name
			}
		case path == "math/cmplx" || path == "math/rand" || path == "math/rand/v2" || path == "unsafe":
			out = append(out, path)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && x.Name == local && local != "" && !slices.Contains(exact, s.Sel.Name) {
			out = append(out, "math."+s.Sel.Name)
		}
		return true
	})
	return out
}

// The check finds what it looks for.
func TestInexactMathIsFound(t *testing.T) {
	src := `package x
import ( m "math"; "math/rand/v2" )
var a = m.Exp(1) + m.FMA(1, 2, 3) + m.Abs(2) + rand.Float64()`
	require.Equal(t, []string{"math/rand/v2", "math.Exp", "math.FMA"}, inexact(t, "x.go", []byte(src)))
}
