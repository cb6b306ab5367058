package main

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The k-th call of every step that changes the file system fails, for every k: the
// step says so, and either the transcript and all else stand as before, or the
// record is whole with the new line.
func TestEveryCallOfADisputeFails(t *testing.T) {
	d := newDisputants(t)
	c := newClock(t)
	exits(t, 0, "manifest", d.at("a", "model"), "-o", d.at("a", "old.json"))
	c.StampFile(t, d.at("a", "old.json"), d.at("a", "old.json.tsr"), noon)
	begin := []string{"dispute", "init", d.at("runner", "case"), "--question", "q", "--beacon", "x", "--a", "A=" + d.at("a", "pub.pem"), "--b", "B=" + d.at("b", "pub.pem"), "--runner", "R=" + d.at("runner", "pub.pem"), "--key", d.at("runner", "key.pem")}
	step := func(who string, words ...string) []string {
		return append(append([]string{"dispute", words[0], d.at(who, "case")}, words[1:]...), "--key", d.at(who, "key.pem"))
	}
	for _, x := range []struct {
		who, from string // who gets the folder from whom
		args      []string
	}{
		{"runner", "", begin},
		{"a", "runner", step("a", "commit", d.at("a", "model"), "--as", "a", "--unseen", "--opening", d.at("a", "opening"), "--exhibit", d.at("a", "old.json"), "--exhibit", d.at("a", "old.json.tsr"))},
		{"b", "a", step("b", "commit", d.at("b", "model"), "--as", "b", "--unseen", "--opening", d.at("b", "opening"))},
		{"b", "", step("b", "exchange", "--as", "b", "--opening", d.at("b", "opening"))},
		{"a", "b", step("a", "exchange", "--as", "a", "--opening", d.at("a", "opening"))},
		{"runner", "a", step("runner", "run", d.at("a", "model"), d.at("b", "model"), "--beacon", "8f")},
		{"runner", "", step("runner", "close")},
	} {
		if x.from != "" {
			d.hand(x.from, x.who)
		}
		folder := desk{t, d.home[x.who]}
		before, ops := folder.listing(), map[string]bool{}
		for k := 1; ; k++ {
			failed, code, stderr := failing(t, k, "", x.args)
			if failed == "" {
				require.Zero(t, code, stderr)
				break
			}
			ops[failed] = true
			require.Equal(t, exitError, code, "%s, call %d, %s: success is reported", x.args[1], k, failed)
			require.Contains(t, stderr, "injected")
			after := folder.listing()
			if record := d.transcript(x.who); after[record] != before[record] { // in place, although not all was well
				exits(t, 0, "verify", record)
				if x.args[1] == "commit" {
					require.FileExists(t, d.at(x.who, "opening"))
				}
			} else {
				require.Equal(t, slices.Sorted(maps.Keys(before)), slices.Sorted(maps.Keys(after)), "%s, call %d, %s", x.args[1], k, failed)
				require.Equal(t, before, after, "%s, call %d, %s", x.args[1], k, failed)
			}
			folder.restore(t, before)
			require.NoError(t, removeEmpty(filepath.Join(d.home[x.who], "case")))
		}
		require.True(t, ops["sync"] && ops["write"], "%s: %v", x.args[1], ops)
	}
	exits(t, 0, "verify", d.transcript("runner"), d.at("a", "model"), d.at("b", "model"))
}

// removeEmpty removes a folder without files.
func removeEmpty(dir string) error {
	_ = os.Remove(filepath.Join(dir, exhibitsFolder))
	if err := os.Remove(dir); err != nil && !os.IsNotExist(err) {
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) == 0 {
			return err
		}
	}
	return nil
}
