package verdict

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every constant of thresholds.go has a source and is stated in reports.
func TestThresholdsAreStated(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "thresholds.go", nil, parser.ParseComments)
	require.NoError(t, err)
	listed := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		if kv, ok := n.(*ast.KeyValueExpr); ok {
			ast.Inspect(kv.Value, func(n ast.Node) bool {
				if id, ok := n.(*ast.Ident); ok {
					listed[id.Name] = true
					key, err := strconv.Unquote(kv.Key.(*ast.BasicLit).Value)
					require.NoError(t, err)
					if id.Name != "Number" {
						require.Equal(t, strings.ToLower(id.Name), strings.ToLower(key))
					}
				}
				return true
			})
		}
		return true
	})
	n := 0
	for _, d := range f.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.CONST {
			continue
		}
		sourced := false
		for _, s := range g.Specs {
			v := s.(*ast.ValueSpec)
			sourced = sourced || v.Doc != nil || g.Doc != nil && !g.Lparen.IsValid()
			require.True(t, sourced, "%s has no source", v.Names[0].Name)
			if name := v.Names[0].Name; name != "PolicyVersion" && name != "PopulationVersion" {
				require.True(t, listed[name], "%s is not listed by Thresholds", name)
				n++
			}
		}
	}
	require.Greater(t, n, 50)
	require.Greater(t, len(Thresholds()), n) // with those of similarity/architecture
}

// ordinary numbers decide nothing: places, halves, percent, quantiles that are
// shown, the bits and digits of printed numbers.
var ordinary = []string{"0", "1", "1.0", "2", "0.5", "100"}

// shown are the files in which other numbers stand that only show something:
// quantiles of controls, the scale of words, digits, the figure of rounding.
var shown = map[string][]string{
	"controls.go": {"5", "25", "50", "75", "95", "99"},
	"policy.go":   {"50"}, // e^50 is above every ratio that is stated
	"words.go":    {"0.001"},
	"verdict.go":  {"6", "64", "1e6", "1e4", "1e3", "1e2", "10"},
}

// No rule has a number or the name of a test of its own.
func TestRulesGoByNames(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	names := append(TestNames(), SketchTestNames()...)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || file == "thresholds.go" || file == "names.go" {
			continue
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, nil, 0)
		require.NoError(t, err)
		ast.Inspect(f, func(n ast.Node) bool {
			x, ok := n.(*ast.BasicLit)
			if !ok {
				return true
			}
			switch x.Kind {
			case token.STRING:
				s, err := strconv.Unquote(x.Value)
				require.NoError(t, err)
				require.NotContains(t, names, s, "%s: a literal in place of a constant", fset.Position(x.Pos()))
			case token.INT, token.FLOAT:
				require.True(t, slices.Contains(ordinary, x.Value) || slices.Contains(shown[file], x.Value), "%s: %s belongs into thresholds.go", fset.Position(x.Pos()), x.Value)
			}
			return true
		})
	}
}
