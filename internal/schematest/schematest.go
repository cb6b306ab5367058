// Package schematest holds JSON documents against JSON Schemas in tests.
package schematest

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"
)

// Compile makes a schema ready. refs are the texts of schemas that it refers
// to, by their address.
func Compile(t testing.TB, address string, text []byte, refs map[string][]byte) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	add := func(address string, text []byte) {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		require.NoError(t, err)
		require.NoError(t, c.AddResource(address, doc))
	}
	add(address, text)
	for a, b := range refs {
		add(a, b)
	}
	s, err := c.Compile(address)
	require.NoError(t, err)
	return s
}

// Valid requires that a document follows a schema.
func Valid(t testing.TB, s *jsonschema.Schema, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	require.NoError(t, s.Validate(doc))
}

// Invalid requires that a document breaks a schema.
func Invalid(t testing.TB, s *jsonschema.Schema, text []byte) {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	require.NoError(t, err)
	require.Error(t, s.Validate(doc))
}

// CycloneDX is the schema of CycloneDX 1.6, from the folder of report/cyclonedx that
// holds it.
func CycloneDX(t testing.TB, testdata string) *jsonschema.Schema {
	t.Helper()
	const at = "http://cyclonedx.org/schema/"
	refs := map[string][]byte{}
	for _, name := range []string{"spdx.schema.json", "jsf-0.82.schema.json"} {
		refs[at+name] = unpacked(t, filepath.Join(testdata, name+".gz"))
	}
	return Compile(t, at+"bom-1.6.schema.json", unpacked(t, filepath.Join(testdata, "bom-1.6.schema.json.gz")), refs)
}

// SARIF is the schema of SARIF 2.1.0, from the folder of report/audit that holds it.
func SARIF(t testing.TB, testdata string) *jsonschema.Schema {
	t.Helper()
	return Compile(t, "https://docs.oasis-open.org/sarif/sarif-schema-2.1.0.json", unpacked(t, filepath.Join(testdata, "sarif-2.1.0.schema.json.gz")), nil)
}

func unpacked(t testing.TB, file string) []byte {
	t.Helper()
	f, err := os.Open(file)
	require.NoError(t, err)
	defer f.Close()
	z, err := gzip.NewReader(f)
	require.NoError(t, err)
	b, err := io.ReadAll(z)
	require.NoError(t, err)
	return b
}
