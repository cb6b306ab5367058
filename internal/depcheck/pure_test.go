package depcheck

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// rule says what the code of a folder, its tests apart, must not import, beside
// what its rank forbids.
type rule struct {
	of     string   // a folder; with /... the folders below it too
	may    []string // where it is not nil: nothing of the module but this
	mayNot []string // of the module or the library
}

// rules keep packages pure. A row is enough to add one.
var rules = []rule{
	// A verdict is a function of facts: it opens, reads and runs nothing.
	{of: "report/verdict", may: []string{"formats/tensor", "similarity", "similarity/architecture", "similarity/calibrated", "similarity/carry", "similarity/delta", "similarity/exact", "similarity/stats"}, mayNot: []string{"os", "io", "context", "net/...", "time", "math/rand/..."}},
	// Escaping and layout are words only.
	{of: "internal/escape", may: []string{}},
	{of: "internal/columns", may: []string{"internal/escape"}},
	// What is measured is measured below: report hands on what others read.
	{of: "report", mayNot: []string{"internal/dense", "internal/rng", "internal/linalg"}},
}

// covers tells whether a pattern names a path of the module, or of the library.
func covers(pattern, path string) bool {
	if base, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == base || strings.HasPrefix(path, base+"/")
	}
	return path == pattern
}

func anyCovers(patterns []string, path string) bool {
	for _, p := range patterns {
		if covers(p, path) {
			return true
		}
	}
	return false
}

// breaks tells whether a folder that the rule is about must not import a path.
func (r rule) breaks(path string, own bool) bool {
	return anyCovers(r.mayNot, path) || own && r.may != nil && !anyCovers(r.may, path)
}

// imports lists what each folder imports outside tests, with one file for each.
func imports(t *testing.T, root string) map[string]map[string]string {
	t.Helper()
	out := map[string]map[string]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && strings.HasPrefix(d.Name(), ".git") {
			return err
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		folder := filepath.ToSlash(rel)
		if out[folder] == nil {
			out[folder] = map[string]string{}
		}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out[folder][name] = path
		}
		return nil
	})
	require.NoError(t, err)
	return out
}

// Packages import only what their row allows.
func TestPackagesArePure(t *testing.T) {
	all := imports(t, filepath.Join("..", ".."))
	require.Greater(t, len(all), 30)
	for _, r := range rules {
		asked := 0
		for folder, names := range all {
			if !covers(r.of, folder) {
				continue
			}
			asked++
			for name, file := range names {
				path, own := strings.CutPrefix(name, module+"/")
				if r.breaks(path, own) {
					t.Errorf("%s imports %s, which %s must not: see the table of %s", file, path, folder, "internal/depcheck/pure_test.go")
				}
			}
		}
		require.Positive(t, asked, "the rule of %s is about no folder", r.of)
	}
}

// The rules themselves find what they are there for.
func TestRulesAreBroken(t *testing.T) {
	for _, c := range []struct {
		rule   rule
		path   string
		own    bool
		broken bool
	}{
		{rules[0], "report", true, true},
		{rules[0], "similarity/suite", true, true},
		{rules[0], "os", false, true},
		{rules[0], "net/http", false, true},
		{rules[0], "similarity/delta", true, false},
		{rules[0], "slices", false, false},
		{rules[1], "formats/tensor", true, true},
	} {
		require.Equal(t, c.broken, c.rule.breaks(c.path, c.own), c.path)
	}
}
