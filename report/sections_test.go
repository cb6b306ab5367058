package report

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/page"
)

// unshown are fields of the JSON form that no written form shows.
var unshown = []string{"context"}

// Every field of the schema is shown by a section or the head, and no section shows
// what the schema has not.
func TestSectionsShowTheSchema(t *testing.T) {
	var schema struct{ Properties map[string]any }
	require.NoError(t, json.Unmarshal(JSONSchema(), &schema))
	var fields []string
	for name := range schema.Properties {
		fields = append(fields, name)
	}
	shown := append(strings.Fields(head), unshown...)
	for _, s := range sections {
		shown = append(shown, strings.Fields(s.shows)...)
	}
	slices.Sort(fields)
	slices.Sort(shown)
	require.Equal(t, fields, slices.Compact(shown))
}

// Every section has its place in some form, and each form names sections that there
// are, once.
func TestSectionsHaveTheirPlace(t *testing.T) {
	var names []string
	for _, s := range sections {
		require.NotContains(t, names, s.name)
		names = append(names, s.name)
	}
	placed := map[string]bool{}
	for form, groups := range orders {
		seen := map[string]bool{}
		for _, name := range slices.Concat(groups...) {
			require.Contains(t, names, name, "%s", form)
			require.False(t, seen[name], "%s lists %s twice", form, name)
			seen[name], placed[name] = true, true
		}
	}
	require.Len(t, placed, len(names))
}

// Rows of tables have a cell for each column, and blocks hold one thing each: what a
// form would pass over is not there.
func TestBlocksAreWhole(t *testing.T) {
	for _, file := range []string{"related", "disguised", "identical", "inconclusive", "no-evidence", "shared-init"} {
		text, err := os.ReadFile("testdata/text/" + file + ".json")
		require.NoError(t, err)
		r, err := ParseJSON(text)
		require.NoError(t, err)
		for form := range orders {
			count := 0
			for _, s := range slices.Concat(r.Sections(form)...) {
				require.NotEmpty(t, s.Title+s.Label)
				for _, b := range s.Blocks {
					count++
					holds := 0
					for _, is := range []bool{b.Words != "", len(b.Items) > 0, b.Table != nil, len(b.Terms) > 0, b.Drawing != ""} {
						if is {
							holds++
						}
					}
					require.LessOrEqual(t, holds, 1)
					require.True(t, form == page.HTML || b.Drawing == "" && len(b.Terms) == 0 && b.Fold == "", "%s cannot write %+v", form, b)
					if b.Table != nil {
						for _, row := range b.Table.Rows {
							require.Len(t, row, len(b.Table.Columns))
						}
					}
				}
			}
			require.Greater(t, count, 4, "%s of %s", form, file)
		}
	}
}

// A page explains its own words: the relation, the kinds, H0, every test that was run.
func TestPagesHaveAGlossary(t *testing.T) {
	r := golden(t, "disguised")
	for _, form := range []page.Form{page.HTML, page.Markdown} {
		var said strings.Builder
		for _, group := range r.Sections(form) {
			for _, s := range group {
				if s.Title == "Glossary" {
					fmt.Fprint(&said, s.Blocks)
					require.Len(t, s.Blocks[1].Table.Rows, len(r.Methods.Tests))
				}
			}
		}
		for _, word := range []string{"a random initialisation may be all that is common", "The two differ in what does not change the function", "neither file arranged with the other in sight", "conformal p", "Values of one model planted"} {
			require.Contains(t, said.String(), word, form)
		}
	}
	r.Verdict.Alternatives = nil
	require.NotContains(t, r.words(), "passenger")
}
