package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// shells complete a line that ends behind the words given, and print what they offer.
var shells = map[string]string{
	"bash": `for f in /usr/share/bash-completion/bash_completion; do [ -r $f ] || exit 77; . $f; done
. <(weightprint completion bash)
COMP_WORDS=(weightprint "$@"); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="${COMP_WORDS[*]}"; COMP_POINT=${#COMP_LINE}
__start_weightprint 2>/dev/null
printf '%s\n' "${COMPREPLY[@]}"`,
	"zsh": `_describe() { print -rl -- ${(P)${@[-1]}}; shift $#; }
compdef() { :; }
source <(weightprint completion zsh) 2>/dev/null
_describe() { for a in "$@"; do [[ -n ${(tP)a} ]] && print -rl -- "${(@P)a}"; done; return 0; }
words=(weightprint "$@"); CURRENT=${#words}
_weightprint`,
	"fish": `weightprint completion fish | source
complete -C "weightprint $argv[1..-2] $argv[-1]"`,
}

// Each shell that is here offers the words that a flag takes.
func TestShellsComplete(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("shells of Unix")
	}
	dir := t.TempDir()
	file, err := built()
	require.NoError(t, err)
	built2 = built
	require.NoError(t, os.Symlink(file, filepath.Join(dir, "weightprint")))
	for shell, script := range shells {
		t.Run(shell, func(t *testing.T) {
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skip(shell + " is not here")
			}
			file := filepath.Join(dir, "complete."+shell)
			require.NoError(t, os.WriteFile(file, []byte(script), 0o600))
			for _, c := range []struct {
				typed []string
				want  []string
			}{
				{[]string{"compare", "a", "b", "--depth", ""}, []string{"quick", "normal", "full"}},
				{[]string{"compare", "a", "b", "--format", ""}, []string{"text", "json", "md", "html", "cyclonedx", "spdx", "intoto"}},
				{[]string{"compare", "a", "b", "--fail-on", "related,sh"}, []string{"related,shared-init"}},
				{[]string{"audit", "m", "--fail-on", ""}, []string{"confirmed", "contradicted", "unproven"}},
				{[]string{"tree", "a", "--format", ""}, []string{"dot", "svg"}},
				{[]string{"explain", "inconcl"}, []string{"inconclusive"}},
			} {
				run := exec.Command(path, append([]string{file}, c.typed...)...)
				run.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "HOME="+dir)
				out, err := run.CombinedOutput()
				if code := run.ProcessState.ExitCode(); code == 77 {
					t.Skip("bash-completion is not here")
				}
				require.NoError(t, err, "%s", out)
				for _, w := range c.want {
					require.Contains(t, strings.Fields(strings.ReplaceAll(string(out), `\,`, ",")), w, "%v: %s", c.typed, out)
				}
			}
		})
	}
}
