package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report"
)

// statedDesk has files of every kind that verify takes.
func statedDesk(t *testing.T) desk {
	d := newDesk(t)
	block, _ := pem.Decode([]byte(d.listing()[d.at("key.pem")]))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	require.NoError(t, err)
	der, err := x509.MarshalPKIXPublicKey(key.(*ecdsa.PrivateKey).Public())
	if err != nil {
		t.Fatal(err)
	}
	d.put("pub.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
	for _, line := range []string{
		"compare @base @fine-tune --format intoto -o @s.json",
		"sign @r.json --key @key.pem -o @r.dsse.json",
		"sign @m.json --key @key.pem -o @m.sig",
	} {
		exits(t, 0, d.arguments(line, "")...)
	}
	return d
}

// good are command lines that verify what is as it was stated.
var good = []string{
	"verify @r.json @base @fine-tune",
	"verify @s.json @base @fine-tune",
	"verify @r.dsse.json @base @fine-tune --key @pub.pem",
	"verify @r.dsse.json --key @pub.pem",
	"verify @r.dsse.json --key @pub.pem --report @r.json",
	"verify @r.dsse.json @base @fine-tune --no-signature",
	"verify @m.json @base",
	"verify @m.sig @base --key @pub.pem",
	"verify @m.sig @base --no-signature",
	"verify @a.wfp @base",
	"verify @a.commit @base --opening @a.commit.opening",
}

// Where nothing is checked, or a flag says nothing about the file, verify says
// so and never "verified".
func TestVerifyChecksWhatItIsAsked(t *testing.T) {
	d := statedDesk(t)
	for _, line := range good {
		exits(t, 0, d.arguments(line, "")...)
	}
	for _, line := range []string{
		"verify @s.json", "verify @s.json --no-signature", "verify @s.json --report @r.json", "verify @r.dsse.json --no-signature", "verify @r.dsse.json",
		"verify @r.dsse.json --key @other.pem --no-signature", "verify @r.dsse.json @base @fine-tune --key @pub.pem --no-signature", "verify @m.sig @base --key @pub.pem --no-signature",
		"verify @r.json", "verify @r.json @base", "verify @r.json @base @fine-tune --key @pub.pem", "verify @r.json @base @fine-tune --report @r.json", "verify @r.json @base @fine-tune --no-signature",
		"verify @a.wfp", "verify @a.wfp @base --key @pub.pem", "verify @a.wfp @base --base @base",
		"verify @m.json", "verify @m.json @base --report @r.json", "verify @m.sig @base --key @pub.pem --base @base",
		"verify @a.commit --opening @a.commit.opening", "verify @a.commit @base --opening @a.commit.opening --key @pub.pem",
		"verify @r.dsse.json --key @pub.pem --ignore-unsigned-files",
	} {
		require.Empty(t, exits(t, exitUsage, d.arguments(line, "")...), line)
	}
	for _, line := range []string{"verify @s.json @base @fine-tune --key @pub.pem", "verify @m.json @base --key @pub.pem"} {
		require.Empty(t, exits(t, exitError, d.arguments(line, "")...), line)
	}
}

// nulls gives all ways to put null behind the members of one list.
func nulls(text string) (out []string) {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && c == ']':
			before := strings.TrimRight(text[:i], " \n\t")
			comma := ","
			if strings.HasSuffix(before, "[") {
				comma = ""
			}
			out = append(out, before+comma+"null"+text[i:])
		}
	}
	return out
}

// A null more in any list of any file is another file.
func TestNullsAreFound(t *testing.T) {
	d := statedDesk(t)
	for _, c := range []struct{ file, line string }{
		{"s.json", "verify @x @base @fine-tune"},
		{"r.dsse.json", "verify @x --key @pub.pem"},
		{"r.dsse.json", "verify @x @base @fine-tune --no-signature"},
		{"m.json", "verify @x @base"},
		{"m.sig", "verify @x @base --key @pub.pem"},
		{"r.json", "verify @x @base @fine-tune"},
	} {
		all := nulls(d.listing()[d.at(c.file)])
		require.NotEmpty(t, all)
		step := 1
		if c.file == "r.json" { // each is a comparison
			step = len(all)/8 + 1
		}
		for i := 0; i < len(all); i += step {
			require.True(t, json.Valid([]byte(all[i])))
			d.put("x", all[i])
			code, out, _ := call(d.arguments(c.line, "")...)
			require.Contains(t, []int{exitError, exitMismatch}, code, "%s, list %d", c.line, i)
			require.NotContains(t, out, "verified")
		}
	}
}

// A file of two forms says one thing to one reader and another to the next.
func TestFilesOfTwoForms(t *testing.T) {
	d := statedDesk(t)
	envelope, bundle := d.listing()[d.at("r.dsse.json")], d.listing()[d.at("m.sig")]
	inner := func(a, b string) string {
		return strings.TrimRight(strings.TrimSpace(a), "}") + "," + strings.TrimLeft(strings.TrimSpace(b), "{")
	}
	statement := d.listing()[d.at("s.json")]
	for _, text := range []string{inner(envelope, bundle), inner(bundle, envelope), strings.Replace(inner(envelope, bundle), `"dsseEnvelope"`, `"DSSEenvelope"`, 1), inner(envelope, statement), inner(statement, bundle)} {
		require.True(t, json.Valid([]byte(text)))
		d.put("x", text)
		for _, line := range []string{"verify @x --key @pub.pem", "verify @x @base --key @pub.pem", "verify @x @base @fine-tune --no-signature"} {
			code, out, stderr := call(d.arguments(line, "")...)
			require.Equal(t, exitError, code, out)
			require.Contains(t, stderr, "two forms")
		}
	}
}

// Levels that are no probabilities and likenesses that are no cosines.
func TestImpossibleOptions(t *testing.T) {
	d := statedDesk(t)
	for _, c := range [][2]string{{`"alpha": 1e-9`, `"alpha": 2`}, {`"alpha": 1e-9`, `"alpha": 1`}, {`"alpha": 1e-9`, `"alpha": -1e-9`}, {`"cosine": 0.3`, `"cosine": 5`}, {`"cosine": 0.3`, `"cosine": -0.3`}, {`"depth": "normal"`, `"depth": "none"`}} {
		for _, file := range []string{"r.json", "s.json"} {
			text := d.listing()[d.at(file)]
			changed := strings.Replace(text, c[0], c[1], 1)
			require.NotEqual(t, text, changed)
			d.put("x", changed)
			out := exits(t, exitMismatch, d.arguments("verify @x @base @fine-tune", "")...)
			require.Contains(t, out, "no comparison can have")
		}
		envelope := d.listing()[d.at("r.dsse.json")]
		var e struct{ Payload string }
		require.NoError(t, json.Unmarshal([]byte(envelope), &e))
		raw, err := base64.StdEncoding.DecodeString(e.Payload)
		require.NoError(t, err)
		raw = bytes.Replace(raw, []byte(c[0]), []byte(c[1]), 1)
		d.put("x", strings.Replace(envelope, e.Payload, base64.StdEncoding.EncodeToString(raw), 1))
		exits(t, exitMismatch, d.arguments("verify @x @base @fine-tune --no-signature", "")...)
		exits(t, exitMismatch, d.arguments("verify @x --key @pub.pem", "")...)
	}
}

// Exchanged models and changed files are named.
func TestOtherModelsAreNamed(t *testing.T) {
	d := statedDesk(t)
	for _, file := range []string{"r.json", "s.json"} {
		out := exits(t, exitMismatch, d.arguments("verify @"+file+" @fine-tune @base", "")...)
		require.Contains(t, out, "differs: subject")
		require.Contains(t, out, fmt.Sprintf("try: weightprint verify %s %s %s\n", d.at(file), d.at("base"), d.at("fine-tune")))
		out = exits(t, exitMismatch, d.arguments("verify @"+file+" @base @other-seed", "")...)
		require.Contains(t, out, "model.safetensors\" has changed")
		require.NotContains(t, out, "try:")
	}
	weights := d.at("fine-tune/model.safetensors")
	raw, err := os.ReadFile(weights)
	require.NoError(t, err)
	raw[len(raw)-1] ^= 1
	require.NoError(t, os.WriteFile(weights, raw, 0o600))
	for _, c := range [][2]string{
		{"verify @r.json @base @fine-tune", "B: \"model.safetensors\" has changed: SHA-256 "},
		{"verify @s.json @base @fine-tune", "\"B/model.safetensors\" has changed"},
		{"verify @r.dsse.json @base @fine-tune --key @pub.pem", "\"B/model.safetensors\" has changed"},
	} {
		require.Contains(t, exits(t, exitMismatch, d.arguments(c[0], "")...), c[1])
	}
}

// A report written anew by another program verifies; what is altered in its verdict is
// named before what is altered elsewhere.
func TestReserialisedReport(t *testing.T) {
	d := statedDesk(t)
	text := d.listing()[d.at("r.json")]
	require.Contains(t, text, "1e-9")
	again := strings.ReplaceAll(text, "1e-9", "1e-09")
	d.put("x", again)
	exits(t, 0, d.arguments("verify @x @base @fine-tune", "")...)
	d.put("x", strings.Replace(strings.Replace(again, `"relation": "related"`, `"relation": "identical"`, 1), `"limits": [`, `"limits": ["x", `, 1))
	require.Contains(t, exits(t, exitMismatch, d.arguments("verify @x @base @fine-tune", "")...), "differs: verdict.relation is")
}

// What no comparison writes is not shown as a finding.
func TestShowRefusesImpossibleReports(t *testing.T) {
	d := statedDesk(t)
	text := d.listing()[d.at("r.json")]
	exits(t, 0, d.arguments("show @r.json", "")...)
	d.put("same", exits(t, 0, d.arguments("compare @base @base --json --quiet", "")...))
	exits(t, 0, d.arguments("show @same", "")...)
	for _, m := range []string{"base", "fine-tune"} {
		exits(t, 0, d.arguments("fingerprint @"+m+" -o @"+m+".wfp", "")...)
	}
	d.put("screened", exits(t, 0, d.arguments("compare @base.wfp @fine-tune.wfp --json --quiet", "")...))
	exits(t, 0, d.arguments("show @screened", "")...)
	for field, change := range map[string]func(r map[string]any){
		"verdict.relation":  func(r map[string]any) { r["verdict"].(map[string]any)["relation"] = "stolen" },
		"verdict.direction": func(r map[string]any) { r["verdict"].(map[string]any)["direction"] = "a-to-b" },
		"evidence":          func(r map[string]any) { delete(r, "evidence") },
		"subjects[0]":       func(r map[string]any) { delete(r, "subjects") },
	} {
		var r map[string]any
		require.NoError(t, json.Unmarshal([]byte(text), &r))
		change(r)
		forged, err := json.Marshal(r)
		require.NoError(t, err)
		var impossible *report.ImpossibleError
		parsed, err := report.ParseJSON(forged)
		require.NoError(t, err)
		require.ErrorAs(t, parsed.Consistent(), &impossible)
		require.Equal(t, field, impossible.Field)
		d.put("x", string(forged))
		exits(t, exitError, d.arguments("show @x", "")...)
	}
}
