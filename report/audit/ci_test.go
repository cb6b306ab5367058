package audit_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report/audit"
	"github.com/weightprint/weightprint/report/verdict"
)

// outcomes are one claim of each outcome, with hostile names.
func outcomes() []audit.Audited {
	result := func(o audit.Outcome, parent, source string) audit.Result {
		return audit.Result{Claim: audit.Claim{Parent: parent, Relation: verdict.Related}, Source: source, Outcome: o, Because: "because \x1b[31m <b>&\u202e"}
	}
	return []audit.Audited{
		{Model: "models/a b", Results: []audit.Result{result(audit.Confirmed, "base", "README.md"), result(audit.Contradicted, "\x00]]><script>", "config.json")}},
		{Model: "hf:org/name@main", Claim: "claims/c.json", Results: []audit.Result{result(audit.Unproven, "base", "claim")}},
		{Model: "models/x.gguf", Results: []audit.Result{result(audit.Unproven, "base", "general.base_model.0.name")}},
		{Model: "nothing"},
	}
}

func TestSARIF(t *testing.T) {
	s := schematest.SARIF(t, "testdata")
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID, Kind, Level string
				Locations           []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
				}
				PartialFingerprints map[string]string
			}
		}
	}
	for _, c := range []struct {
		failing []audit.Outcome
		want    string
	}{
		{nil, "WP003 pass none, WP001 fail error, WP002 open none, WP002 open none"},
		{[]audit.Outcome{audit.Unproven}, "WP003 pass none, WP001 fail error, WP002 fail warning, WP002 fail warning"},
	} {
		var b bytes.Buffer
		require.NoError(t, audit.WriteSARIF(&b, outcomes(), c.failing...))
		schematest.Valid(t, s, b.Bytes())
		require.NotContains(t, b.String(), "\x1b")
		require.NoError(t, json.Unmarshal(b.Bytes(), &log))
		var got, at []string
		prints := map[string]bool{}
		for _, r := range log.Runs[0].Results {
			got = append(got, r.RuleID+" "+r.Kind+" "+r.Level)
			at = append(at, r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
			prints[r.PartialFingerprints["claim/v1"]] = true
		}
		require.Equal(t, c.want, strings.Join(got, ", "))
		require.Equal(t, []string{"models/a%20b/README.md", "models/a%20b/config.json", "claims/c.json", "models/x.gguf"}, at)
		require.Len(t, prints, len(got))
		schematest.Invalid(t, s, bytes.Replace(b.Bytes(), []byte(`"2.1.0"`), []byte(`"2.0.0"`), 1))
	}
	var none bytes.Buffer
	require.NoError(t, audit.WriteSARIF(&none, nil))
	schematest.Valid(t, s, none.Bytes())
}

func TestJUnit(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, audit.WriteJUnit(&b, outcomes()))
	var read struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Suites   []struct {
			Name    string `xml:"name,attr"`
			Skipped int    `xml:"skipped,attr"`
			Cases   []struct {
				Name    string `xml:"name,attr"`
				Failure *struct {
					Type string `xml:"type,attr"`
				} `xml:"failure"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	require.NoError(t, xml.Unmarshal(b.Bytes(), &read))
	require.Equal(t, 4, read.Tests)
	require.Equal(t, 1, read.Failures)
	require.Len(t, read.Suites, 4)
	require.Nil(t, read.Suites[0].Cases[0].Failure)
	require.Equal(t, "contradicted", read.Suites[0].Cases[1].Failure.Type)
	require.Equal(t, 1, read.Suites[1].Skipped)
	require.NotContains(t, b.String(), "<script")
	require.NotContains(t, b.String(), "\x1b")

	b.Reset()
	require.NoError(t, audit.WriteJUnit(&b, outcomes(), audit.Unproven))
	require.NoError(t, xml.Unmarshal(b.Bytes(), &read))
	require.Equal(t, 3, read.Failures)
}
