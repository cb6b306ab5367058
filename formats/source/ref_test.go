package source

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func put(t *testing.T, path, text string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
}

func TestLocateHub(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	repo := filepath.Join(cache, "models--org--name")
	commit := strings.Repeat("ab", 20)
	put(t, filepath.Join(repo, "refs", "main"), commit)
	put(t, filepath.Join(repo, "refs", "pr", "1"), commit+"\n")
	put(t, filepath.Join(repo, "snapshots", commit, "model.safetensors"), "")
	for _, ref := range []string{"hf:org/name", "hf:org/name@main", "hf:org/name@pr/1", "hf:org/name@" + commit} {
		got, err := Locate(ref)
		require.NoError(t, err, ref)
		require.Equal(t, filepath.Join(repo, "snapshots", commit), got)
		require.Equal(t, commit, Revision(got))
	}
	require.Empty(t, Revision(filepath.Join(repo, "snapshots", "main")))
	got, err := Locate("hf:org/name:model.safetensors")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(repo, "snapshots", commit, "model.safetensors"), got)
	_, err = Locate("hf:org/other")
	require.ErrorIs(t, err, ErrNotStored)
	for _, bad := range []string{"hf:name", "hf:../../etc/passwd", "hf:org/name@../../..", "hf:org/name:../../x", "hf:org/name:/etc/passwd", "hf:"} {
		_, err := Locate(bad)
		require.Error(t, err, bad)
	}
	put(t, filepath.Join(repo, "refs", "evil"), "../../../..")
	_, err = Locate("hf:org/name@evil")
	require.Error(t, err)
}

func TestLocateOllama(t *testing.T) {
	store := t.TempDir()
	t.Setenv("OLLAMA_MODELS", store)
	digest := strings.Repeat("0f", 32)
	put(t, filepath.Join(store, "manifests/registry.ollama.ai/library/tiny/latest"), `{"layers":[{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:00"},{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:`+digest+`"}]}`)
	put(t, filepath.Join(store, "manifests/registry.ollama.ai/library/evil/latest"), `{"layers":[{"mediaType":"application/vnd.ollama.image.model","digest":"../../etc/passwd"}]}`)
	got, err := Locate("ollama:tiny")
	require.NoError(t, err)
	require.Equal(t, filepath.Join(store, "blobs", "sha256-"+digest), got)
	_, err = Locate("ollama:tiny:7b")
	require.ErrorIs(t, err, ErrNotStored)
	for _, bad := range []string{"ollama:evil", "ollama:../x", "ollama:"} {
		_, err := Locate(bad)
		require.Error(t, err, bad)
	}
}

func TestLocateLeavesPathsAlone(t *testing.T) {
	got, err := Locate("models/a:b")
	require.NoError(t, err)
	require.Equal(t, "models/a:b", got)
}
