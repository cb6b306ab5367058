package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/weightprint/weightprint/internal/schematest"
)

// onPath builds the program and returns an environment that finds it.
func onPath(t *testing.T) []string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the program")
	}
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip("no bash")
	}
	dir := t.TempDir()
	out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "weightprint"), ".").CombinedOutput()
	require.NoError(t, err, string(out))
	return append(os.Environ(), "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
}

// action is a composite action, as far as action.yml uses its syntax.
type action struct {
	Inputs map[string]struct {
		Default  string
		Required bool
	}
	Runs struct {
		Using string
		Steps []struct {
			ID, If, Shell, Run string
			Env                map[string]string
		}
	}
}

var expression = regexp.MustCompile(`\$\{\{\s*([^}]*?)\s*\}\}`)

// evaluate puts inputs and the action's folder in place of expressions.
func evaluate(t *testing.T, s, root string, inputs map[string]string) string {
	return expression.ReplaceAllStringFunc(s, func(e string) string {
		name := expression.FindStringSubmatch(e)[1]
		if name == "github.action_path" {
			return root
		}
		input, ok := strings.CutPrefix(name, "inputs.")
		require.True(t, ok, name)
		value, ok := inputs[input]
		require.True(t, ok, "input %s is not declared", input)
		return value
	})
}

// runAction executes the steps of action.yml in a folder, as a runner does. It returns
// the exit code of the last step, and the files of outputs and of the summary.
func runAction(t *testing.T, env []string, dir string, given map[string]string) (code int, outputs, summary string) {
	root := absolute(t, "../..")
	raw, err := os.ReadFile(filepath.Join(root, "action.yml"))
	require.NoError(t, err)
	var a action
	require.NoError(t, yaml.Unmarshal(raw, &a))
	require.Equal(t, "composite", a.Runs.Using)
	inputs := map[string]string{}
	for name, in := range a.Inputs {
		inputs[name] = in.Default
		require.True(t, !in.Required || given[name] != "", name)
	}
	for name, value := range given {
		_, declared := inputs[name]
		require.True(t, declared, name)
		inputs[name] = value
	}
	to := map[string]string{"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary")}
	for _, s := range a.Runs.Steps {
		if s.If != "" {
			require.Equal(t, "${{ inputs.version != 'none' }}", s.If)
			if inputs["version"] == "none" {
				continue
			}
		}
		require.Equal(t, "bash", s.Shell)
		require.NotContains(t, s.Run, "inputs.", "an input must not become part of a script")
		c := exec.Command("bash", "-e", "-o", "pipefail", "-c", evaluate(t, s.Run, root, inputs))
		c.Dir, c.Env = dir, env
		for k, v := range to {
			c.Env = append(c.Env, k+"="+v)
		}
		for k, v := range s.Env {
			c.Env = append(c.Env, k+"="+evaluate(t, v, root, inputs))
		}
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		if err := c.Run(); err != nil {
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit, out.String())
			code = exit.ExitCode()
			t.Log(out.String())
			break
		}
	}
	read := func(name string) string {
		b, err := os.ReadFile(to[name])
		require.NoError(t, err)
		return string(b)
	}
	return code, read("GITHUB_OUTPUT"), read("GITHUB_STEP_SUMMARY")
}

// child lays out a model that declares a parent, beside that parent and a stranger.
func child(t *testing.T, parent string) string {
	dir := demoModels(t)
	card := "---\nbase_model: org/" + parent + "\nbase_model_relation: finetune\n---\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "fine-tune", "README.md"), []byte(card), 0o600))
	return dir
}

// The action's steps confirm a true declaration, fail on a false claim, and leave SARIF
// and JUnit files behind, whatever the names of models look like.
func TestActionSteps(t *testing.T) {
	env := onPath(t)
	s := schematest.SARIF(t, "../../report/audit/testdata")
	for _, c := range []struct {
		given     map[string]string
		code      int
		rule, run string
	}{
		{map[string]string{"model": "fine-tune", "parents": "."}, 0, "WP003", "confirmed  related of org/base"},
		{map[string]string{"model": "fine-tune", "claim": "claim.json"}, 1, "WP001", "contradicted  identical of base"},
		{map[string]string{"model": "fine-tune", "fail-on": "unproven", "parents": "nowhere", "junit": "out.xml"}, 3, "WP002", "unproven  related of org/base"},
		{map[string]string{"model": "$(touch hacked); fine-tune"}, 2, "", ""},
	} {
		dir := child(t, "base")
		if c.rule == "WP002" {
			require.NoError(t, os.Rename(filepath.Join(dir, "base"), filepath.Join(dir, "elsewhere")))
		}
		require.NoError(t, os.WriteFile(filepath.Join(dir, "claim.json"), []byte(`{"parent":"base","relation":"identical"}`), 0o600))
		c.given["version"] = "none"
		if c.rule == "" {
			require.NoError(t, os.WriteFile(filepath.Join(dir, "summary"), nil, 0o600))
		}
		code, outputs, summary := runAction(t, env, dir, c.given)
		require.Equal(t, c.code, code, "%v", c.given)
		require.NoFileExists(t, filepath.Join(dir, "hacked"))
		if c.rule == "" {
			continue
		}
		require.Contains(t, outputs, "sarif=weightprint.sarif\n")
		require.Contains(t, summary, "    "+c.run)
		text, err := os.ReadFile(filepath.Join(dir, "weightprint.sarif"))
		require.NoError(t, err)
		schematest.Valid(t, s, text)
		require.Contains(t, string(text), `"ruleId": "`+c.rule+`"`)
		if c.given["junit"] != "" {
			require.FileExists(t, filepath.Join(dir, "out.xml"))
		}
	}
}

// The hook's entry runs on the files that its pattern chooses, model by model.
func TestPreCommitHook(t *testing.T) {
	env := onPath(t)
	raw, err := os.ReadFile("../../.pre-commit-hooks.yaml")
	require.NoError(t, err)
	var hooks []struct {
		ID, Entry, Files, Language string
	}
	require.NoError(t, yaml.Unmarshal(raw, &hooks))
	require.Len(t, hooks, 1)
	pattern := regexp.MustCompile(hooks[0].Files)
	for parent, want := range map[string]int{"base": 0, "other-seed": 0} {
		dir := child(t, parent)
		var changed []string
		for _, file := range []string{"fine-tune/README.md", "fine-tune/model.safetensors", "base/config.json", "fine-tune/tokenizer.json", "notes.txt", "docs/README.md"} {
			if pattern.MatchString(file) {
				changed = append(changed, file)
			}
		}
		require.Equal(t, []string{"fine-tune/README.md", "fine-tune/model.safetensors", "base/config.json", "docs/README.md"}, changed)
		c := exec.Command("bash", "-c", hooks[0].Entry+` "$@"`, "hook")
		c.Args = append(c.Args, changed...)
		c.Dir, c.Env = dir, env
		out, err := c.CombinedOutput()
		if want == 0 {
			require.NoError(t, err, string(out))
		}
		require.Contains(t, string(out), "fine-tune\n")
		require.Contains(t, string(out), "related of org/"+parent)
		require.Contains(t, string(out), "base\nno claim")
	}
}

// An audit that is at hand reads back, in every form.
func TestShowAudit(t *testing.T) {
	dir := child(t, "base")
	t.Chdir(dir)
	require.Contains(t, exits(t, 0, "audit", "fine-tune", "--json", "-o", "audit.json", "--nonce", "n"), "")
	first, err := os.ReadFile("audit.json")
	require.NoError(t, err)
	require.JSONEq(t, string(first), exits(t, 0, "show", "audit.json", "--json"))
	require.Equal(t, exits(t, 0, "audit", "fine-tune", "--nonce", "n"), exits(t, 0, "show", "audit.json"))
	require.Contains(t, exits(t, 0, "show", "audit.json", "--format", "junit"), "<testsuites")
	require.Contains(t, exits(t, 0, "show", "audit.json", "-o", "a.sarif"), "")
	require.FileExists(t, "a.sarif")
	var log map[string]any
	require.NoError(t, json.Unmarshal([]byte(exits(t, 0, "audit", "fine-tune", "base", "--format", "sarif")), &log))
	exits(t, exitUsage, "audit", "fine-tune", "base", "--json")
	exits(t, exitUsage, "show", "audit.json", "--format", "html")
}

// A tree that is at hand reads back, in every form.
func TestShowTree(t *testing.T) {
	t.Chdir(demoModels(t))
	exits(t, 0, "tree", "base", "fine-tune", "--json", "-o", "tree.json")
	for _, form := range treeForms {
		require.Equal(t, exits(t, 0, "tree", "base", "fine-tune", "--format", form), exits(t, 0, "show", "tree.json", "--format", form), form)
	}
	exits(t, exitUsage, "show", "tree.json", "--format", "html")
}
