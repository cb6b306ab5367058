package weightprint_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Every door that the map of the module names is there.
func TestDoorsAreThere(t *testing.T) {
	raw, err := os.ReadFile("doc.go")
	require.NoError(t, err)
	links := regexp.MustCompile(`\[github\.com/weightprint/weightprint/([a-z/]+)\.([A-Za-z.]+)\]`).FindAllStringSubmatch(string(raw), -1)
	require.Greater(t, len(links), 20)
	declared := map[string]map[string]bool{}
	for _, l := range links {
		if declared[l[1]] == nil {
			declared[l[1]] = functions(t, l[1])
		}
		require.True(t, declared[l[1]][l[2]], "%s.%s", l[1], l[2])
	}
}

// functions lists the functions and methods of a folder, methods behind their type.
func functions(t *testing.T, dir string) map[string]bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	require.NoError(t, err)
	out := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		require.NoError(t, err)
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			name := fn.Name.Name
			if fn.Recv != nil {
				of := fn.Recv.List[0].Type
				if p, ok := of.(*ast.StarExpr); ok {
					of = p.X
				}
				if id, ok := of.(*ast.Ident); ok {
					name = id.Name + "." + name
				}
			}
			out[name] = true
		}
	}
	return out
}
