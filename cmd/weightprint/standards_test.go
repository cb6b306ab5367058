package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/schematest"
	"github.com/weightprint/weightprint/report/intoto"
)

// exits runs the program and requires an exit code.
func exits(t testing.TB, want int, args ...string) string {
	t.Helper()
	code, out, stderr := call(args...)
	require.Equal(t, want, code, "%v: %s%s", args, out, stderr)
	return out
}

// openssl runs the program of that name, or skips the test where there is none.
func openssl(t testing.TB, dir string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("NOT CHECKED: openssl is not installed")
	}
	c := exec.Command(program, args...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "openssl %s: %s", strings.Join(args, " "), out)
	return string(out)
}

func replace(t testing.TB, file, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	changed := bytes.Replace(raw, []byte(from), []byte(to), 1)
	require.NotEqual(t, string(raw), string(changed), from)
	require.NoError(t, os.WriteFile(file, changed, 0o600))
}

func TestSignVerifyAndCite(t *testing.T) {
	dir := demoModels(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	openssl(t, dir, "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", "key.pem")
	openssl(t, dir, "pkey", "-in", "key.pem", "-pubout", "-out", "pub.pem")
	openssl(t, dir, "genpkey", "-algorithm", "ed25519", "-out", "other.pem")
	openssl(t, dir, "pkey", "-in", "other.pem", "-pubout", "-out", "other.pub.pem")
	openssl(t, dir, "pkey", "-pubin", "-in", "pub.pem", "-outform", "DER", "-out", "pub.der")
	_, id, _ := strings.Cut(strings.TrimSpace(openssl(t, dir, "dgst", "-sha256", "pub.der")), "= ")
	key, pub := at("key.pem"), at("pub.pem")

	exits(t, 0, "manifest", at("base"), "-o", at("base.json"))
	exits(t, 0, "sign", at("base.json"), "--key", key, "-o", at("base.sig"))
	require.Contains(t, exits(t, 0, "verify", at("base.sig"), at("base"), "--key", pub), "signed by key "+id+"\n")
	require.Contains(t, exits(t, 0, "verify", at("base.json"), at("base")), "not signed")
	require.Contains(t, exits(t, 0, "verify", at("base.sig"), at("base"), "--no-signature"), "not checked")
	require.Contains(t, exits(t, 4, "verify", at("base.sig"), at("fine-tune"), "--key", pub), "model.safetensors")
	require.Contains(t, exits(t, 4, "verify", at("base.sig"), at("base"), "--key", at("other.pub.pem")), "signature")
	exits(t, 64, "verify", at("base.sig"), at("base"))
	exits(t, 64, "verify", at("base.sig"), "--key", pub)
	exits(t, 2, "sign", at("base.json"), "--key", at("other.pem"))
	exits(t, 2, "sign", at("base.json"), "--key", pub)
	exits(t, 64, "sign", at("base.json"))

	exits(t, 0, "compare", at("base"), at("fine-tune"), "--json", "-o", at("r.json"))
	exits(t, 0, "sign", at("r.json"), "--key", at("other.pem"), "--model-a", at("base.sig"), "-o", at("r.dsse.json"))
	signed := func(code int, more ...string) string {
		return exits(t, code, append([]string{"verify", at("r.dsse.json"), "--key", at("other.pub.pem")}, more...)...)
	}
	out := signed(0, at("base"), at("fine-tune"), "--report", at("r.json"))
	require.Contains(t, out, "every number of the statement")
	require.Contains(t, out, "found: related of A base and B fine-tune")
	require.Contains(t, signed(0), "not made anew")
	require.Contains(t, signed(4, at("base"), at("other-seed")), "subject[2]")
	signed(64, at("base"))
	exits(t, 4, "verify", at("r.dsse.json"), "--key", pub)
	exits(t, 2, "sign", at("r.json"), "--key", key, "--model-b", at("base.sig"))
	replace(t, at("r.json"), `"fine-tuned"`, `"merged"`)
	require.Contains(t, signed(4, "--report", at("r.json")), "is not the report that was signed")
	replace(t, at("r.json"), `"tool": {`, `"note": 1, "tool": {`)
	exits(t, 2, "sign", at("r.json"), "--key", key)

	exits(t, 0, "compare", at("base"), at("fine-tune"), "--json", "--budget", "100KiB", "-o", at("part.json"))
	code, _, stderr := call("sign", at("part.json"), "--key", key)
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "--pin")
	exits(t, 0, "compare", at("base"), at("fine-tune"), "--json", "--budget", "100KiB", "--pin", "-o", at("part.json"))
	exits(t, 0, "sign", at("part.json"), "--key", key, "-o", at("part.dsse.json"))
	exits(t, 0, "verify", at("part.dsse.json"), at("base"), at("fine-tune"), "--key", pub)
}

// A report in a statement without a signature.
func TestStandardFormats(t *testing.T) {
	dir := demoModels(t)
	a, b := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	var s struct {
		PredicateType string
		Predicate     json.RawMessage
	}
	out := exits(t, 0, "compare", a, b, "--format", "intoto", "--budget", "100KiB")
	require.NoError(t, json.Unmarshal([]byte(out), &s))
	require.Equal(t, intoto.ComparisonType, s.PredicateType)
	schematest.Valid(t, schematest.Compile(t, "c.json", intoto.ComparisonSchema, nil), s.Predicate)
	file := filepath.Join(dir, "s.json")
	require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
	require.Contains(t, exits(t, 0, "verify", file, a, b), "not signed")
	require.Contains(t, exits(t, 0, "compare", a, b, "--format", "cyclonedx"), `"machine-learning-model"`)
}

func TestVerifyReportsOfOthers(t *testing.T) {
	dir := demoModels(t)
	at := func(name string) string { return filepath.Join(dir, name) }
	made := func() string {
		_ = os.Remove(at("r.json")) // what was changed in it need not look like ours
		exits(t, 0, "compare", at("base"), at("fine-tune"), "--json", "-o", at("r.json"))
		return at("r.json")
	}
	require.Contains(t, exits(t, 0, "verify", made(), at("base"), at("fine-tune")), "verified")
	for i, c := range []struct{ from, to, path string }{
		{`"direction": "undetermined"`, `"direction": "a-to-b"`, "verdict.direction"},
		{`"strength": "`, `"note": "stolen", "strength": "`, "verdict.note"},
		{`"limits": [`, `"limits": ["nothing",`, "limits[0]"},
		{`"sha256": "`, `"sha256": "f`, "subjects[0].files[0].sha256"},
		{`"log10P": -`, `"log10P": -9`, "verdict.log10P"},
	} {
		if testing.Short() && i > 1 {
			break
		}
		replace(t, made(), c.from, c.to)
		require.Contains(t, exits(t, 4, "verify", at("r.json"), at("base"), at("fine-tune")), "differs: "+c.path+" ")
	}
	require.Contains(t, exits(t, 4, "verify", made(), at("fine-tune"), at("base")), "differs: ")
	// Read twice by others, once by us: refused.
	replace(t, made(), `"schema":`, `"Schema": "x", "schema":`)
	exits(t, 2, "verify", at("r.json"), at("base"), at("fine-tune"))
	// Made with a level that finds a relation in anything.
	replace(t, made(), `"alpha": 1e-9`, `"alpha": 0.5`)
	code, out, _ := call("verify", at("r.json"), at("base"), at("fine-tune"))
	require.True(t, code == 4 || strings.Contains(out, "note: the report was made with alpha 0.5"), out)
	// From fingerprints.
	exits(t, 0, "fingerprint", at("base"), "-o", at("base.wfp"))
	exits(t, 0, "compare", at("base.wfp"), at("fine-tune"), "--json", "-o", at("r.json"))
	require.Contains(t, exits(t, 0, "verify", at("r.json"), at("base.wfp"), at("fine-tune")), "verified")
}

func TestAuditExitCodes(t *testing.T) {
	dir := demoModels(t)
	tune := filepath.Join(dir, "fine-tune")
	claim := func(text string) string {
		file := filepath.Join(t.TempDir(), "claim.json")
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	for _, c := range []struct {
		claim, failOn string
		code          int
	}{
		{`{"parent":"base"}`, "contradicted", 0},
		{`{"parent":"base"}`, "confirmed", 1},
		{`{"parent":"other-seed"}`, "contradicted", 1},
		{`{"parent":"other-seed"}`, "", 0},
		{`{"parent":"base","direction":"a-to-b"}`, "contradicted", 0},
		{`{"parent":"base","direction":"a-to-b"}`, "unproven", 3},
		{`{"parent":"nowhere"}`, "contradicted", 2},
		{`{"parent":"base","relation":"stolen"}`, "", 2},
		{`{"parent":"base"}`, "stolen", 64},
	} {
		exits(t, c.code, "audit", tune, "--claim", claim(c.claim), "--fail-on", c.failOn)
	}
	require.Contains(t, exits(t, 0, "audit", tune), "declare no parent")
	exits(t, 3, "audit", tune, "--fail-on", "unproven")
	require.NoError(t, os.WriteFile(filepath.Join(tune, "README.md"), []byte("---\nbase_model: org/base\n---\n"), 0o600))
	require.Contains(t, exits(t, 0, "audit", tune, "--parents", dir), "confirmed")
	var x struct {
		Claims []struct {
			Outcome  string
			Subjects []struct{ Root string }
		}
	}
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "audit", tune, "--parents", dir, "--json")), &x))
	require.Equal(t, "confirmed", x.Claims[0].Outcome)
	require.Len(t, x.Claims[0].Subjects, 2)
}
