package cyclonedx_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/demo"
	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/cyclonedx"
	"github.com/weightprint/weightprint/report/verdict"
)

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	return schematest.CycloneDX(t, "testdata")
}

func bill(t testing.TB, r *report.Report) ([]byte, *cdx.BOM) {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, cyclonedx.Write(r, &b))
	var out cdx.BOM
	require.NoError(t, cdx.NewBOMDecoder(bytes.NewReader(b.Bytes()), cdx.BOMFileFormatJSON).Decode(&out))
	return b.Bytes(), &out
}

func TestFollowsTheSchema(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, demo.Extract(dir))
	s := schema(t)
	for _, c := range demo.Steps {
		r, err := report.Compare(context.Background(), filepath.Join(dir, c.A), filepath.Join(dir, c.B), nil)
		require.NoError(t, err)
		text, b := bill(t, r)
		schematest.Valid(t, s, text)
		again, _ := bill(t, r)
		require.Equal(t, text, again)
		require.NotContains(t, string(text), dir)
		m := b.Metadata.Component
		require.Equal(t, c.B, m.Name)
		require.Equal(t, r.Subjects[1].Files[0].SHA256, (*(*m.Components)[0].Hashes)[0].Value)
		require.Contains(t, m.Pedigree.Notes, c.Want)
		schematest.Invalid(t, s, bytes.Replace(text, []byte(`"pedigree"`), []byte(`"pedigrees"`), 1))
	}
}

// A is an ancestor only where one-way evidence says so, and no relative at all
// where no common trained origin was found.
func TestPedigree(t *testing.T) {
	s := schema(t)
	for _, relation := range verdict.Relations() {
		for _, direction := range []verdict.Direction{verdict.AToB, verdict.BToA, verdict.Undetermined} {
			r := &report.Report{Tool: report.Tool{Name: "weightprint"}, Limits: []string{"x"}, Verdict: verdict.Verdict{Relation: relation, Direction: direction, Strength: "support"}}
			r.Subjects[0].Ref, r.Subjects[1].Ref = "a/", "b.gguf"
			text, b := bill(t, r)
			schematest.Valid(t, s, text)
			p := b.Metadata.Component.Pedigree
			trained := relation == verdict.Related || relation == verdict.Reencoded || relation == verdict.Identical
			require.Equal(t, trained && direction == verdict.AToB, p.Ancestors != nil)
			require.Equal(t, trained && direction == verdict.BToA, p.Descendants != nil)
			require.Equal(t, trained && direction == verdict.Undetermined, p.Variants != nil)
		}
	}
}

func TestHostileNames(t *testing.T) {
	s := schema(t)
	for _, name := range []string{"\x1b[2Jx", "<script>", "\u202ex", "\u009bx", "", "../..", "a\x00b", strings.Repeat("x", 1<<20), "=HYPERLINK(1)"} {
		r := &report.Report{Tool: report.Tool{Name: "weightprint"}, Limits: []string{name}, Verdict: verdict.Verdict{Relation: verdict.Related, Because: []string{name}}}
		r.Subjects[0].Ref, r.Subjects[1].Ref = name, name
		r.Subjects[1].Files = []report.File{{Path: name}}
		text, _ := bill(t, r)
		schematest.Valid(t, s, text)
		for _, c := range string(text) {
			require.False(t, c < 0x20 && c != '\n' || c >= 0x7f && c < 0xa0 || c == 0x202e || c == '<', "%q in %.80q", c, name)
		}
	}
}

func ExampleWrite() {
	r := &report.Report{Tool: report.Tool{Name: "weightprint", Version: "v1"}, Verdict: verdict.Verdict{Relation: verdict.Related, Direction: verdict.Undetermined, Strength: "strong support"}}
	r.Subjects[0].Ref, r.Subjects[1].Ref = "base", "suspect"
	var b bytes.Buffer
	if err := cyclonedx.Write(r, &b); err != nil {
		panic(err)
	}
	var out struct {
		SpecVersion string
		Metadata    struct {
			Component struct {
				Pedigree struct{ Variants []struct{ Name string } }
			}
		}
	}
	if err := json.Unmarshal(b.Bytes(), &out); err != nil {
		panic(err)
	}
	fmt.Println(out.SpecVersion, out.Metadata.Component.Pedigree.Variants)
	// Output: 1.6 [{base}]
}
