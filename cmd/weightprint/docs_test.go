package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/dated/datedtest"
)

// commands lists the indented command lines of a page.
func commands(t testing.TB, page string) (out []string) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "docs", page))
	require.NoError(t, err)
	for _, m := range regexp.MustCompile(`(?m)^    ((?:weightprint|openssl|curl|sha256sum) .*)$`).FindAllStringSubmatch(string(raw), -1) {
		out = append(out, m[1])
	}
	return out
}

// setup makes a folder with base/ and suspect/ and goes there.
func setup(t *testing.T) string {
	t.Helper()
	dir := demoModels(t)
	require.NoError(t, os.Rename(filepath.Join(dir, "fine-tune"), filepath.Join(dir, "suspect")))
	t.Chdir(dir)
	return dir
}

// runs runs one command line of a page.
func runs(t testing.TB, dir, line string, ignore bool) {
	t.Helper()
	words := strings.Fields(line)
	if words[0] == "weightprint" {
		code, out, stderr := call(words[1:]...)
		require.True(t, code == 0 || ignore && code == exitFinding, "%s: %d %s%s", line, code, out, stderr)
		return
	}
	c := exec.Command(words[0], words[1:]...)
	c.Dir = dir
	out, err := c.CombinedOutput()
	require.NoError(t, err, "%s: %s", line, out)
}

// tokens stamps the manifests of models, one after the other, under an authority
// that only this test knows: NAME.json, NAME.json.tsr and tsa.pem.
func tokens(t testing.TB, dir string, models ...string) *datedtest.Authority {
	t.Helper()
	a := datedtest.New(t, datedtest.Making{})
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tsa.pem"), a.Roots, 0o600))
	for i, m := range models {
		manifest := filepath.Join(dir, m+".json")
		exits(t, 0, "manifest", filepath.Join(dir, m), "-o", manifest)
		a.StampFile(t, manifest, manifest+".tsr", time.Date(2024, 3, 1+i, 0, 0, 0, 0, time.UTC))
	}
	return a
}

// authority makes a time-stamping authority that exists for this test only.
func authority(t testing.TB, dir string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tsa.cnf"), []byte(`[tsa]
default_tsa = here
[here]
serial = tsa.serial
signer_cert = tsa.pem
signer_key = tsa.key.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
[req]
distinguished_name = name
[name]
[stamps]
extendedKeyUsage = critical,timeStamping
`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "tsa.serial"), []byte("01\n"), 0o600))
	openssl(t, dir, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "tsa.key.pem", "-out", "tsa.pem", "-subj", "/CN=test", "-days", "1", "-config", "tsa.cnf", "-extensions", "stamps")
}

// answered finds a query and the answer to it in a command that asks an authority.
var answered = regexp.MustCompile(`^curl .* --data-binary @(\S+) \S+ -o (\S+)$`)

// Every command of docs/SIGNING.md works as it stands there; an authority on
// this machine takes the place of the one that curl asks.
func TestSigningPage(t *testing.T) {
	lines := commands(t, "SIGNING.md")
	require.Greater(t, len(lines), 14)
	dir := setup(t)
	openssl(t, dir, "version")
	authority(t, dir)
	for _, line := range lines {
		if strings.HasPrefix(line, "curl ") {
			line = answered.ReplaceAllString(line, "openssl ts -reply -queryfile $1 -out $2 -config tsa.cnf")
		}
		runs(t, dir, line, false)
	}
	replace(t, "report.dsse.json", "payload", "paylaod")
	require.Error(t, exec.Command("openssl", "ts", "-verify", "-data", "report.dsse.json", "-in", "report.tsr", "-CAfile", "tsa.pem").Run())
}

// Every command of docs/AUDITOR.md works as it stands there.
func TestAuditorPage(t *testing.T) {
	lines := commands(t, "AUDITOR.md")
	require.Greater(t, len(lines), 5)
	dir := setup(t)
	tokens(t, dir, "base", "suspect")
	require.NoError(t, os.Mkdir(filepath.Join(dir, "models"), 0o700))
	require.NoError(t, os.Symlink("suspect", filepath.Join(dir, "release")))
	require.NoError(t, os.Symlink("../other-seed", filepath.Join(dir, "models", "other")))
	require.NoError(t, os.WriteFile("claim.json", []byte(`{"parent": "base"}`), 0o600))
	for _, line := range lines {
		if strings.HasPrefix(line, "sha256sum") {
			if _, err := exec.LookPath("sha256sum"); err != nil {
				t.Logf("NOT CHECKED: %s", line)
				continue
			}
		}
		runs(t, dir, line, true)
	}
}
