package report_test

import (
	"encoding"
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
)

// schemaPaths lists the fields of a JSON Schema.
func schemaPaths(node map[string]any, prefix string) (out []string) {
	if items, ok := node["items"].(map[string]any); ok {
		out = append(out, schemaPaths(items, prefix+"[]")...)
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

// The schema, the Go type and docs/SCHEMA.md name the same fields.
func TestSchemaIsComplete(t *testing.T) {
	var schema map[string]any
	require.NoError(t, json.Unmarshal(report.JSONSchema, &schema))
	bySchema := schemaPaths(schema, "")
	byType := structPaths(reflect.TypeFor[report.Report](), "")
	page, err := os.ReadFile("../docs/SCHEMA.md")
	require.NoError(t, err)
	byPage := []string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		byPage = append(byPage, m[1])
	}
	for _, x := range []*[]string{&bySchema, &byType, &byPage} {
		slices.Sort(*x)
		require.Equal(t, *x, slices.Compact(slices.Clone(*x)), "named twice")
	}
	require.Greater(t, len(bySchema), 80)
	require.Equal(t, byType, bySchema, "the schema against the type")
	require.Equal(t, bySchema, byPage, "docs/SCHEMA.md against the schema")
	for _, r := range report.Relations {
		require.Contains(t, string(page), "`"+string(r)+"`")
	}
}
