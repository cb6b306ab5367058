package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/internal/hostile"
)

// built compiles the program once.
var built = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "weightprint-built-")
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "weightprint")
	out, err := exec.Command("go", "build", "-o", file, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return file, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if file, err := built2(); err == nil {
		os.RemoveAll(filepath.Dir(file))
	}
	os.Exit(code)
}

// built2 is built once it was asked for, so that nothing is compiled in order to
// be removed.
var built2 = func() (string, error) { return "", os.ErrNotExist }

// program runs the built program.
func program(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	file, err := built()
	require.NoError(t, err)
	built2 = built
	c := exec.Command(file, args...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	c.Env = append(os.Environ(), env...)
	if err := c.Run(); c.ProcessState == nil {
		require.NoError(t, err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// everyVerb calls f for every command.
func everyVerb(f func(*cobra.Command)) {
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		f(c)
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	for _, c := range rootCommand(nil, nil).Commands() {
		walk(c)
	}
}

// Every verb has help with an example that is a command of its own.
func TestEveryVerbHasAnExample(t *testing.T) {
	everyVerb(func(c *cobra.Command) {
		if c.Name() == "completion" || c.HasParent() && c.Parent().Name() == "completion" || c.Name() == "help" {
			return
		}
		require.Contains(t, c.Example, "weightprint "+strings.TrimPrefix(c.CommandPath(), "weightprint "), c.CommandPath())
		require.NotEmpty(t, c.Short, c.CommandPath())
	})
}

func TestMistakesAreExplained(t *testing.T) {
	dir := demoModels(t)
	a, b := filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"compaer", a, b}, "compare"},
		{[]string{"compare", a, b, "--formt", "md"}, "did you mean --format?"},
		{[]string{"compare", a, b, "--format", "htlm"}, "did you mean html?"},
		{[]string{"compare", a, b, "--fail-on", "realted"}, "did you mean related?"},
		{[]string{"compare", a, b, "--depth", "ful"}, "did you mean full?"},
		{[]string{"compare", a, b, "--nothing-like-it"}, "see weightprint compare --help"},
		{[]string{"compare", a}, "see weightprint compare --help"},
		{[]string{"tree", a, b, "--format", "svgg"}, "did you mean svg?"},
		{[]string{"audit", a, "--fail-on", "contradict"}, "is not one of confirmed, contradicted, unproven"},
	} {
		code, out, stderr := program(t, nil, c.args...)
		require.Equal(t, exitUsage, code, stderr)
		require.Empty(t, out)
		require.Contains(t, stderr, c.want)
		require.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	}
}

// What is no terminal gets neither colour nor progress.
func TestNoColourOutsideTerminals(t *testing.T) {
	dir := demoModels(t)
	for _, args := range [][]string{{"compare"}, {"compare", "-q"}, {"compare", "--budget", "full"}} {
		code, out, stderr := program(t, []string{"TERM=xterm-256color"}, append(args, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune"))...)
		require.Zero(t, code, stderr)
		require.NotContains(t, out, "\x1b")
		require.Empty(t, stderr)
		for _, line := range strings.Split(out, "\n") {
			require.LessOrEqual(t, len([]rune(line)), 80+2*len(dir), line)
		}
	}
}

// On a terminal relations are coloured, and not with NO_COLOR.
func TestColourOnTerminals(t *testing.T) {
	script, err := exec.LookPath("script")
	if err != nil {
		t.Log("there is no script(1): the program was not tried on a terminal")
		return
	}
	file, err := built()
	require.NoError(t, err)
	built2 = built
	dir := demoModels(t)
	on := func(env string) string {
		c := exec.Command(script, "-qec", fmt.Sprintf("%s %s compare %s %s", env, file, filepath.Join(dir, "base"), filepath.Join(dir, "fine-tune")), "/dev/null")
		c.Env = append(os.Environ(), "TERM=xterm")
		out, err := c.Output()
		require.NoError(t, err)
		return string(out)
	}
	require.Contains(t, on("env -u NO_COLOR"), "\x1b[1;35mRELATED")
	plain := on("env NO_COLOR=1")
	require.Contains(t, plain, "RELATED")
	require.NotContains(t, plain, "\x1b[1;35m")
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		read, total int64
		took        time.Duration
		columns     int
		want        string
	}{
		{0, 64 << 20, time.Second, 80, "0.0 MiB read"},
		{3 << 20, 0, time.Second, 80, "3.0 MiB read"},
		{16 << 20, 64 << 20, 10 * time.Second, 80, "[=======                       ] 16.0 of at most 64.0 MiB, at most 30s left"},
		{16 << 20, 64 << 20, 10 * time.Second, 50, "16.0 of at most 64.0 MiB, at most 30s left"},
		{64 << 20, 64 << 20, 10 * time.Second, 80, "[==============================] 64.0 of at most 64.0 MiB"},
		{65 << 20, 64 << 20, 10 * time.Second, 80, "[==============================] 65.0 of at most 64.0 MiB"},
	} {
		got := progressLine(c.read, c.total, c.took, c.columns)
		require.Equal(t, c.want, got)
		require.Less(t, len(got), 80)
	}
}

// hostileModel writes a model whose tensors bear hostile names and whose
// metadata are hostile too, into a folder that is called so where the file
// system takes the name.
func hostileModel(t *testing.T, dir string, names []string, value byte) string {
	t.Helper()
	header := map[string]any{"__metadata__": map[string]string{"format": "pt", "base_model": names[0], names[1]: hostile.Strings(testing.Short())[199]}}
	const rows, cols = 16, 32
	var data []byte
	for i, n := range names {
		if _, ok := header[n]; ok || strings.ToValidUTF8(n, "") != n {
			continue
		}
		at := len(data)
		for k := range rows * cols {
			data = binary.LittleEndian.AppendUint32(data, uint32(0x3f000000+(i*7919+k*104729+int(value)*15485863)%(1<<22)))
		}
		header[n] = map[string]any{"dtype": "F32", "shape": []int{rows, cols}, "data_offsets": []int{at, len(data)}}
	}
	raw, err := json.Marshal(header)
	require.NoError(t, err)
	for len(raw)%8 != 0 {
		raw = append(raw, ' ')
	}
	raw = append(binary.LittleEndian.AppendUint64(nil, uint64(len(raw))), raw...)
	require.NoError(t, os.MkdirAll(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors"), append(raw, data...), 0o600))
	card := "---\nbase_model: " + strings.ReplaceAll(strings.ReplaceAll(names[0], "\n", " "), "\r", " ") + "\n---\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte(card), 0o600))
	return dir
}

// Whatever a stranger calls tensors, metadata and folders, nothing acts in any
// output of any verb, errors included.
func TestHostileNamesInEveryVerb(t *testing.T) {
	all := hostile.Strings(os.Getenv("WEIGHTPRINT_LONG") == "")
	var names []string
	for _, h := range all {
		if len(h) < 200 && !strings.ContainsAny(h, "\x00/") {
			names = append(names, h)
		}
	}
	root := t.TempDir()
	opened, refused := 0, 0
	for k := 0; k+8 <= len(names); k += 24 {
		here := append(names[k:min(k+24, len(names)):min(k+24, len(names))], all[199][:1<<12])
		a := hostileModel(t, filepath.Join(root, fmt.Sprint(k), here[0]), here, 1)
		b := hostileModel(t, filepath.Join(root, fmt.Sprint(k), here[1]), here, 2)
		index := filepath.Join(root, fmt.Sprintf("index-%d", k))
		for _, c := range []struct {
			form string
			args []string
		}{
			{"text", []string{"inspect", a}}, {"json", []string{"inspect", a, "--json"}}, {"text", []string{"inspect", filepath.Join(a, here[2])}},
			{"text", []string{"inspect", a, "--tensor", here[3], "--values", filepath.Join(root, "v")}}, {"text", []string{"inspect", a, "--tensor", here[3] + "?", "--values", filepath.Join(root, "v")}},
			{"text", []string{"compare", a, b}}, {"text", []string{"compare", a, b, "-q"}}, {"json", []string{"compare", a, b, "--json"}}, {"md", []string{"compare", a, b, "--format", "md"}}, {"html", []string{"compare", a, b, "--format", "html"}},
			{"text", []string{"tree", a, b}}, {"json", []string{"tree", a, b, "--json"}}, {"dot", []string{"tree", a, b, "--format", "dot"}}, {"svg", []string{"tree", a, b, "--format", "svg"}},
			{"text", []string{"audit", a}}, {"json", []string{"audit", a, "--json"}}, {"text", []string{"recipe", a, b}}, {"json", []string{"recipe", a, b, "--json"}},
			{"text", []string{"index", "add", "--index", index, a, b}}, {"text", []string{"index", "list", "--index", index}}, {"json", []string{"index", "search", "--index", index, a, "--json"}}, {"text", []string{"index", "search", "--index", index, a}},
			{"text", []string{here[4]}}, {"text", []string{"compare", "--" + here[5], a, b}}, {"text", []string{"compare", a, b, "--format", here[6]}},
		} {
			code, out, stderr := call(c.args...)
			if opened++; code == exitError || code == exitUsage {
				refused++
			}
			require.NoError(t, hostile.Check(c.form, out), "%q", c.args)
			require.NoError(t, hostile.Check("text", stderr), "%q", c.args)
		}
	}
	// Six of 25 commands are mistakes on purpose; the models themselves open.
	require.LessOrEqual(t, refused*25, opened*8, "%d of %d", refused, opened)
}
