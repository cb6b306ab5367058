package report_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/source/sourcetest"
	"github.com/weightprint/weightprint/internal/zoo"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/report/plan"
	"github.com/weightprint/weightprint/report/verdict"
)

// writeSharded writes a synthetic model in shards of one layer each, with an
// index. With noise > 0 it is a child of the one without.
func writeSharded(t *testing.T, dir string, noise float64) {
	t.Helper()
	const layers, hidden, width, vocab = 6, 256, 1024, 2000
	shards := [][]zoo.Spec{{{Name: "model.embed_tokens.weight", Shape: []int64{vocab, hidden}}, {Name: "model.norm.weight", Shape: []int64{hidden}}}}
	for l := range layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		var s []zoo.Spec
		for name, shape := range map[string][]int64{
			"mlp.gate_proj": {width, hidden}, "mlp.up_proj": {width, hidden}, "mlp.down_proj": {hidden, width}, "self_attn.q_proj": {hidden, hidden}, "self_attn.k_proj": {hidden, hidden},
			"self_attn.v_proj": {hidden, hidden}, "self_attn.o_proj": {hidden, hidden}, "input_layernorm": {hidden}, "post_attention_layernorm": {hidden},
		} {
			s = append(s, zoo.Spec{Name: p + name + ".weight", Shape: shape})
		}
		sortSpecs(s)
		shards = append(shards, s)
	}
	const config = `{"model_type":"llama","hidden_size":256,"intermediate_size":1024,"num_hidden_layers":6,"num_attention_heads":4,"num_key_value_heads":4,"vocab_size":2000,"tie_word_embeddings":true}`
	where := map[string]string{}
	for i, s := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		require.NoError(t, zoo.WriteBF16(dir, s, config, uint64(i+1), uint64(i+100), noise))
		require.NoError(t, os.Rename(filepath.Join(dir, "model.safetensors"), filepath.Join(dir, name)))
		for _, x := range s {
			where[x.Name] = name
		}
	}
	b, err := json.Marshal(map[string]any{"weight_map": where})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "model.safetensors.index.json"), b, 0o600))
}

func sortSpecs(s []zoo.Spec) {
	for i := range s {
		for k := i; k > 0 && s[k].Name < s[k-1].Name; k-- {
			s[k], s[k-1] = s[k-1], s[k]
		}
	}
}

// Two sharded models on servers: what the servers sent is what the report
// says, no more than the budget and the headers, and all numbers are those of
// the same comparison on disk.
func TestRemoteComparison(t *testing.T) {
	dir := t.TempDir()
	writeSharded(t, filepath.Join(dir, "a"), 0)
	writeSharded(t, filepath.Join(dir, "b"), 0.2)
	o := &report.Options{Budget: 2 << 20, Private: true}
	local := compare(t, filepath.Join(dir, "a"), filepath.Join(dir, "b"), o)
	require.Equal(t, verdict.Related, local.Verdict.Relation)

	var servers [2]*sourcetest.Server
	for i, name := range []string{"a", "b"} {
		s, err := sourcetest.Serve(filepath.Join(dir, name))
		require.NoError(t, err)
		t.Cleanup(func() { s.Close() })
		servers[i] = s
	}
	remote := compare(t, servers[0].URL+"model.safetensors.index.json", servers[1].URL, o)
	d, err := local.Differs(remote)
	require.NoError(t, err)
	require.Nil(t, d)
	for i, s := range remote.Subjects {
		require.True(t, s.Remote)
		require.Len(t, s.Files, 7)
		headers := int64(7*65<<10 + 64<<10) // the beginnings of seven shards, index and config
		require.Equal(t, servers[i].Bytes.Load(), s.BytesRead, "as counted by the server")
		require.LessOrEqual(t, s.BytesRead, int64(o.Budget)+headers)
		require.Less(t, s.BytesRead, s.BytesTotal)
		for _, f := range s.Files {
			require.NotEmpty(t, f.ETag)
		}
	}
}

// Where all is read, the bytes must be those that the hub names; the report
// pins commit and digests.
func TestHubComparison(t *testing.T) {
	root := models(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "org"), 0o700))
	for _, name := range []string{"base", "fine-tune"} {
		require.NoError(t, os.Rename(filepath.Join(root, name), filepath.Join(root, "org", name)))
	}
	hub, err := sourcetest.ServeHub(root)
	require.NoError(t, err)
	t.Cleanup(func() { hub.Close() })
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_TOKEN", "hf_SecretSecret")
	o := &report.Options{Private: true}
	r := compare(t, "hf:org/base", "hf:org/fine-tune", o)
	require.Equal(t, verdict.Related, r.Verdict.Relation)
	var text strings.Builder
	require.NoError(t, r.WriteJSON(&text))
	require.NoError(t, r.WriteText(&text))
	require.NoError(t, r.WriteMarkdown(&text))
	require.NotContains(t, text.String(), "hf_SecretSecret")
	for _, s := range r.Subjects {
		require.Equal(t, sourcetest.Commit, s.Revision)
		require.NotNil(t, s.Root)
		require.Regexp(t, "^[0-9a-f]{64}$", s.Files[0].SHA256)
		require.NotNil(t, s.Files[0].Digest)
		require.Less(t, s.BytesRead, s.BytesTotal*3/2, "the cache holds it")
	}
	again := compare(t, filepath.Join(root, "org", "base"), "hf:org/fine-tune", o)
	d, err := r.Differs(again)
	require.NoError(t, err)
	require.Nil(t, d)
}

// What the hub lists under one digest is not read, unless more is asked for than
// the hub's word. Only its listing counts.
func TestFilesOfOneDigest(t *testing.T) {
	root := models(t)
	require.NoError(t, os.Mkdir(filepath.Join(root, "org"), 0o700))
	require.NoError(t, os.Rename(filepath.Join(root, "base"), filepath.Join(root, "org", "base")))
	require.NoError(t, os.CopyFS(filepath.Join(root, "org", "copy"), os.DirFS(filepath.Join(root, "org", "base"))))
	require.NoError(t, os.Rename(filepath.Join(root, "fine-tune"), filepath.Join(root, "org", "fine-tune")))
	hub, err := sourcetest.ServeHub(root)
	require.NoError(t, err)
	t.Cleanup(func() { hub.Close() })
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HUB_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "")
	r := compare(t, "hf:org/base", "hf:org/copy", &report.Options{Private: true})
	require.Equal(t, verdict.Identical, r.Verdict.Relation)
	require.Contains(t, r.Verdict.Because[0], "the hub lists the same SHA-256")
	for _, c := range r.Components {
		require.Equal(t, verdict.Identical, c.Relation)
	}
	for _, s := range r.Subjects {
		require.Nil(t, s.Root)
		require.Empty(t, s.Files[0].SHA256, "it was not computed")
		require.Regexp(t, "^[0-9a-f]{64}$", s.Files[0].Named)
		require.Less(t, s.BytesRead, int64(100<<10)*int64(len(s.Files)), "headers only")
	}
	var text strings.Builder
	require.NoError(t, r.WriteJSON(&text))
	require.NoError(t, r.WriteText(&text))
	require.NoError(t, r.WriteMarkdown(&text))
	for name, o := range map[string]*report.Options{"nonce": {Nonce: "x"}, "pin": {Pin: true}, "full": {Budget: report.Full}} {
		o.Private = true
		r := compare(t, "hf:org/base", "hf:org/copy", o)
		require.Equal(t, verdict.Identical, r.Verdict.Relation, name)
		require.NotContains(t, r.Verdict.Because[0], "hub", name)
		require.NotEmpty(t, r.Subjects[0].Files[0].SHA256, name)
	}
	local := compare(t, filepath.Join(root, "org", "base"), "hf:org/copy", &report.Options{Private: true})
	require.NotContains(t, local.Verdict.Because[0], "hub")
	require.NotEqual(t, verdict.Identical, compare(t, "hf:org/base", "hf:org/fine-tune", &report.Options{Private: true}).Verdict.Relation)
}

// A store's file whose bytes are not those of its name is refused.
func TestNamedBytesAreChecked(t *testing.T) {
	dir := models(t)
	store := t.TempDir()
	t.Setenv("OLLAMA_MODELS", store)
	entries, err := filepath.Glob(filepath.Join(dir, "*", "*.gguf"))
	require.NoError(t, err)
	require.NotEmpty(t, entries)
	b, err := os.ReadFile(entries[0])
	require.NoError(t, err)
	digest := strings.Repeat("0f", 32)
	put := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(store, path)), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(store, path), []byte(text), 0o600))
	}
	put("blobs/sha256-"+digest, string(b))
	put("manifests/registry.ollama.ai/library/m/latest", fmt.Sprintf(`{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:%s","size":%d}]}`, digest, len(b)))
	_, err = report.Compare(t.Context(), entries[0], "ollama:m", nil)
	require.ErrorContains(t, err, "the bytes give")
}

// A plan reads nothing but headers and names what the first look reads.
func TestPlan(t *testing.T) {
	dir := t.TempDir()
	writeSharded(t, filepath.Join(dir, "a"), 0)
	s, err := sourcetest.Serve(filepath.Join(dir, "a"))
	require.NoError(t, err)
	t.Cleanup(func() { s.Close() })
	for _, budget := range []report.Bytes{2 << 20, report.Full} {
		in := [2]report.Input{openInput(t, filepath.Join(dir, "a")), openInput(t, s.URL)}
		before := s.Bytes.Load()
		p, err := plan.Compare(t.Context(), in[0], in[1], &report.Options{Budget: budget})
		require.NoError(t, err)
		require.Equal(t, before, s.Bytes.Load())
		for i, x := range p.Subjects {
			require.Equal(t, i == 1, x.Remote)
			files, tensors := int64(0), int64(0)
			for _, f := range x.Files {
				files += f.Bytes
			}
			for _, y := range x.Tensors {
				tensors += y.Bytes
			}
			require.Equal(t, x.BytesFirst, files)
			require.Equal(t, x.BytesFirst, tensors)
			require.Greater(t, x.BytesFirst, int64(100_000))
			require.LessOrEqual(t, x.BytesMost, x.BytesTotal)
			if budget == report.Full {
				require.Len(t, x.Tensors, 56)
			} else {
				require.LessOrEqual(t, x.BytesMost, int64(budget))
			}
		}
		require.Less(t, math.Abs(float64(p.Subjects[0].BytesFirst-p.Subjects[1].BytesFirst)), 1.0)
	}
}

func openInput(t *testing.T, ref string) report.Input {
	t.Helper()
	c, err := formats.Open(t.Context(), ref, &formats.Options{AllowPrivate: true})
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return report.Headers(c)
}
