package main

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// disputants are two parties and a runner, each in its own folder; the folder of the
// dispute goes from hand to hand.
type disputants struct {
	t    *testing.T
	home map[string]string // by who
}

func newDisputants(t *testing.T) disputants {
	d := disputants{t, map[string]string{}}
	models := demoModels(t)
	for who, model := range map[string]string{"a": "base", "b": "fine-tune", "runner": ""} {
		dir := filepath.Join(t.TempDir(), who)
		require.NoError(t, os.Mkdir(dir, 0o700))
		d.home[who] = dir
		if model != "" {
			require.NoError(t, os.CopyFS(filepath.Join(dir, "model"), os.DirFS(filepath.Join(models, model))))
		}
		public, private, err := ed25519.GenerateKey(rand.Reader)
		require.NoError(t, err)
		secret, err := x509.MarshalPKCS8PrivateKey(private)
		require.NoError(t, err)
		open, err := x509.MarshalPKIXPublicKey(public)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(dir, "pub.pem"), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o600))
	}
	return d
}

func (d disputants) at(who, name string) string { return filepath.Join(d.home[who], name) }

// do does a step in the folder of the one whose turn it is: "case" stands for its
// copy of the dispute.
func (d disputants) do(want int, who, line string, more ...string) string {
	d.t.Helper()
	words := append(strings.Fields("dispute "+line), more...)
	words = append(words, "--key", d.at(who, "key.pem"))
	for i, w := range words {
		if w == "case" {
			words[i] = d.at(who, "case")
		}
	}
	return exits(d.t, want, words...)
}

// hand gives the folder of the dispute from one to another.
func (d disputants) hand(from, to string) {
	d.t.Helper()
	require.NoError(d.t, os.RemoveAll(d.at(to, "case")))
	require.NoError(d.t, os.CopyFS(d.at(to, "case"), os.DirFS(d.at(from, "case"))))
}

func (d disputants) init(more ...string) {
	d.do(0, "runner", "init case", append([]string{"--question", "was B made from A?", "--beacon", "drand quicknet, round 20000000", "--gains", "a",
		"--a", "Alpha=" + d.at("a", "pub.pem"), "--b", "Beta=" + d.at("b", "pub.pem"), "--runner", "Court=" + d.at("runner", "pub.pem")}, more...)...)
	d.hand("runner", "a")
}

func (d disputants) commit(who string, more ...string) {
	d.do(0, who, "commit case", append([]string{d.at(who, "model"), "--as", who, "--opening", d.at(who, "opening")}, more...)...)
}

func (d disputants) exchange(who string) {
	d.do(0, who, "exchange case", "--as", who, "--opening", d.at(who, "opening"))
}

// committed goes on until both have committed; b has the folder.
func (d disputants) committed() {
	d.init()
	d.commit("a", "--unseen")
	d.hand("a", "b")
	d.commit("b", "--seen", "since the release of A")
}

// opened goes on until both have opened; the runner has the folder.
func (d disputants) opened() {
	d.committed()
	d.exchange("b")
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
}

func (d disputants) transcript(who string) string { return d.at(who, "case/transcript.jsonl") }

// Two parties and a runner go through the whole protocol, and a stranger replays it
// from what they hand over.
func TestDispute(t *testing.T) {
	d := newDisputants(t)
	d.committed()
	tsa := newClock(t)
	tsa.stamp(d, "b", "time.tsr", noon)
	d.do(0, "b", "exchange case", "--as", "b", "--opening", d.at("b", "opening"), "--token", d.at("b", "time.tsr"))
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
	d.do(0, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "8f3c51")
	d.do(0, "runner", "close case")

	d.home["stranger"] = t.TempDir()
	d.hand("runner", "stranger")
	out := exits(t, 0, "verify", d.transcript("stranger"))
	for _, words := range []string{"7 lines hold", "Alpha: committed, states that it never had the other's file, opened", "Beta: committed, had the other's file (since the release of A), opened",
		"found      related, by policy", "labels     count: a gains", "1 time stamps, each over the lines before its own; whose they are was not asked"} {
		require.Contains(t, out, words)
	}
	out = exits(t, 0, "verify", d.transcript("stranger"), d.at("a", "model"), d.at("b", "model"))
	require.Contains(t, out, "verified: every field of the report")
	exits(t, exitMismatch, "verify", d.transcript("stranger"), d.at("a", "model"), d.at("a", "model"))

	// Nothing comes behind a close, and nothing of the exhibits may change.
	require.Contains(t, d.do(exitMismatch, "runner", "close case"), "closed before")
	files, err := filepath.Glob(d.at("stranger", "case/exhibits/*"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	for _, f := range files {
		good, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(f, append([]byte(" "), good...), 0o600))
		require.Contains(t, exits(t, exitMismatch, "verify", d.transcript("stranger")), "was changed")
		require.NoError(t, os.Remove(f))
		require.Contains(t, exits(t, exitMismatch, "verify", d.transcript("stranger")), "is missing")
		require.NoError(t, os.WriteFile(f, good, 0o600))
	}
	exits(t, 0, "verify", d.transcript("stranger"))
}

// A late or second commitment, a swapped file, another's turn: refused, and the
// transcript stays as it was.
func TestDisputeRefusesForgedSteps(t *testing.T) {
	d := newDisputants(t)
	d.init()
	d.commit("a", "--unseen")
	d.do(exitMismatch, "a", "exchange case", "--as", "a", "--opening", d.at("a", "opening"))
	d.do(exitMismatch, "a", "commit case", d.at("a", "model"), "--as", "a", "--unseen", "--opening", d.at("a", "second"))
	require.NoFileExists(t, d.at("a", "second"))
	d.hand("a", "b")
	require.Contains(t, d.do(exitMismatch, "b", "commit case", d.at("b", "model"), "--as", "a", "--unseen", "--opening", d.at("b", "x")), "refused")
	d.commit("b", "--unseen")
	before, err := os.ReadFile(d.transcript("b"))
	require.NoError(t, err)
	require.Contains(t, d.do(exitMismatch, "b", "exchange case", "--as", "b", "--opening", d.at("a", "opening")), "not the files that were committed to")
	after, err := os.ReadFile(d.transcript("b"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))

	d.exchange("b")
	d.hand("b", "runner")
	require.Contains(t, d.do(exitMismatch, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "1"), "a withholds its opening")
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
	weights := d.at("b", "model/model.safetensors")
	raw, err := os.ReadFile(weights)
	require.NoError(t, err)
	raw[len(raw)-1] ^= 1
	require.NoError(t, os.WriteFile(weights, raw, 0o600))
	require.Contains(t, d.do(exitMismatch, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "1"), "model of b is not the one committed to")
	raw[len(raw)-1] ^= 1
	require.NoError(t, os.WriteFile(weights, raw, 0o600))
	require.NoError(t, os.WriteFile(d.at("b", "model/tokenizer.json"), []byte("{}"), 0o600))
	d.do(exitMismatch, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "1")
	require.Contains(t, d.do(exitMismatch, "runner", "close case"), "has to be run")
	exits(t, exitUsage, "dispute", "run", d.at("runner", "case"), "x", "y", "--key", d.at("runner", "key.pem"))
	exits(t, exitUsage, "dispute", "commit", d.at("runner", "case"), "x", "--as", "c", "--unseen", "--opening", "o", "--key", d.at("a", "key.pem"))
}

// A party that does not open is on record as that.
func TestDisputeShowsWhatIsWithheld(t *testing.T) {
	d := newDisputants(t)
	d.committed()
	d.exchange("b")
	d.hand("b", "runner")
	d.do(0, "runner", "close case")
	out := exits(t, 0, "verify", d.transcript("runner"))
	require.Contains(t, out, "nothing: withheld by [a]")
	require.Contains(t, out, "labels     do not count alone")
	exits(t, exitUsage, "verify", d.transcript("runner"), d.at("a", "model"), d.at("b", "model"))
}

// Whoever gains and had the other's file gets nothing from labels.
func TestDisputeLabelsNeedUnseenFiles(t *testing.T) {
	d := newDisputants(t)
	d.init("--gains", "both")
	d.commit("a", "--unseen")
	d.hand("a", "b")
	d.commit("b", "--seen", "since the release of A")
	d.exchange("b")
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
	d.do(0, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "x")
	d.do(0, "runner", "close case")
	require.Contains(t, exits(t, 0, "verify", d.transcript("runner")), "do not count alone: b gains from a finding and had the other's file")
}

// Every byte of a transcript matters.
func TestDisputeFindsEdits(t *testing.T) {
	d := newDisputants(t)
	d.opened()
	file := d.transcript("runner")
	good, err := os.ReadFile(file)
	require.NoError(t, err)
	try := func(text, what string) {
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		code, out, _ := call("verify", file)
		require.Contains(t, []int{exitError, exitMismatch, exitUsage}, code, what)
		require.NotContains(t, out, "replayed", what)
	}
	for i := 0; i < len(good); i += len(good)/97 + 1 {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		try(string(bad), fmt.Sprintf("byte %d", i))
	}
	lines := strings.SplitAfter(strings.TrimSuffix(string(good), "\n"), "\n")
	require.Len(t, lines, 5)
	for i := range lines {
		var rest []string
		rest = append(append(rest, lines[:i]...), lines[i+1:]...)
		if i < len(lines)-1 { // without its last line a transcript is an earlier one
			try(strings.TrimSuffix(strings.Join(rest, ""), "\n")+"\n", fmt.Sprintf("without line %d", i+1))
		}
	}
	try(lines[0]+lines[2]+lines[1]+lines[3]+lines[4]+"\n", "in another order")
	try(string(good)+lines[4]+"\n", "twice")
}

// quoted splits a command line at spaces outside of double quotes.
func quoted(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		switch {
		case i%2 == 0:
			words = append(words, strings.Fields(part)...)
		default:
			words = append(words, part)
		}
	}
	return words
}

// Every command of docs/DISPUTE.md works as it stands there, in its order; an
// authority on this machine takes the place of the one that curl asks.
func TestDisputePage(t *testing.T) {
	lines := commands(t, "DISPUTE.md")
	require.Greater(t, len(lines), 14)
	dir := setup(t)
	openssl(t, dir, "version")
	authority(t, dir)
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "curl "):
			openssl(t, dir, strings.Fields("ts -reply -queryfile case.tsq -out case.tsr -config tsa.cnf")...)
		case strings.HasPrefix(line, "weightprint "):
			exits(t, 0, quoted(line)[1:]...)
		default:
			runs(t, dir, line, false)
		}
	}
	// The token dates the lines before the step that took it: both commitments.
	text, err := os.ReadFile("case/transcript.jsonl")
	require.NoError(t, err)
	stamped := strings.Join(strings.SplitAfter(string(text), "\n")[:3], "")
	require.NoError(t, os.WriteFile("stamped", []byte(stamped), 0o600))
	openssl(t, dir, strings.Fields("ts -verify -data stamped -in case.tsr -CAfile tsa.pem")...)
}
