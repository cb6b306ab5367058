package main

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// typed is one command of a transcript with what it printed.
type typed struct{ command, output string }

// transcript reads the commands of a document's code blocks, with their output.
func transcript(document string) (out []typed) {
	for _, line := range strings.Split(document, "\n") {
		text, in := strings.CutPrefix(line, "    ")
		command, prompt := strings.CutPrefix(text, "$ ")
		switch {
		case in && prompt:
			out = append(out, typed{command: command})
		case in && len(out) > 0:
			out[len(out)-1].output += text + "\n"
		case line == "" && len(out) > 0 && out[len(out)-1].output != "":
			out[len(out)-1].output += "\n"
		}
	}
	for i := range out {
		out[i].output = strings.TrimRight(out[i].output, "\n")
	}
	return out
}

// The newcomer's transcript is what the program prints, on the packages that it fetches.
func TestNewcomerTranscript(t *testing.T) {
	if os.Getenv("WEIGHTPRINT_LONG") == "" {
		t.Skip("fetches packages; WEIGHTPRINT_LONG=1 runs it")
	}
	raw, err := os.ReadFile("../../docs/NEWCOMER.md")
	require.NoError(t, err)
	all := transcript(string(raw))
	require.Len(t, all, 9)
	picture, err := os.ReadFile("../../docs/pictures/lekcut.svg")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	for _, x := range all {
		words := strings.Fields(x.command)
		if words[0] != "weightprint" {
			if words[0] == "pip" {
				words = append([]string{"python3", "-m"}, words...)
			}
			if out, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
				t.Skipf("the registry cannot be reached: %v: %s", err, out)
			}
			continue
		}
		if words[1] == "tree" {
			drawn := exits(t, 0, append(slices.Clone(words[1:]), "--format", "svg")...)
			require.Equal(t, string(picture), drawn)
		}
		_, out, stderr := call(words[1:]...)
		require.Equal(t, x.output, strings.TrimRight(regexp.MustCompile(`(?m)[ \t]+$`).ReplaceAllString(out, ""), "\n"), "%s: %s", x.command, stderr)
	}
}
