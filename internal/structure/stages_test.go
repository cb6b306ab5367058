package structure

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const stagesAt = module + "report/internal/"

// stages lists the packages that a comparison runs through, in their order, each
// with those before it that it builds on.
var stages = []struct{ name, imports string }{
	{"aligned", ""},
	{"planned", "aligned"},
	{"read", "aligned planned"},
	{"tested", "aligned planned read"},
	{"measured", "read"},
}

// steps are the calls of report.Build that make up a comparison: open, align, plan,
// read once, test, measure, decide, describe.
var steps = []string{"open", "aligned.New", "planned.Of", "read.Once", "tested.By", "measured.From", "measured.Carry", "measured.Draw", "decide", "tested.Further", "describe"}

// upward lists the imports of stages that run back up, or to what only uses stages.
func upward(all []imports) (out []string) {
	for _, i := range all {
		at := slices.IndexFunc(stages, func(s struct{ name, imports string }) bool { return stagesAt+s.name == i.from })
		if at < 0 && strings.HasPrefix(i.from, stagesAt) {
			out = append(out, i.from+" is no stage")
		}
		for _, to := range i.to {
			name, stage := strings.CutPrefix(to, stagesAt)
			switch {
			case at >= 0 && stage && !slices.Contains(strings.Fields(stages[at].imports), name),
				at >= 0 && !stage && strings.HasPrefix(to, module+"report") && to != module+"report/verdict",
				at < 0 && stage && i.from != module+"report":
				out = append(out, i.from+" imports "+to)
			}
		}
	}
	return out
}

// No stage imports one that comes after it, nor what is made of it; and a comparison
// alone runs them.
func TestStagesImportWhatComesBefore(t *testing.T) {
	all := read(t, "report")
	require.Greater(t, len(all), 60)
	require.Empty(t, upward(all))
	for i, s := range stages {
		for _, before := range strings.Fields(s.imports) {
			require.Less(t, slices.IndexFunc(stages, func(x struct{ name, imports string }) bool { return x.name == before }), i)
		}
	}
	require.Equal(t, []string{
		stagesAt + "read imports " + stagesAt + "tested",
		stagesAt + "planned imports " + module + "report",
		module + "report/html imports " + stagesAt + "read",
		stagesAt + "attic is no stage",
	}, upward([]imports{
		{stagesAt + "read", []string{stagesAt + "planned", stagesAt + "tested", module + "report/verdict"}},
		{stagesAt + "planned", []string{"context", module + "report"}},
		{module + "report", []string{stagesAt + "measured"}},
		{module + "report/html", []string{module + "report", stagesAt + "read"}},
		{stagesAt + "attic", nil},
	}))
}

// Build is the comparison from end to end: it calls each stage once, in order.
func TestBuildRunsTheStagesInOrder(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "report", "compare.go"), nil, 0)
	require.NoError(t, err)
	var called []string
	for _, d := range f.Decls {
		if build, ok := d.(*ast.FuncDecl); ok && build.Name.Name == "Build" {
			ast.Inspect(build, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if name := calledName(call); slices.Contains(steps, name) {
						called = append(called, name)
					}
				}
				return true
			})
		}
	}
	require.Equal(t, steps, called)
}

func calledName(call *ast.CallExpr) string {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		if x, ok := f.X.(*ast.Ident); ok {
			return x.Name + "." + f.Sel.Name
		}
	}
	return ""
}

// What describes a comparison, writes it or judges its parts takes no context: it
// cannot read, so that a report is a function of what was found.
func TestDescribingReadsNothing(t *testing.T) {
	for _, name := range []string{"describe", "components", "delta", "figures", "questions", "sections", "sections_tables", "sections_tests", "sections_words", "text", "text_parts", "text_brief", "markdown"} {
		f, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "..", "report", name+".go"), nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, i := range f.Imports {
			require.NotContains(t, []string{`"context"`, `"os"`, `"` + module + `formats"`}, i.Path.Value, name)
		}
	}
}
