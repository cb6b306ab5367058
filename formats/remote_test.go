package formats

import (
	"context"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/formatstest"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/source/sourcetest"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/vectors"
)

func openRemote(t *testing.T, ref string) (*Checkpoint, error) {
	t.Helper()
	c, err := Open(context.Background(), ref, &Options{AllowPrivate: true})
	if err == nil {
		t.Cleanup(func() { require.NoError(t, c.Close()) })
	}
	return c, err
}

func serve(t *testing.T, dir string) *sourcetest.Server {
	t.Helper()
	s, err := sourcetest.Serve(dir)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// expectedValues are the values of all shards of a committed set.
func expectedValues(t *testing.T, dir string) map[string]formatstest.Expected {
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
	return want
}

// Checkpoints on a server hold what they hold on disk, however they are named.
func TestRemoteCheckpoints(t *testing.T) {
	for _, c := range []struct {
		dir  string
		refs []string
	}{
		{"testdata/sharded", []string{"", "model.safetensors.index.json", "model-00002-of-00003.safetensors"}},
		{"testdata/split", []string{"model-00001-of-00003.gguf", "model-00003-of-00003.gguf"}},
	} {
		s := serve(t, c.dir)
		want := expectedValues(t, c.dir)
		for _, ref := range c.refs {
			m, err := openRemote(t, s.URL+ref)
			require.NoError(t, err)
			require.True(t, m.Remote())
			formatstest.Model(t, m)
			require.Len(t, m.Tensors(), len(want))
			for _, x := range m.Tensors() {
				formatstest.Values(t, c.dir, []*tensor.Tensor{x}, []formatstest.Expected{want[x.Name]})
			}
			for _, f := range m.Files() {
				require.NotEmpty(t, f.Identity.ETag)
			}
			require.NoError(t, m.Verify())
		}
	}
}

// A repository on a hub: small files, the vocabulary, weights, and what it
// says of itself.
func TestHubCheckpoint(t *testing.T) {
	root := t.TempDir()
	single := "testdata/index/001-good/model-00001-of-00002.safetensors"
	copyTo(t, single, filepath.Join(root, "org", "name", "model.safetensors"))
	require.NoError(t, os.WriteFile(filepath.Join(root, "org", "name", "config.json"), []byte(`{"model_type":"llama","_name_or_path":"org/base"}`), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(root, "org", "name", "vocab.json"), []byte(`{"a":0,"b":1}`), 0o600))
	hub, err := sourcetest.ServeHub(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, hub.Close()) })
	cache := t.TempDir()
	t.Setenv("HF_ENDPOINT", hub.URL)
	t.Setenv("HF_HUB_CACHE", cache)
	t.Setenv("HF_HUB_OFFLINE", "")
	t.Setenv("HF_TOKEN", "hf_SecretSecret")
	for _, ref := range []string{"hf:org/name", "hf:org/name@" + sourcetest.Commit, "hf:org/name:model.safetensors", hub.URL + "/org/name"} {
		m, err := openRemote(t, ref)
		require.NoError(t, err, ref)
		formatstest.Model(t, m)
		require.Equal(t, sourcetest.Commit, m.Revision)
		require.Len(t, m.Files()[0].Identity.SHA256, 64)
		require.Equal(t, []string{"org/base"}, m.DeclaredParents())
		tokens, err := m.Vocabulary(context.Background())
		require.NoError(t, err)
		require.Equal(t, []string{"a", "b"}, tokens)
	}
	for _, s := range hub.Tokens() {
		require.Equal(t, "Bearer hf_SecretSecret", s)
	}

	// The hub may be on loopback as the user says so, but what it redirects to
	// may not.
	_, err = Open(context.Background(), "hf:org/name", nil)
	require.ErrorIs(t, err, source.ErrAddress)

	// A snapshot in the cache that holds no weights is made up for by the hub,
	// at the commit of the snapshot; one that does is used alone.
	snapshot := filepath.Join(cache, "models--org--name", "snapshots", sourcetest.Commit)
	refs := filepath.Join(cache, "models--org--name", "refs")
	require.NoError(t, os.MkdirAll(refs, 0o700))
	require.NoError(t, os.MkdirAll(snapshot, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(refs, "main"), []byte(sourcetest.Commit), 0o600))
	m, err := openRemote(t, "hf:org/name")
	require.NoError(t, err)
	require.True(t, m.Remote())
	copyTo(t, single, filepath.Join(snapshot, "model.safetensors"))
	before := len(hub.Tokens())
	m, err = openRemote(t, "hf:org/name")
	require.NoError(t, err)
	require.False(t, m.Remote())
	require.Equal(t, sourcetest.Commit, m.Revision)
	require.Len(t, hub.Tokens(), before, "the hub is not asked")
}

// Faults of servers come through Open as what they are.
func TestRemoteFaults(t *testing.T) {
	s := serve(t, "testdata/sharded")
	for ref, want := range map[string]error{
		"absent.safetensors":            fs.ErrNotExist,
		"absent/":                       tensor.ErrNotModel,
		"absent":                        fs.ErrNotExist,
		"absent.safetensors.index.json": fs.ErrNotExist,
		"model-00001-of-00003.00.f32":   tensor.ErrNotModel, // neither a folder nor a checkpoint
	} {
		_, err := openRemote(t, s.URL+ref)
		require.ErrorIs(t, err, want, ref)
	}
	_, err := Open(context.Background(), s.URL, nil)
	require.ErrorIs(t, err, source.ErrAddress)

	// A server without ranges is refused before its file is fetched.
	plain := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, dropRange(r), "testdata/sharded/model-00001-of-00003.safetensors")
	}))
	t.Cleanup(plain.Close)
	_, err = openRemote(t, plain.URL+"/model.safetensors")
	require.ErrorIs(t, err, source.ErrNoRanges)

	// One that is cut off under the reader: the size is another.
	dir := t.TempDir()
	path := filepath.Join(dir, "model.safetensors")
	copyTo(t, "testdata/sharded/model-00001-of-00003.safetensors", path)
	require.NoError(t, os.Truncate(path, 100))
	_, err = openRemote(t, serve(t, dir).URL+"model.safetensors")
	var known *tensor.FormatError
	require.ErrorAs(t, err, &known)
}

func dropRange(r *http.Request) *http.Request {
	c := r.Clone(r.Context())
	c.Header.Del("Range")
	return c
}

// What will be read can be announced to the server, and a tensor knows its file.
func TestRemoteTensorsKnowTheirFiles(t *testing.T) {
	for dir, file := range map[string]string{
		"testdata/sharded": "model.safetensors.index.json", "testdata/split": "model-00001-of-00003.gguf",
		"torch/testdata": "state-dict.pt",
	} {
		c, err := openRemote(t, serve(t, dir).URL+file)
		require.NoError(t, err, file)
		stored := 0
		for _, x := range c.Tensors() {
			if s, ok := x.Stored(); ok {
				f, ok := s.R.(interface{ Fetches() bool })
				require.True(t, ok && f.Fetches(), "%s: %s", file, x.Name)
				_, isFetcher := s.R.(tensor.Fetcher)
				require.True(t, isFetcher)
				if dir != "torch/testdata" { // which lie in an archive
					require.Contains(t, c.Files(), FileOf(x))
				}
				stored++
			}
		}
		require.NotZero(t, stored, file)
	}
}
