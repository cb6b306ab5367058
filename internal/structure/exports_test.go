package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// mostExported is how many names the packages that everybody meets may export, methods
// apart: more cannot be held in mind.
var mostExported = map[string]int{"report": 60, "formats/tensor": 60, "report/page": 20}

func TestExportsAreFew(t *testing.T) {
	for folder, most := range mostExported {
		names := exported(t, folder)
		require.Greater(t, len(names), 5, folder)
		require.LessOrEqual(t, len(names), most, "%s exports %v", folder, names)
	}
}

// exported lists the functions, types, constants and variables that a package exports.
func exported(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", folder, "*.go"))
	require.NoError(t, err)
	add := func(id *ast.Ident) {
		if id.IsExported() {
			names = append(names, id.Name)
		}
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		require.NoError(t, err)
		for _, d := range f.Decls {
			if function, ok := d.(*ast.FuncDecl); ok && function.Recv == nil {
				add(function.Name)
			}
			general, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range general.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					add(s.Name)
				case *ast.ValueSpec:
					for _, id := range s.Names {
						add(id)
					}
				}
			}
		}
	}
	return names
}
