package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/outfile"
)

// desk is a folder in which every verb finds what it reads.
type desk struct {
	t   *testing.T
	dir string
}

func newDesk(t *testing.T) desk {
	t.Helper()
	d := desk{t, demoModels(t)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	d.put("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})))
	base, tuned := d.at("base"), d.at("fine-tune")
	exits(t, 0, "fingerprint", base, "-o", d.at("a.wfp"))
	exits(t, 0, "fingerprint", tuned, "-o", d.at("b.wfp"))
	exits(t, 0, "compare", base, tuned, "--json", "-o", d.at("r.json"))
	exits(t, 0, "manifest", base, "-o", d.at("m.json"))
	p := protocol{t, d.dir}
	p.commit(base, tuned, "--beacon", "one")
	p.respond(base, "a", "--beacon", "two", "-o", d.at("a.response"))
	p.respond(tuned, "b", "--beacon", "two", "-o", d.at("b.response"))
	exits(t, 0, "index", "add", "--index", d.at("one.wpi"), d.at("a.wfp"))
	exits(t, 0, "index", "add", "--index", d.at("two.wpi"), d.at("b.wfp"))
	return d
}

func (d desk) at(name string) string { return filepath.Join(d.dir, name) }

func (d desk) put(name, text string) string {
	d.t.Helper()
	require.NoError(d.t, os.WriteFile(d.at(name), []byte(text), 0o600))
	return d.at(name)
}

// pinned is every file of the desk with the digest of its content.
func (d desk) pinned() map[string]string {
	out := d.listing()
	for name, text := range out {
		out[name] = fmt.Sprintf("%d bytes, %x", len(text), sha256.Sum256([]byte(text)))
	}
	return out
}

// listing is every file of the desk with its content.
func (d desk) listing() map[string]string {
	d.t.Helper()
	out := map[string]string{}
	require.NoError(d.t, filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	}))
	return out
}

// arguments splits a command line; words with @ lie on the desk, OUT is the output.
func (d desk) arguments(line, out string) []string {
	var args []string
	for _, w := range strings.Fields(line) {
		switch {
		case w == "OUT":
			w = out
		case w[0] == '@':
			w = d.at(w[1:])
		}
		args = append(args, w)
	}
	return args
}

// Command lines that write a file which they may replace.
var rewriting = []string{
	"compare @base @fine-tune -o OUT",
	"compare @a.wfp @b.wfp --json -o OUT",
	"compare @a.wfp @b.wfp --format md -o OUT",
	"compare @a.wfp @b.wfp --format html -o OUT",
	"compare @base @fine-tune --format cyclonedx -o OUT",
	"compare @base @fine-tune --format intoto -o OUT",
	"compare @a.wfp @b.wfp -q -o OUT",
	"compare @base @fine-tune --dry-run -o OUT",
	"compare @base @fine-tune --dry-run --json -o OUT",
	"compare @a.wfp @b.wfp -o OUT",
	"inspect @base -o OUT",
	"inspect @base --json -o OUT",
	"inspect @base --dry-run -o OUT",
	"inspect @a.wfp -o OUT",
	"inspect @a.wfp --json -o OUT",
	"tree @a.wfp @b.wfp -o OUT",
	"tree @a.wfp @b.wfp --json -o OUT",
	"tree @a.wfp @b.wfp --format dot -o OUT",
	"tree @a.wfp @b.wfp --format svg -o OUT",
	"recipe @fine-tune @base -o OUT",
	"faithful @fine-tune @base -o OUT",
	"faithful @fine-tune @base --json -o OUT",
	"faithful @fine-tune @base --format md -o OUT",
	"faithful @fine-tune @base --format intoto -o OUT",
	"audit @base -o OUT",
	"audit @fine-tune --claim @claim.json -o OUT",
	"audit @base --json -o OUT",
	"check @challenge @a.commit @a.response @b.commit @b.response -o OUT",
	"check @challenge @a.commit @a.response @b.commit @b.response --json -o OUT",
	"manifest @base -o OUT",
	"sign @r.json --key @key.pem -o OUT",
	"sign @m.json --key @key.pem -o OUT",
	"fingerprint @base -o OUT",
	"fingerprint --stdin --ndjson -o OUT",
}

// A result may be replaced by its like, in any of its forms, and by nothing
// else; files of others stay as they are, and so does what is read.
func TestOutputsReplaceOnlyTheirLike(t *testing.T) {
	d := newDesk(t)
	d.put("claim.json", `{"parent":"base"}`)
	foreign := map[string]string{}
	for name, text := range map[string]string{"notes": "# notes\n\nparameters, read them\n", "data.json": `{"schema": "other/1"}` + "\n", "page.html": "<!doctype html>\n<title>weight</title>", "weights": "\x08\x00\x00\x00\x00\x00\x00\x00{}      "} {
		foreign[d.put(name, text)] = text
	}
	lines := rewriting
	if testing.Short() {
		lines = []string{lines[9], lines[12], lines[15], lines[26]}
	}
	var results []string
	for k, line := range lines {
		out := filepath.Join(t.TempDir(), "out")
		for range 2 {
			exits(t, 0, d.arguments(line, out)...)
		}
		if strings.HasPrefix(line, "fingerprint --stdin") {
			continue // appends
		}
		for file, text := range foreign {
			code, _, stderr := call(d.arguments(line, file)...)
			require.Equal(t, exitError, code, "%s: %s", line, stderr)
			require.Contains(t, stderr, "nothing was written", line)
			require.Equal(t, text, d.listing()[file], line)
		}
		before := d.pinned()
		for _, w := range strings.Fields(line) {
			if w[0] != '@' {
				continue
			}
			file := d.at(w[1:])
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				file = filepath.Join(file, "model.safetensors")
			}
			for _, force := range []string{"", " --force"} {
				code, _, stderr := call(d.arguments(line+force, file)...)
				require.Equal(t, exitError, code, "%s: %s", line, stderr)
				require.Contains(t, stderr, "read by the same command", line)
			}
		}
		require.Equal(t, before, d.pinned(), line)
		if k%8 == 0 {
			exits(t, 0, d.arguments(line+" --force", d.put("forced", "theirs"))...)
			require.NotEqual(t, "theirs", d.listing()[d.at("forced")])
		}
		if !strings.HasPrefix(line, "manifest") && !strings.HasPrefix(line, "sign") && !strings.HasPrefix(line, "fingerprint") {
			results = append(results, out)
		}
	}
	// Results replace results; but neither fingerprints, signatures, records,
	// nor the files of indexes and of the commitment protocol.
	exits(t, 0, d.arguments(lines[0], results[len(results)-1])...)
	for _, file := range []string{"a.wfp", "m.json", "one.wpi", "one.wpi.details", "a.commit", "challenge"} {
		code, _, stderr := call(d.arguments(lines[0], d.at(file))...)
		require.Equal(t, exitError, code, "%s: %s", file, stderr)
	}
}

// Command lines that write files once, or go on with them.
var adding = []string{
	"inspect @base --tensor lm_head.weight --values OUT",
	"commit @base -o OUT",
	"challenge @a.commit @b.commit -o OUT",
	"respond @base --opening @a.commit.opening --challenge @challenge -o OUT",
	"index add --index OUT @a.wfp",
	"index merge --index OUT @one.wpi @two.wpi",
	"index remove --index @one.wpi a",
	"index add --index @two.wpi @a.wfp",
	"index add --index OUT --ndjson",
}

// The k-th call that changes the file system fails, for every k and every verb
// that writes: the program says so, what stood on the desk stands there still,
// and nothing else does. An index may hold what was added if closing it failed
// when all was on disk.
func TestEveryCallOfEveryVerbFails(t *testing.T) {
	d := newDesk(t)
	code, records, _ := callWith(t, d.at("base")+"\n"+d.at("fine-tune")+"\n", "fingerprint", "--stdin", "--ndjson")
	require.Zero(t, code)
	lines := append([]string{
		"compare @a.wfp @b.wfp --json -o OUT", "inspect @base -o OUT", "tree @a.wfp @b.wfp -o OUT", "audit @base -o OUT",
		"check @challenge @a.commit @a.response @b.commit @b.response -o OUT", "manifest @base -o OUT", "sign @r.json --key @key.pem -o OUT", "sign @m.json --key @key.pem -o OUT",
		"fingerprint @base -o OUT", "fingerprint --stdin --ndjson -o OUT",
		"faithful @fine-tune @base -o OUT", "recipe @fine-tune @base -o OUT", "diff @base @fine-tune -o OUT", "show @r.json -o OUT", "case OUT @base @fine-tune --depth quick --budget 1MiB --nonce x",
	}, adding...)
	if testing.Short() {
		lines = []string{lines[0], lines[9], lines[14], lines[16], lines[19], lines[20]}
	}
	for _, line := range lines {
		t.Run(line, func(t *testing.T) {
			stdin := ""
			switch {
			case strings.HasPrefix(line, "fingerprint --stdin"):
				stdin = d.at("base") + "\n" + d.at("fine-tune") + "\n"
			case strings.HasSuffix(line, "--ndjson"):
				stdin = records
			}
			existing := strings.Contains(line, "--index @")
			appends := strings.Contains(line, "--ndjson") && stdin != records
			before, pinned, ops := d.listing(), d.pinned(), map[string]bool{}
			for k := 1; ; k++ {
				failed, code, stderr := failing(t, k, stdin, d.arguments(line, d.at("out")))
				if failed == "" {
					require.Zero(t, code, stderr)
					break
				}
				ops[failed] = true
				require.Equal(t, exitError, code, "call %d, %s: success is reported", k, failed)
				require.Contains(t, stderr, "injected")
				after := d.pinned()
				switch {
				case appends: // whole records stay, and the next run goes on with them
					require.True(t, strings.HasPrefix(records, d.listing()[d.at("out")]), "call %d, %s", k, failed)
					delete(after, d.at("out"))
				case failed == "close" && strings.HasPrefix(line, "index "): // of what is committed and synced
					d.restore(t, before)
					continue
				case existing:
					d.sound(t)
					for _, name := range []string{"one.wpi", "one.wpi.details", "two.wpi", "two.wpi.details"} {
						after[d.at(name)] = pinned[d.at(name)]
					}
				}
				require.Equal(t, pinned, after, "call %d, %s", k, failed)
				d.restore(t, before)
			}
			require.True(t, ops["sync"] && ops["write"], "%v", ops)
			d.restore(t, before)
		})
	}
}

// restore puts the desk back as it was.
func (d desk) restore(t *testing.T, before map[string]string) {
	t.Helper()
	for name, text := range d.listing() {
		if was, ok := before[name]; !ok && filepath.Dir(name) == d.at("out") {
			require.NoError(t, os.RemoveAll(d.at("out")))
		} else if !ok {
			require.NoError(t, os.Remove(name))
		} else if was != text {
			require.NoError(t, os.WriteFile(name, []byte(was), 0o600))
		}
	}
}

// sound requires that the indexes are whole and hold what they held.
func (d desk) sound(t *testing.T) {
	t.Helper()
	for name, want := range map[string]string{"one.wpi": "a\n", "two.wpi": "b\n"} {
		exits(t, 0, "index", "check", "--index", d.at(name))
		require.Equal(t, want, exits(t, 0, "index", "list", "--index", d.at(name)))
	}
}

// failing runs a command whose k-th call fails, and says which that was.
func failing(t *testing.T, k int, stdin string, args []string) (failed string, code int, stderr string) {
	t.Helper()
	n := 0
	defer outfile.Inject(func(op, _ string) error {
		if n++; n != k {
			return nil
		}
		failed = op
		return errors.New("injected")
	})()
	var out, errs bytes.Buffer
	code = runWith(context.Background(), args, strings.NewReader(stdin), &out, &errs)
	return failed, code, errs.String()
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

// A result that cannot be written is never a success, whatever the verb.
func TestResultsThatDoNotArrive(t *testing.T) {
	d := newDesk(t)
	exits(t, 0, "sign", d.at("r.json"), "--key", d.at("key.pem"), "-o", d.at("s.json"))
	for _, line := range []string{
		"compare @a.wfp @b.wfp", "compare @a.wfp @b.wfp -q", "inspect @base", "inspect @a.wfp", "tree @a.wfp @b.wfp", "recipe @fine-tune @base", "audit @base", "demo", "version", "--help", "completion bash",
		"index list --index @one.wpi", "index search --index @one.wpi @a.wfp", "index search --index @one.wpi @a.wfp --json", "index check --index @one.wpi", "index add --index @one.wpi @b.wfp", "index remove --index @one.wpi b",
		"verify @a.wfp @base", "verify @m.json @base", "verify @a.commit @base --opening @a.commit.opening", "manifest @base", "sign @r.json --key @key.pem",
		"check @challenge @a.commit @a.response @b.commit @b.response", "compare @base @fine-tune --dry-run", "commit @base -o @new.commit",
		"diff @base @fine-tune", "faithful @fine-tune @base", "show @r.json", "policy", "policy 2 --json", "explain", "explain related", "inspect @base --dry-run",
	} {
		var errs bytes.Buffer
		code := run(context.Background(), d.arguments(line, ""), full{}, &errs)
		require.Equal(t, exitError, code, line)
		require.Contains(t, errs.String(), "writing the result: no room", line)
	}
}

// The line of --quiet is for people: files, and forms that were asked for, are
// whole.
func TestQuietFilesAreWhole(t *testing.T) {
	d := newDesk(t)
	for _, name := range []string{"r.html", "r.md", "r.json", "r.txt"} {
		exits(t, 0, d.arguments("compare @a.wfp @b.wfp -o OUT", d.at(name))...)
		want := d.listing()[d.at(name)]
		require.NoError(t, os.Remove(d.at(name)))
		out := exits(t, 0, d.arguments("compare @a.wfp @b.wfp -q -o OUT", d.at(name))...)
		require.Equal(t, 1, strings.Count(out, "\n"))
		require.Equal(t, want, d.listing()[d.at(name)])
	}
	want := d.listing()[d.at("r.json")]
	require.Equal(t, want, exits(t, 0, d.arguments("compare @a.wfp @b.wfp -q --json", "")...))
	for _, stream := range []string{"-", "/dev/stdout"} {
		require.Equal(t, want, exits(t, 0, d.arguments("compare @a.wfp @b.wfp --json -o OUT", stream)...))
	}
}

// An index that is not there was mistyped.
func TestMistypedIndexes(t *testing.T) {
	d := newDesk(t)
	before := d.pinned()
	for line, code := range map[string]int{
		"index list --index @typo": 2, "index search --index @typo @a.wfp": 2, "index check --index @typo": 2, "index remove --index @typo a": 2,
		"index merge --index @new @typo": 2, "tree --index @typo @a.wfp": 2, "index add --index @none/x @a.wfp": 2, "index add --index @base/model.safetensors @a.wfp": 2,
		"index add --index @typo @nothing": 2, "index add --index @base/other.safetensors @a.wfp": 2,
		"index add @a.wfp": 64, "index list": 64, "index remove --index @one.wpi": 64, "index add --index @typo": 64,
	} {
		got, _, stderr := call(d.arguments(line, "")...)
		require.Equal(t, code, got, "%s: %s", line, stderr)
	}
	require.Equal(t, before, d.pinned())
}
