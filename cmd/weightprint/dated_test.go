package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/dated/datedtest"
	"github.com/weightprint/weightprint/report/verdict"
)

// readReport reads a report from a file.
func readReport(t testing.TB, file string) *report.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	r, err := report.ParseJSON(b)
	require.NoError(t, err)
	return r
}

func TestDatedComparison(t *testing.T) {
	dir := demoModels(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	a := tokens(t, dir, "base", "fine-tune")
	both := []string{"--dated", at("base.json.tsr"), "--dated", at("fine-tune.json.tsr"), "--roots", at("tsa.pem")}
	compare := func(want int, more ...string) (*report.Report, string) {
		out := at("r.json")
		code, _, stderr := call(append([]string{"compare", at("base"), at("fine-tune"), "--json", "-o", out, "-q"}, more...)...)
		require.Equal(t, want, code, stderr)
		if code != 0 {
			return nil, stderr
		}
		return readReport(t, out), stderr
	}
	r, _ := compare(0)
	require.Nil(t, r.Verdict.Precedence)
	require.Nil(t, r.Nonce)
	r, _ = compare(0, both...)
	require.Equal(t, verdict.Undetermined, r.Verdict.Direction)
	require.Equal(t, verdict.AToB, r.Verdict.Precedence.Direction)
	r, _ = compare(0, append(both, "--assume-no-access")...)
	require.Equal(t, verdict.AToB, r.Verdict.Direction)
	require.True(t, r.Options.NoAccess)
	require.Contains(t, exits(t, 0, "verify", at("r.json"), at("base"), at("fine-tune")), "their tokens were not looked at")
	require.NotContains(t, exits(t, 0, append([]string{"verify", at("r.json"), at("base"), at("fine-tune")}, both...)...), "tokens")
	require.Contains(t, exits(t, exitMismatch, append([]string{"verify", at("r.json"), at("base"), at("fine-tune")}, both[:4]...)...), "options.dates[0].ignored")
	replace(t, at("r.json"), "2024-03-01", "2023-03-01")
	require.Contains(t, exits(t, exitMismatch, "verify", at("r.json"), at("base"), at("fine-tune")), "differs")
	for _, form := range []string{"text", "md"} {
		out := exits(t, 0, append([]string{"compare", at("base"), at("fine-tune"), "--format", form, "--assume-no-access"}, both...)...)
		require.Contains(t, out, "precedence", form)
		require.Contains(t, out, "assumed", form)
	}
	r, _ = compare(0, both[:4]...)
	require.Nil(t, r.Verdict.Precedence, "no roots, no date")
	require.Contains(t, r.Warnings[len(r.Warnings)-1], "not verified: give the authority's root certificate with --roots")

	// What is forged is refused.
	foreign := datedtest.New(t, datedtest.Making{})
	foreign.StampFile(t, at("base.json"), at("foreign.tsr"), time.Now())
	a.StampFile(t, at("fine-tune.json"), at("base.json.tsr"), time.Now())
	_, stderr := compare(exitMismatch, "--dated", at("foreign.tsr"), "--roots", at("tsa.pem"))
	require.Contains(t, stderr, "does not make it a date")
	_, stderr = compare(exitMismatch, "--dated", at("base.json.tsr"), "--roots", at("tsa.pem"))
	require.Contains(t, stderr, "stamps something else than base.json")
	for _, usage := range [][]string{{"--roots", at("tsa.pem")}, {"--assume-no-access"}, {"--disclosed", "2024-01-01"}, append(both, "--disclosed", "soon")} {
		compare(exitUsage, usage...)
	}
	_, stderr = compare(exitError, "--dated", at("missing.tsr"))
	require.Contains(t, stderr, "--dated: open")
}

// An exhibit draws a nonce and records it; with the same one the same bytes come out.
func TestNonces(t *testing.T) {
	dir := demoModels(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	require.NoError(t, os.WriteFile(at("claim.json"), []byte(`{"parent": "../base"}`), 0o600))
	type audited struct {
		Nonce  *string
		Claims []struct{ Options report.Options }
	}
	audit := func(more ...string) (x audited, text string) {
		text = exits(t, 0, append([]string{"audit", at("fine-tune"), "--claim", at("claim.json"), "--json"}, more...)...)
		require.NoError(t, json.Unmarshal([]byte(text), &x))
		return x, text
	}
	one, text := audit()
	require.Len(t, *one.Nonce, 2*nonceBytes)
	require.Equal(t, *one.Nonce, one.Claims[0].Options.Nonce)
	other, _ := audit()
	require.NotEqual(t, *one.Nonce, *other.Nonce)
	_, again := audit("--nonce", *one.Nonce)
	require.Equal(t, text, again)

	exits(t, 0, "compare", at("base"), at("fine-tune"), "--json", "-o", at("r.json"), "--nonce", "beacon")
	r := readReport(t, at("r.json"))
	require.Equal(t, "beacon", *r.Nonce)
	exits(t, 0, "verify", at("r.json"), at("base"), at("fine-tune"))
	replace(t, at("r.json"), `"nonce": "beacon",
  "seed"`, `"nonce": "become",
  "seed"`)
	require.Contains(t, exits(t, exitMismatch, "verify", at("r.json"), at("base"), at("fine-tune")), "nonce")

	exhibit := func(more ...string) string {
		return exits(t, 0, append([]string{"compare", at("base"), at("fine-tune"), "--format", "intoto"}, more...)...)
	}
	var s struct {
		Predicate struct{ Options report.Options }
	}
	first := exhibit()
	require.NoError(t, json.Unmarshal([]byte(first), &s))
	require.Len(t, s.Predicate.Options.Nonce, 2*nonceBytes)
	require.NotEqual(t, first, exhibit())
	require.Equal(t, first, exhibit("--nonce", s.Predicate.Options.Nonce))
	require.NoError(t, os.WriteFile(at("s.json"), []byte(first), 0o600))
	exits(t, 0, "verify", at("s.json"), at("base"), at("fine-tune"), "--no-signature")
}
