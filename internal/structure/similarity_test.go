package structure

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const (
	module     = "github.com/weightprint/weightprint/"
	similarity = module + "similarity"
)

// rooms lists the packages of similarity/ and which of each other they may
// import, from the mathematics to the list of all tests. The root is "".
var rooms = []struct{ name, imports string }{
	{"stats", ""},
	{"equality", ""},
	{"align", "stats"},
	{"axis", "align stats"},
	{"layers", "align axis stats"},
	{"relabel", "align equality stats"},
	{"mlp", "align axis stats"},
	{"exact/evalue", "stats"},
	{"exact/unitanchored", "align axis mlp stats exact/evalue"},
	{"calibrated/tokenfree", "align axis mlp stats"},
	{"carry", "align axis mlp stats calibrated/tokenfree"},
	{"", "align stats"},
	{"exact", "root align axis mlp stats exact/evalue exact/unitanchored"},
	{"calibrated", "root align axis exact mlp stats calibrated/tokenfree"}, // token-gram and the exact test on tokens read the same rows
	{"sketches", "root stats"},
	{"index", "root sketches stats"},
	{"delta", "align equality stats"},
	{"recipe", "align"},
	{"faithful", ""},
	{"diff", "align"},
	{"architecture", "align axis delta stats"},
	{"suite", "root axis calibrated exact"},
	{"similaritytest", "root align axis stats"},
}

// imports lists what a package imports, its tests inside the package included.
type imports struct {
	from string
	to   []string
}

// read lists the imports of all packages in a folder of the module.
func read(t *testing.T, folder string) (all []imports) {
	t.Helper()
	err := filepath.WalkDir(filepath.Join("..", "..", folder), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil || strings.HasSuffix(f.Name.Name, "_test") {
			return err
		}
		dir, err := filepath.Rel(filepath.Join("..", ".."), filepath.Dir(path))
		i := imports{from: module + filepath.ToSlash(dir)}
		for _, x := range f.Imports {
			i.to = append(i.to, strings.Trim(x.Path.Value, `"`))
		}
		all = append(all, i)
		return err
	})
	require.NoError(t, err)
	return all
}

// misplaced lists the imports that no room allows.
func misplaced(all []imports) (out []string) {
	for _, i := range all {
		name, inside := strings.CutPrefix(i.from, similarity)
		if !inside {
			continue
		}
		name = strings.TrimPrefix(name, "/")
		at := slices.IndexFunc(rooms, func(r struct{ name, imports string }) bool { return r.name == name })
		if at < 0 {
			out = append(out, fmt.Sprintf("%s has no place in the table", i.from))
			continue
		}
		for _, to := range i.to {
			if !allowed(rooms[at].imports, to) {
				out = append(out, fmt.Sprintf("%s imports %s", i.from, to))
			}
		}
	}
	return out
}

// allowed tells whether a room whose list is given may import a package. What
// lies outside similarity/ is not for this test to judge, but reports and
// commands are, whose numbers come from here.
func allowed(list, to string) bool {
	name, inside := strings.CutPrefix(to, similarity)
	if !inside {
		return !strings.HasPrefix(to, module+"report") && !strings.HasPrefix(to, module+"cmd")
	}
	if name = strings.TrimPrefix(name, "/"); name == "" {
		name = "root"
	}
	return slices.Contains(strings.Fields(list), name)
}

func TestRoomsOfSimilarity(t *testing.T) {
	all := read(t, "similarity")
	require.Greater(t, len(all), 60)
	require.Empty(t, misplaced(all))
}

// The rooms stand in an order in which each imports only what is before it.
func TestRoomsAreInOrder(t *testing.T) {
	before := map[string]bool{}
	for _, r := range rooms {
		for _, to := range strings.Fields(r.imports) {
			require.True(t, before[to], "%s may import %s, which stands behind it", r.name, to)
		}
		if r.name == "" {
			before["root"] = true
		}
		before[r.name] = true
	}
}

// The test finds what it is for.
func TestMisplacedImportsAreFound(t *testing.T) {
	require.Empty(t, misplaced([]imports{
		{similarity + "/axis", []string{"fmt", similarity + "/align", module + "formats/roles"}},
		{module + "report", []string{similarity + "/exact"}},
	}))
	require.Equal(t, []string{
		similarity + "/stats imports " + similarity,
		similarity + "/axis imports " + similarity + "/exact",
		similarity + " imports " + module + "report/verdict",
		similarity + "/attic has no place in the table",
	}, misplaced([]imports{
		{similarity + "/stats", []string{"math", similarity}},
		{similarity + "/axis", []string{similarity + "/stats", similarity + "/exact"}},
		{similarity, []string{module + "report/verdict"}},
		{similarity + "/attic", nil},
	}))
}
