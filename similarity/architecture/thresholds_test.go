package architecture

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every constant of thresholds.go is stated under its name.
func TestThresholdsAreStated(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "thresholds.go", nil, 0)
	require.NoError(t, err)
	var names []string
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.CONST {
			for _, s := range g.Specs {
				names = append(names, s.(*ast.ValueSpec).Names[0].Name)
			}
		}
	}
	var stated []string
	for name := range Thresholds() {
		stated = append(stated, strings.TrimPrefix(name, "architecture."))
	}
	slices.Sort(names)
	slices.Sort(stated)
	require.Equal(t, names, stated)
}
