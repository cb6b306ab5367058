package report_test

import (
	"encoding"
	"encoding/json"
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/verdict"
)

// schemaPaths lists the fields of a JSON Schema.
func schemaPaths(node map[string]any, prefix string) (out []string) {
	if items, ok := node["items"].(map[string]any); ok {
		out = append(out, schemaPaths(items, prefix+"[]")...)
	}
	alternatives, _ := node["anyOf"].([]any)
	for _, a := range alternatives {
		out = append(out, schemaPaths(a.(map[string]any), prefix)...)
	}
	properties, _ := node["properties"].(map[string]any)
	for name, sub := range properties {
		path := strings.TrimPrefix(prefix+"."+name, ".")
		out = append(out, path)
		out = append(out, schemaPaths(sub.(map[string]any), path)...)
	}
	return out
}

var (
	asText = reflect.TypeFor[encoding.TextMarshaler]()
	asJSON = reflect.TypeFor[json.Marshaler]()
)

// structPaths lists the fields that a Go type writes.
func structPaths(t reflect.Type, prefix string) (out []string) {
	switch {
	case t.Kind() == reflect.Pointer:
		return structPaths(t.Elem(), prefix)
	case t.Implements(asText) || t.Implements(asJSON):
		return nil
	case t.Kind() == reflect.Slice || t.Kind() == reflect.Array:
		return structPaths(t.Elem(), prefix+"[]")
	case t.Kind() != reflect.Struct:
		return nil
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "-" {
			continue
		}
		path := strings.TrimPrefix(prefix+"."+name, ".")
		out = append(out, path)
		out = append(out, structPaths(f.Type, path)...)
	}
	return out
}

// fields collects what schema, type and page name, each once.
func fields(t *testing.T, schema []byte, of reflect.Type, file string) (bySchema, byType, byPage []string, page string) {
	t.Helper()
	var doc map[string]any
	require.NoError(t, json.Unmarshal(schema, &doc))
	bySchema, byType = schemaPaths(doc, ""), structPaths(of, "")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-zA-Z0-9.\\[\\]]+)` \\|").FindAllStringSubmatch(string(raw), -1) {
		byPage = append(byPage, m[1])
	}
	for _, x := range []*[]string{&bySchema, &byType, &byPage} {
		slices.Sort(*x)
		require.Equal(t, *x, slices.Compact(slices.Clone(*x)), "named twice")
	}
	require.Equal(t, byType, bySchema, "the schema against the type")
	return bySchema, byType, byPage, string(raw)
}

// The predicate's schema and type name the same fields, and its page all that
// the report has not.
func TestPredicateSchemaIsComplete(t *testing.T) {
	bySchema, _, byPage, page := fields(t, intoto.ComparisonSchema, reflect.TypeFor[intoto.Comparison](), "../docs/weight-comparison/v1/README.md")
	require.Contains(t, page, intoto.ComparisonType)
	asReport := regexp.MustCompile(`^(options|verdict|components\[\])\.|^components\[\]|^evidence\.(beside\[\]|strongest\.controls)`)
	bySchema = slices.DeleteFunc(bySchema, asReport.MatchString)
	require.Subset(t, bySchema, byPage)
	require.Subset(t, byPage, bySchema)
}

// The schema, the Go type and docs/SCHEMA.md name the same fields.
func TestSchemaIsComplete(t *testing.T) {
	bySchema, _, byPage, page := fields(t, report.JSONSchema(), reflect.TypeFor[report.Report](), "../docs/SCHEMA.md")
	require.Greater(t, len(bySchema), 80)
	require.Equal(t, bySchema, byPage, "docs/SCHEMA.md against the schema")
	for _, r := range verdict.Relations() {
		require.Contains(t, page, "`"+string(r)+"`")
	}
}

// The schemas allow every kind that a verdict can name. With -renew their lists are
// written anew, so that a kind is named in one place.
func TestSchemasAllowEveryKind(t *testing.T) {
	list := regexp.MustCompile(`(?s)("kinds": \{.*?"enum": \[)(.*?)(\s*\])`)
	want := ""
	for _, k := range verdict.Kinds() {
		want += ",\n              \"" + string(k) + `"`
	}
	want = want[1:]
	for _, file := range []string{"schema.json", "intoto/comparison.schema.json"} {
		schema, err := os.ReadFile(file)
		require.NoError(t, err)
		at := list.FindStringSubmatch(string(schema))
		require.NotNil(t, at)
		if flag.Lookup("renew").Value.String() == "true" {
			require.NoError(t, os.WriteFile(file, []byte(strings.Replace(string(schema), at[0], at[1]+want+at[3], 1)), 0o644))
			continue
		}
		require.Equal(t, want, at[2], "go test ./report -run Schema -renew writes it")
	}
}
