package formats

import (
	"bytes"
	"context"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func open(t testing.TB, ref string) (*Checkpoint, error) {
	t.Helper()
	c, err := Open(context.Background(), ref, nil)
	if err == nil {
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	return c, err
}

func refuses(t testing.TB) func(string) error {
	return func(ref string) error { _, err := open(t, ref); return err }
}

// folders lists the committed cases and, where it is, the whole set.
func folders(t testing.TB, local, shared string) []string {
	var out []string
	if local != "" {
		out = append(out, local)
	}
	if dir, ok := vectors.Shared(t, shared); ok {
		out = append(out, dir)
	}
	return out
}

func TestMalformedIndex(t *testing.T) {
	for _, dir := range folders(t, "testdata/index", "vectors/malformed/index") {
		var cases []struct{ Folder, What, Verdict string }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &cases)
		require.Len(t, cases, 39)
		for _, c := range cases {
			ref := filepath.Join(dir, c.Folder, "model.safetensors.index.json")
			if c.Verdict == "accept" {
				m, err := open(t, ref)
				require.NoError(t, err, c.What)
				formatstest.Model(t, m)
				continue
			}
			formatstest.Refused(t, ref, c.What, refuses(t))
		}
	}
}

func TestMalformedSplit(t *testing.T) {
	for _, dir := range folders(t, "", "vectors/malformed/split") {
		var cases []struct{ Folder, What, Verdict, Open string }
		vectors.JSON(t, filepath.Join(dir, "expected.json"), &cases)
		require.Len(t, cases, 35)
		for _, c := range cases {
			ref := filepath.Join(dir, c.Folder, c.Open)
			if c.Verdict == "accept" || c.Folder == "004-open-second" {
				m, err := open(t, ref)
				require.NoError(t, err, c.What)
				formatstest.Model(t, m)
				continue
			}
			formatstest.Refused(t, filepath.Join(dir, c.Folder), c.What, func(string) error { return refuses(t)(ref) })
		}
	}
}

func TestShardedSets(t *testing.T) {
	for _, c := range []struct {
		local, shared string
		refs          []string
	}{
		{"testdata/sharded", "vectors/safetensors/sharded", []string{"", "model.safetensors.index.json", "model-00002-of-00003.safetensors"}},
		{"testdata/split", "vectors/gguf/split", []string{"", "model-00001-of-00003.gguf", "model-00003-of-00003.gguf"}},
		{"testdata/split-empty-first", "vectors/gguf/split-empty-first", []string{"", "model-00001-of-00004.gguf"}},
	} {
		for _, dir := range folders(t, c.local, c.shared) {
			want := map[string]formatstest.Expected{}
			files, err := filepath.Glob(filepath.Join(dir, "*expected.json"))
			require.NoError(t, err)
			for _, path := range files {
				var e struct{ Tensors []formatstest.Expected }
				vectors.JSON(t, path, &e)
				for _, x := range e.Tensors {
					want[x.Name] = x
				}
			}
			for _, ref := range c.refs {
				m, err := open(t, filepath.Join(dir, ref))
				require.NoError(t, err)
				formatstest.Model(t, m)
				require.Len(t, m.Tensors(), len(want))
				for _, x := range m.Tensors() {
					formatstest.Values(t, dir, []*tensor.Tensor{x}, []formatstest.Expected{want[x.Name]})
				}
				require.NoError(t, m.Verify())
				require.LessOrEqual(t, m.BytesRead(), m.BytesTotal())
			}
		}
	}
}

func copyTo(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o700))
	require.NoError(t, os.WriteFile(to, b, 0o600))
}

// A hub cache keeps blobs apart and links to them from each snapshot.
func TestHubCacheLayout(t *testing.T) {
	repo := filepath.Join(t.TempDir(), "models--o--m")
	snapshot := filepath.Join(repo, "snapshots", "0123")
	require.NoError(t, os.MkdirAll(snapshot, 0o700))
	for _, name := range []string{"model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors", "model.safetensors.index.json"} {
		copyTo(t, filepath.Join("testdata/sharded", name), filepath.Join(repo, "blobs", name+"-blob"))
		require.NoError(t, os.Symlink(filepath.Join("..", "..", "blobs", name+"-blob"), filepath.Join(snapshot, name)))
	}
	m, err := open(t, snapshot)
	require.NoError(t, err)
	require.Len(t, m.Files(), 3)

	// A link to anywhere else is refused.
	outside := filepath.Join(t.TempDir(), "outside.safetensors")
	copyTo(t, "testdata/sharded/model-00001-of-00003.safetensors", outside)
	require.NoError(t, os.Remove(filepath.Join(snapshot, "model-00001-of-00003.safetensors")))
	require.NoError(t, os.Symlink(outside, filepath.Join(snapshot, "model-00001-of-00003.safetensors")))
	_, err = open(t, snapshot)
	require.ErrorContains(t, err, "is a link that leaves the folder")
}

func TestFolders(t *testing.T) {
	single := "testdata/index/001-good/model-00001-of-00002.safetensors"
	dir := t.TempDir()
	_, err := open(t, dir)
	require.ErrorIs(t, err, tensor.ErrNotModel)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "pytorch_model.bin"), []byte("x"), 0o600))
	_, err = open(t, dir)
	require.ErrorContains(t, err, "pytorch_model.bin: offset 0: magic: no archive and no chain of pickles")
	copyTo(t, single, filepath.Join(dir, "adapter_model.safetensors"))
	_, err = open(t, dir)
	require.ErrorContains(t, err, "pytorch_model.bin", "an adapter is no model where one lies beside it")
	copyTo(t, single, filepath.Join(dir, "model.safetensors"))
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Equal(t, "model.safetensors", m.Files()[0].Path)
	require.Equal(t, []string{"the folder holds adapter_model.safetensors, pytorch_model.bin too; model.safetensors was opened"}, m.Warnings)
	require.NoError(t, os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, "a.safetensors")))
	copyTo(t, single, filepath.Join(dir, "b.safetensors"))
	_, err = open(t, dir)
	require.ErrorContains(t, err, "several checkpoints lie here, name one of them: a.safetensors, b.safetensors")
}

// Nothing that is no regular file is waited for.
func TestPipesAndDevices(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "model.safetensors")
	require.NoError(t, syscall.Mkfifo(fifo, 0o600))
	for _, ref := range []string{fifo, filepath.Dir(fifo), "/dev/zero", "/nowhere"} {
		start := time.Now()
		_, err := open(t, ref)
		require.Error(t, err, ref)
		require.Less(t, time.Since(start), 10*time.Second)
	}
}

func TestConfigAndCard(t *testing.T) {
	dir := t.TempDir()
	copyTo(t, "testdata/index/001-good/model-00001-of-00002.safetensors", filepath.Join(dir, "model.safetensors"))
	for name, text := range map[string]string{
		"config.json":         `{"model_type":"llama","hidden_size":64,"rope_theta":1e4,"text_config":{"num_attention_heads":4},"_name_or_path":"org/base","architectures":["A","B"],"big":123456789012345678901234567890}`,
		"adapter_config.json": `{"base_model_name_or_path":"org/base2","r":8}`,
		"README.md":           "---\nlicense: mit\nbase_model:\n  - org/card1\n  - \"org/card2\"\nbase_model_relation: finetune\n---\n# Hello\nbase_model: not/this\n",
		"tokenizer.json":      `{"added_tokens":[{"id":3,"content":"<s>"}],"model":{"type":"BPE","vocab":{"b":1,"a":0}}}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
	}
	m, err := open(t, dir)
	require.NoError(t, err)
	require.Empty(t, m.Warnings)
	hidden, ok := m.Metadata().Int("config.hidden_size")
	require.True(t, ok)
	require.Equal(t, 64, hidden)
	heads, _ := m.Metadata().Int("config.text_config.num_attention_heads")
	require.Equal(t, 4, heads)
	require.Equal(t, []string{"org/card1", "org/card2", "org/base", "org/base2"}, m.DeclaredParents())
	relation, _ := m.Metadata().String("card.base_model_relation")
	require.Equal(t, "finetune", relation)
	tokens, err := m.Vocabulary(context.Background())
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "", "<s>"}, tokens)

	require.NoError(t, os.WriteFile(filepath.Join(dir, "config.json"), []byte("{"), 0o600))
	m, err = open(t, dir)
	require.NoError(t, err)
	require.Len(t, m.Warnings, 1)
	require.Contains(t, m.Warnings[0], "config.json is not used")
}

func TestVocabularyForms(t *testing.T) {
	for _, c := range []struct {
		parse func(context.Context, []byte) ([]string, error)
		text  string
		want  []string
	}{
		{tokenizerJSON, `{"model":{"type":"Unigram","vocab":[["<unk>",0],["▁a",-1.5]]}}`, []string{"<unk>", "▁a"}},
		{vocabJSON, `{"x":1,"y":0}`, []string{"y", "x"}},
		{vocabText, "[PAD]\r\na\n", []string{"[PAD]", "a"}},
	} {
		got, err := c.parse(context.Background(), []byte(c.text))
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
	for _, bad := range []string{`{`, `{"model":{"vocab":[1]}}`, `{"model":{"vocab":7}}`} {
		_, err := tokenizerJSON(context.Background(), []byte(bad))
		require.Error(t, err)
	}
	huge, err := vocabJSON(context.Background(), []byte(`{"x":2000000000,"y":-1}`))
	require.NoError(t, err)
	require.Empty(t, huge)
}

// fuzzBytes bounds what fuzzing gives readers of text: longer ones show nothing that
// shorter ones do not, and take its time.
const fuzzBytes = 1 << 10

func FuzzIndex(f *testing.F) {
	for _, text := range []string{
		`{"metadata":{"total_size":8},"weight_map":{"a":"m-00001-of-00001.safetensors"}}`, `{"weight_map":{"a":"x","b":"y"}}`,
		`{"weight_map":{"a":"x","a":"y"}}`, `{"metadata":{"total_size":8.0,"x":[[[{}]]]},"weight_map":{}}`, `{"weight_map":{"a":"../x"}}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > fuzzBytes {
			return
		}
		op := &opener{ctx: context.Background(), o: &Options{}, place: held{"m.safetensors.index.json": b}, c: &Checkpoint{meta: tensor.Metadata{}}}
		err := op.index("m.safetensors.index.json")
		require.Error(t, err, "no shard lies there")
		var fe *tensor.FormatError
		require.ErrorAs(t, err, &fe)
	})
}

// held is a folder in memory.
type held map[string][]byte

func (h held) Label(name string) string                { return "folder/" + name }
func (h held) Names(context.Context) ([]string, error) { return slices.Sorted(maps.Keys(h)), nil }
func (h held) Has(_ context.Context, name string) bool { return h[name] != nil }
func (h held) Strays(string) bool                      { return false }
func (h held) Close() error                            { return nil }
func (h held) Read(_ context.Context, name string, _ int64) ([]byte, error) {
	return h[name], nil
}

func (h held) Open(_ context.Context, name string) (source.Blob, error) {
	return nil, tensor.Errorf(fs.ErrNotExist, name, -1, "file", "cannot be opened")
}

func FuzzTokenizer(f *testing.F) {
	f.Add([]byte(`{"added_tokens":[{"id":3,"content":"<s>"}],"model":{"vocab":{"a":0}}}`))
	f.Add([]byte(`{"model":{"vocab":[["a",1]]}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > fuzzBytes {
			return
		}
		_, _ = tokenizerJSON(context.Background(), b) // must not panic; errors are warnings upstream
	})
}

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"architectures":["LlamaForCausalLM"],"rope_scaling":{"factor":8.0},"eos_token_id":[1,2],"tie":true}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > fuzzBytes {
			return
		}
		_ = flatten(b, "x.", tensor.Metadata{})
	})
}

// The zoo opens whole, and a lone file of it is found by its content.
func TestZooOpens(t *testing.T) {
	dir, ok := vectors.Shared(t, "zoo")
	if !ok {
		return
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	n := 0
	for _, e := range entries {
		if !e.IsDir() || e.Name() == "make" {
			continue
		}
		m, err := open(t, filepath.Join(dir, e.Name()))
		require.NoError(t, err)
		require.NotEmpty(t, m.Tensors())
		if m.Format == "safetensors" && !strings.Contains(e.Name(), "adapter") {
			tokens, err := m.Vocabulary(context.Background())
			require.NoError(t, err)
			require.Len(t, tokens, 1024)
			n++
		}
	}
	require.Equal(t, 54, n)
	b, err := os.ReadFile(filepath.Join(dir, "r1", "model.safetensors"))
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "no ending")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	m, err := open(t, path)
	require.NoError(t, err)
	require.Equal(t, "safetensors", m.Format)
	require.True(t, bytes.HasPrefix(b[8:], []byte("{")))
}
