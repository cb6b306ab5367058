package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/report/dated/datedtest"
)

// clock is an authority whose tokens tests order.
type clock struct {
	*datedtest.Authority
	t     *testing.T
	roots string
}

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const atNoon = "2026-03-01T12:00:00Z"

func newClock(t *testing.T) clock {
	a := datedtest.New(t, datedtest.Making{})
	roots := filepath.Join(t.TempDir(), "tsa.pem")
	require.NoError(t, os.WriteFile(roots, a.Roots, 0o600))
	return clock{a, t, roots}
}

// stamp gives one a token over the transcript as it has it, and returns the flag
// that puts it on record.
func (c clock) stamp(d disputants, who, name string, at time.Time) []string {
	c.StampFile(c.t, d.transcript(who), d.at(who, name), at)
	return []string{"--token", d.at(who, name)}
}

// ended is a dispute up to its end. Before each step the one whose turn it is may
// have the transcript stamped: at the time that stamps has for the step, in seconds
// from noon, which is when the beacon is out.
func ended(t *testing.T, c clock, stamps map[string]int) (d disputants, file string) {
	d = newDisputants(t)
	d.init("--beacon-time", atNoon)
	token := func(step, who string) []string {
		if s, ok := stamps[step]; ok {
			return c.stamp(d, who, step+".tsr", noon.Add(time.Duration(s)*time.Second))
		}
		return nil
	}
	d.commit("a", append(token("commit a", "a"), "--unseen")...)
	d.hand("a", "b")
	d.commit("b", append(token("commit b", "b"), "--seen", "since the release of A")...)
	d.do(0, "b", "exchange case", append(token("exchange b", "b"), "--as", "b", "--opening", d.at("b", "opening"))...)
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
	d.do(0, "runner", "run case", append(token("run", "runner"), d.at("a", "model"), d.at("b", "model"), "--beacon", "8f3c51")...)
	d.do(0, "runner", "close case", token("close", "runner")...)
	return d, d.transcript("runner")
}

// Time stamps on record are verified, and show which commitment was late.
func TestDisputeDates(t *testing.T) {
	c := newClock(t)
	for name, x := range map[string]struct {
		stamps map[string]int
		flags  []string
		code   int
		words  []string
	}{
		"in time": {map[string]int{"exchange b": -60, "run": 60}, nil, 0, []string{
			"Alpha: committed by 2026-03-01T11:59:00Z; it had to be before " + atNoon + ": in time", "Beta: committed by 2026-03-01T11:59:00Z", "2 time stamps verified", "labels     count: a gains"}},
		"late": {map[string]int{"commit a": 60, "run": 3600}, nil, 0, []string{
			"Alpha: committed after 2026-03-01T12:01:00Z by 2026-03-01T13:00:00Z; it had to be before " + atNoon + ": LATE", "labels     do not count alone: a gains from a finding and committed after " + atNoon}},
		"nothing shown": {nil, nil, 0, []string{"Alpha: committed; it had to be before " + atNoon + ": not shown to be in time", "that a committed before " + atNoon + " no time stamp shows", "no time stamps"}},
		"another limit": {map[string]int{"exchange b": 60}, []string{"--disclosed", "2026-03-02"}, 0, []string{"it had to be before 2026-03-02T00:00:00Z: in time"}},
		"foreseen":      {map[string]int{"exchange b": -60, "close": -5}, nil, exitMismatch, []string{"line 6: the comparison existed by 2026-03-01T11:59:55Z, the beacon's value only from " + atNoon}},
	} {
		t.Run(name, func(t *testing.T) {
			_, file := ended(t, c, x.stamps)
			out := exits(t, x.code, append([]string{"verify", file, "--roots", c.roots}, x.flags...)...)
			for _, w := range x.words {
				require.Contains(t, out, w)
			}
		})
	}
}

// A token over something else, of a stranger, or with a broken signature is no
// date: the step is refused, or the replay names it.
func TestDisputeTokensAreHeld(t *testing.T) {
	c, stranger := newClock(t), newClock(t)
	_, file := ended(t, c, map[string]int{"exchange b": -60})
	require.Contains(t, exits(t, 0, "verify", file), "whose they are was not asked")
	require.Contains(t, exits(t, exitMismatch, "verify", file, "--roots", stranger.roots), "line 4: time stamp")

	d := newDisputants(t)
	d.init()
	before, err := os.ReadFile(d.transcript("a"))
	require.NoError(t, err)
	for name, text := range map[string][]byte{"of another text": c.Stamp(t, []byte("another"), noon, 0), "no token": []byte("a token"), "cut": c.Stamp(t, before, noon, 0)[:200]} {
		require.NoError(t, os.WriteFile(d.at("a", "x.tsr"), text, 0o600))
		require.Contains(t, d.do(exitMismatch, "a", "commit case", d.at("a", "model"), "--as", "a", "--unseen", "--opening", d.at("a", "o "+name), "--token", d.at("a", "x.tsr")), "refused", name)
	}
	after, err := os.ReadFile(d.transcript("a"))
	require.NoError(t, err)
	require.Equal(t, string(before), string(after))
	exits(t, exitUsage, "dispute", "init", d.at("a", "other"), "--question", "q", "--beacon", "x", "--beacon-time", "soon", "--a", "A="+d.at("a", "pub.pem"), "--b", "B="+d.at("b", "pub.pem"), "--runner", "R="+d.at("runner", "pub.pem"), "--key", d.at("runner", "key.pem"))
}

// A commitment that is older than the dispute, with its time stamp and opening, is
// an exhibit of it, and is held against the models.
func TestDisputeOlderCommitments(t *testing.T) {
	c := newClock(t)
	d := newDisputants(t)
	d.init()
	exits(t, 0, "commit", d.at("a", "model"), "-o", d.at("a", "old.commit"))
	c.StampFile(t, d.at("a", "old.commit"), d.at("a", "old.commit.tsr"), noon)
	exits(t, 0, "manifest", d.at("b", "model"), "-o", d.at("b", "old.json"))
	c.StampFile(t, d.at("b", "old.json"), d.at("b", "old.json.tsr"), noon)
	d.commit("a", "--unseen", "--exhibit", d.at("a", "old.commit"), "--exhibit", d.at("a", "old.commit.tsr"), "--exhibit", d.at("a", "old.commit.opening"))
	d.hand("a", "b")
	d.commit("b", "--unseen", "--exhibit", d.at("b", "old.json"), "--exhibit", d.at("b", "old.json.tsr"))
	d.exchange("b")
	d.hand("b", "a")
	d.exchange("a")
	d.hand("a", "runner")
	d.do(0, "runner", "run case", d.at("a", "model"), d.at("b", "model"), "--beacon", "8f3c51")
	file := d.transcript("runner")
	out := exits(t, 0, "verify", file, "--roots", c.roots)
	require.Contains(t, out, "b shows a manifest, which existed by "+atNoon+" (CN=test authority): of [b]")
	require.Contains(t, out, "a shows commitment")
	require.NotContains(t, out, "of [a]", "the model itself is not at hand")
	out = exits(t, 0, "verify", file, d.at("a", "model"), d.at("b", "model"), "--roots", c.roots)
	require.Regexp(t, `a shows commitment \S+, which existed by `+atNoon+` \(CN=test authority\): of \[a\]`, out)
	require.Contains(t, exits(t, 0, "verify", file), "counts for nothing, not verified")

	// Of another model it is no evidence; a changed one is forged.
	files, err := filepath.Glob(d.at("runner", "case/exhibits/*"))
	require.NoError(t, err)
	require.Len(t, files, 6)
	for _, f := range files {
		good, err := os.ReadFile(f)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(f, append(good[:len(good):len(good)], 0), 0o600))
		require.Contains(t, exits(t, exitMismatch, "verify", file, "--roots", c.roots), "was changed")
		require.NoError(t, os.WriteFile(f, good, 0o600))
	}
}
