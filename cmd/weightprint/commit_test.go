package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/closed"
	"github.com/weightprint/weightprint/report/verdict"
)

// protocol is a folder in which two parties go through the protocol.
type protocol struct {
	t   *testing.T
	dir string
}

func (p protocol) file(name string) string { return filepath.Join(p.dir, name) }

func (p protocol) must(args ...string) string {
	p.t.Helper()
	code, out, stderr := call(args...)
	require.Zero(p.t, code, stderr)
	return out
}

// commit commits to both models and draws a challenge.
func (p protocol) commit(a, b string, flags ...string) {
	p.t.Helper()
	p.must("commit", a, "-o", p.file("a.commit"))
	p.must("commit", b, "-o", p.file("b.commit"))
	p.must(append([]string{"challenge", p.file("a.commit"), p.file("b.commit"), "-o", p.file("challenge")}, flags...)...)
}

func (p protocol) respond(model, who string, flags ...string) string {
	p.t.Helper()
	return p.must(append([]string{"respond", model, "--opening", p.file(who + ".commit.opening"), "--challenge", p.file("challenge")}, flags...)...)
}

func (p protocol) check(flags ...string) (int, string) {
	code, out, _ := call(append([]string{"check", p.file("challenge"), p.file("a.commit"), p.file("b.commit"), p.file("a.response"), p.file("b.response")}, flags...)...)
	return code, out
}

func TestClosedWeights(t *testing.T) {
	models := demoModels(t)
	base, tuned, stranger := filepath.Join(models, "base"), filepath.Join(models, "fine-tune"), filepath.Join(models, "other-seed")
	for _, c := range []struct {
		name, b  string
		relation verdict.Relation
	}{{"relatives", tuned, verdict.Related}, {"strangers", stranger, verdict.Inconclusive}} {
		t.Run(c.name, func(t *testing.T) {
			p := protocol{t, t.TempDir()}
			p.commit(base, c.b, "--beacon", "one")
			digest := p.respond(base, "a")
			require.NoFileExists(t, p.file("a.response"))
			require.Equal(t, digest, p.respond(base, "a", "--beacon", "two", "-o", p.file("a.response")), "the answer does not depend on the second value")
			p.respond(c.b, "b", "--beacon", "two", "-o", p.file("b.response"))

			var got closed.Result
			code, out := p.check("--json")
			require.Zero(t, code, out)
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			require.Equal(t, verdict.Inconclusive, got.Comparison.Relation, "labels alone, which whoever has both models can arrange")
			code, out = p.check("--json", "--assume-no-access")
			require.Zero(t, code, out)
			require.NoError(t, json.Unmarshal([]byte(out), &got))
			require.Equal(t, closed.Schema, got.Schema)
			require.Equal(t, c.relation, got.Comparison.Relation)
			require.NotEmpty(t, got.NotProved)
			code, out = p.check()
			require.Zero(t, code)
			require.Contains(t, out, "not proved")

			code, out = p.check("--answer", digest[len("answer "):len(digest)-1])
			require.Equal(t, exitMismatch, code, "one of the two answers was not published: %s", out)
		})
	}
}

func TestCheckFindsMismatches(t *testing.T) {
	models := demoModels(t)
	base, tuned := filepath.Join(models, "base"), filepath.Join(models, "fine-tune")
	p := protocol{t, t.TempDir()}
	p.commit(base, tuned)
	p.respond(base, "a", "-o", p.file("a.response"))
	p.respond(tuned, "b", "-o", p.file("b.response"))
	code, out := p.check()
	require.Zero(t, code, out)
	require.Contains(t, out, "2^64 tries")

	good, err := os.ReadFile(p.file("b.response"))
	require.NoError(t, err)
	for at := 0; at < len(good); at += len(good)/23 + 1 {
		bad := bytes.Clone(good)
		bad[at] ^= 4
		require.NoError(t, os.WriteFile(p.file("b.response"), bad, 0o600))
		code, out := p.check()
		require.Contains(t, []int{exitError, exitMismatch}, code, "byte %d", at)
		if at > 12 {
			require.Equal(t, exitMismatch, code, "byte %d", at)
			require.Contains(t, out, "MISMATCH")
		}
	}
	a, err := os.ReadFile(p.file("a.response"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(p.file("b.response"), a, 0o600))
	code, out = p.check("--json")
	require.Equal(t, exitMismatch, code, "the same response twice")
	require.True(t, json.Valid([]byte(out)))
}

func TestCommitFiles(t *testing.T) {
	models := demoModels(t)
	base, tuned := filepath.Join(models, "base"), filepath.Join(models, "fine-tune")
	p := protocol{t, t.TempDir()}
	first := p.must("commit", base, "-o", p.file("a.commit"))
	info, err := os.Stat(p.file("a.commit.opening"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	code, _, stderr := call("commit", base, "-o", p.file("a.commit"))
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "never overwritten")
	require.NotEqual(t, first, p.must("commit", base, "-o", p.file("again.commit")), "the same model under another secret")

	require.Contains(t, p.must("verify", p.file("a.commit"), base, "--opening", p.file("a.commit.opening")), "verified")
	code, out, _ := call("verify", p.file("a.commit"), tuned, "--opening", p.file("a.commit.opening"))
	require.Equal(t, exitMismatch, code)
	require.Contains(t, out, "tensor ")
	code, _, _ = call("verify", p.file("a.commit"), base, "--opening", p.file("again.commit.opening"))
	require.Equal(t, exitMismatch, code)

	code, _, _ = call("challenge", p.file("a.commit"), "-o", p.file("c"))
	require.Equal(t, exitUsage, code, "one commitment without beacon")
	p.must("challenge", p.file("a.commit"), "--beacon", "x", "-o", p.file("challenge"))
	p.respond(base, "a", "--beacon", "y", "-o", p.file("a.response"))
	require.Contains(t, p.must("check", p.file("challenge"), p.file("a.commit"), p.file("a.response"), "--against", tuned), "VERIFIED, INCONCLUSIVE (labels correspond")
	code, _, stderr = call("check", p.file("challenge"), p.file("a.commit"), p.file("a.commit.opening"))
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "secret")
}
