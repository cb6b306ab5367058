package formats

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// ggufOf is a GGUF file of one tensor with the given pairs: strings, or
// uint32 numbers.
func ggufOf(pairs ...any) []byte {
	var b bytes.Buffer
	put := func(vs ...any) {
		for _, v := range vs {
			if s, ok := v.(string); ok {
				binary.Write(&b, binary.LittleEndian, uint64(len(s)))
				b.WriteString(s)
				continue
			}
			binary.Write(&b, binary.LittleEndian, v)
		}
	}
	b.WriteString("GGUF")
	put(uint32(3), uint64(1), uint64(len(pairs)/2))
	for i := 0; i < len(pairs); i += 2 {
		put(pairs[i].(string))
		if s, ok := pairs[i+1].(string); ok {
			put(uint32(8), s)
		} else {
			put(uint32(4), pairs[i+1])
		}
	}
	put("x", uint32(1), uint64(8), uint32(0), uint64(0))
	b.Write(make([]byte, (32-b.Len()%32)%32+32))
	return b.Bytes()
}

func TestParentsOfGGUF(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.gguf")
	require.NoError(t, os.WriteFile(file, ggufOf(
		"general.architecture", "llama",
		"general.base_model.count", uint32(4),
		"general.base_model.0.name", "Base", "general.base_model.0.organization", "Org", "general.base_model.0.version", "v1",
		"general.base_model.0.repo_url", "https://huggingface.co/org/base-7b",
		"general.base_model.1.name", "Other", "general.base_model.1.organization", "Lab",
		"general.base_model.2.repo_url", "https://example.org/x",
		"general.base_model.3.repo_url", "https://huggingface.co/datasets/org/data", "general.base_model.3.name", "\x1b[31mred\u202e",
		"general.base_model.4.name", "beyond the count",
		"general.source.repo_url", "https://huggingface.co/org/source",
		"general.base_model.x.name", "no number",
	), 0o600))
	m, err := open(t, file)
	require.NoError(t, err)
	require.Equal(t, []Parent{
		{Name: "org/base-7b", Source: "general.base_model.0", Organization: "Org", Version: "v1", URL: "https://huggingface.co/org/base-7b"},
		{Name: "Lab/Other", Source: "general.base_model.1", Organization: "Lab"},
		{Name: "https://example.org/x", Source: "general.base_model.2", URL: "https://example.org/x"},
		{Name: "\x1b[31mred\u202e", Source: "general.base_model.3", URL: "https://huggingface.co/datasets/org/data"},
		{Name: "org/source", Source: "general.source", Relation: "converted", URL: "https://huggingface.co/org/source"},
	}, m.Parents())
	for _, p := range m.Parents() {
		require.NotContains(t, escape.Printable(p.Name), "\x1b")
	}
}

// A count that no file can have costs nothing.
func TestParentsAreBounded(t *testing.T) {
	file := filepath.Join(t.TempDir(), "m.gguf")
	require.NoError(t, os.WriteFile(file, ggufOf("general.base_model.count", uint32(1<<31-1), "general.base_model.63.name", "last", "general.base_model.64.name", "one too many", "general.source.url", strings.Repeat("x", maxString+1)), 0o600))
	m, err := open(t, file)
	require.NoError(t, err)
	require.Equal(t, []string{"last"}, m.DeclaredParents())
}

func TestModelCard(t *testing.T) {
	for _, c := range []struct {
		front string
		want  []string // nil: an error
	}{
		{"base_model: org/a", []string{"org/a"}},
		{"base_model: org/a # the base", []string{"org/a"}},
		{"base_model: org/a#b", []string{"org/a#b"}},
		{`base_model: "org/a # b"`, []string{"org/a # b"}},
		{`"base_model": 'it''s'`, []string{"it's"}},
		{"base_model: [org/a, \"org/b\" , 'org/c']", []string{"org/a", "org/b", "org/c"}},
		{"base_model:\n- org/a\n- org/b\ntags:\n- x", []string{"org/a", "org/b"}},
		{"base_model:\n  # two\n  - org/a\n\n  - \"org/b\"\nlicense: mit", []string{"org/a", "org/b"}},
		{"base_model: []", []string{}},
		{"base_model:\nlicense: mit", []string{}},
		{"base_model: null", []string{}},
		{"license: mit", []string{}},
		{"model:\n  base_model: org/nested", []string{}},
		{"base_model: \"\\u001b[31m\"", []string{"\x1b[31m"}},
		{"base_model: org/a\nbase_model: org/b", nil},
		{"base_model: org/a\n'base_model': org/b", nil},
		{"base_model: &x org/a", nil},
		{"base_model: *x", nil},
		{"base_model: !!str org/a", nil},
		{"base_model: >-\n  org/a", nil},
		{"base_model: |\n  org/a", nil},
		{"base_model: {name: a}", nil},
		{"base_model:\n  name: org/a", nil},
		{"base_model:\n  - name: org/a", nil},
		{"base_model: org/a\n  org/b", nil},
		{"base_model: [org/a,\n  org/b]", nil},
		{"base_model: [org/a, ]", nil},
		{"base_model: \"open", nil},
		{"base_model: 'open", nil},
		{"base_model: 'a'b'", nil},
		{"base_model: " + strings.Repeat("x", maxString+1), nil},
		{"base_model:" + strings.Repeat("\n- a", maxParents+1), nil},
		{"base_model: [" + strings.Repeat("a, ", maxParents) + "a]", nil},
		{"base_model: \xff", nil},
	} {
		meta := tensor.Metadata{}
		err := modelCard([]byte("---\n"+c.front+"\n---\nbase_model: text\n"), meta)
		if c.want == nil {
			require.ErrorIs(t, err, tensor.ErrFormat, "%q", c.front)
			continue
		}
		require.NoError(t, err, "%q", c.front)
		got := oneOrMore(meta["card.base_model"])
		require.Equal(t, c.want, append([]string{}, got...), "%q", c.front)
	}
	for _, none := range []string{"", "---", "---\nbase_model: a", "---\n---\nbase_model: a\n---\n", "# Card\n---\nbase_model: a\n---\n", "---\nx: 1\n----\nbase_model: a\n"} {
		meta := tensor.Metadata{}
		require.NoError(t, modelCard([]byte(none), meta))
		require.Empty(t, meta, "%q", none)
	}
}

// Whatever a card holds, opening goes on.
func TestBadCardIsAWarning(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, "model.safetensors"))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("---\nbase_model: *x\n---\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "params.json"), []byte(`{"n_heads":4,"n_kv_heads":2}`), 0o600))
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Len(t, m.Warnings, 1)
	require.Contains(t, m.Warnings[0], "README.md is not used")
	require.Empty(t, m.Parents())
	heads, _ := m.Metadata().Int("config.n_heads")
	require.Equal(t, 4, heads)
}

func FuzzCard(f *testing.F) {
	for _, s := range []string{"base_model: [a, 'b']", "base_model:\n- a\n- b", "base_model: \"x\\n\"", "base_model: a # b\nbase_model_relation: merge"} {
		f.Add([]byte("---\n" + s + "\n---\n"))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		meta := tensor.Metadata{}
		if err := modelCard(b, meta); err != nil {
			require.ErrorIs(t, err, tensor.ErrFormat)
			require.Empty(t, meta)
		}
		require.LessOrEqual(t, len(oneOrMore(meta["card.base_model"])), maxParents)
	})
}
