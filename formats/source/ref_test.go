package source

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

func put(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// find expects one place on this machine and returns its path.
func find(t *testing.T, ref string, o *Options) (string, Found) {
	t.Helper()
	places, err := Find(context.Background(), ref, o)
	require.NoError(t, err, ref)
	require.Len(t, places, 1)
	return filepath.Join(places[0].Folder.(*dir).path, places[0].File), places[0]
}

func refused(t *testing.T, ref string, o *Options) error {
	t.Helper()
	_, err := Find(context.Background(), ref, o)
	require.Error(t, err, ref)
	return err
}

func TestHubCache(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	repo := filepath.Join(cache, "models--org--name")
	put(t, filepath.Join(repo, "refs", "main"), commit)
	put(t, filepath.Join(repo, "refs", "pr", "1"), commit+"\n")
	digest := strings.Repeat("ab", 32)
	blob := put(t, filepath.Join(repo, "blobs", digest), "weights")
	snapshot := filepath.Join(repo, "snapshots", commit)
	put(t, filepath.Join(snapshot, "config.json"), "{}")
	require.NoError(t, os.Symlink(blob, filepath.Join(snapshot, "model.safetensors")))
	offline := &Options{Offline: true}
	for _, ref := range []string{"hf:org/name", "hf:org/name@main", "hf:org/name@pr/1", "hf:org/name@" + commit} {
		got, place := find(t, ref, offline)
		require.Equal(t, snapshot, got)
		require.Equal(t, commit, place.Revision)
		require.Equal(t, ref, place.Ref)
	}
	got, place := find(t, "hf:org/name:model.safetensors", offline)
	require.Equal(t, filepath.Join(snapshot, "model.safetensors"), got)
	b, err := place.Folder.Open(context.Background(), "model.safetensors")
	require.NoError(t, err)
	require.Equal(t, digest, b.(Identified).Identity().SHA256, "the cache names blobs after their content")
	require.False(t, place.Folder.Strays("model.safetensors"))
	require.NoError(t, b.Close())

	// The folder of the repository stands for main, or for the only revision.
	got, place = find(t, repo, offline)
	require.Equal(t, snapshot, got)
	require.Equal(t, commit, place.Revision)
	require.ErrorContains(t, refused(t, cache, offline), "hf:org/name")
	require.NoError(t, os.Rename(filepath.Join(repo, "refs", "main"), filepath.Join(repo, "refs", "kept")))
	got, _ = find(t, repo, offline)
	require.Equal(t, snapshot, got)
	second := filepath.Join(repo, "snapshots", strings.Repeat("0", 40))
	require.NoError(t, os.Mkdir(second, 0o700))
	require.ErrorContains(t, refused(t, repo, offline), "several revisions")
	require.NoError(t, os.Remove(second))
	require.NoError(t, os.Rename(filepath.Join(repo, "refs", "kept"), filepath.Join(repo, "refs", "main")))

	for _, ref := range []string{"hf:org/other", "hf:org/name@other", "hf:org/name:other.gguf"} {
		require.ErrorIs(t, refused(t, ref, offline), ErrNotStored)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	require.ErrorIs(t, refused(t, "hf:org/other", nil), ErrNotStored)
	put(t, filepath.Join(repo, "refs", "evil"), "../../../..")
	require.ErrorIs(t, refused(t, "hf:org/name@evil", offline), tensor.ErrFormat)

	// Online the cache comes first and the hub, at the same commit, second.
	t.Setenv("HF_HUB_OFFLINE", "")
	places, err := Find(context.Background(), "hf:org/name", nil)
	require.NoError(t, err)
	require.Len(t, places, 2)
	require.Equal(t, commit, places[1].Revision)
}

func TestOllamaStore(t *testing.T) {
	store := t.TempDir()
	t.Setenv("OLLAMA_MODELS", store)
	digest := strings.Repeat("0f", 32)
	manifests := filepath.Join(store, "manifests", "registry.ollama.ai", "library")
	layers := func(l ...string) string { return `{"schemaVersion":2,"layers":[` + strings.Join(l, ",") + `]}` }
	model := `{"mediaType":"application/vnd.ollama.image.model","digest":"sha256:` + digest + `","size":7}`
	put(t, filepath.Join(manifests, "tiny", "latest"), layers(`{"mediaType":"application/vnd.ollama.image.license","digest":"sha256:00"}`, model))
	put(t, filepath.Join(manifests, "tuned", "latest"), layers(model, `{"mediaType":"application/vnd.ollama.image.adapter","digest":"sha256:`+digest+`","size":7}`))
	put(t, filepath.Join(store, "manifests", "hf.co", "org", "name", "Q4_K_M"), layers(model))
	put(t, filepath.Join(store, "manifests", "localhost", "5000", "ns", "own", "latest"), layers(model))
	blob := put(t, filepath.Join(store, "blobs", "sha256-"+digest), "weights")
	for _, ref := range []string{"ollama:tiny", "ollama:tiny:latest", "ollama:library/tiny", "ollama:registry.ollama.ai/library/tiny:latest", "ollama:hf.co/org/name:Q4_K_M", "ollama:localhost:5000/ns/own"} {
		got, place := find(t, ref, nil)
		require.Equal(t, blob, got)
		require.Empty(t, place.Warnings)
		b, err := place.Folder.Open(context.Background(), place.File)
		require.NoError(t, err)
		require.Equal(t, digest, b.(Identified).Identity().SHA256)
		require.NoError(t, b.Close())
	}
	_, place := find(t, "ollama:tuned", nil)
	require.Len(t, place.Warnings, 1, "the adapter is not read")

	require.ErrorContains(t, refused(t, "ollama:tiny:7b", nil), "stored tags: latest")
	require.ErrorContains(t, refused(t, "ollama:tinny", nil), "did you mean ollama:tiny?")
	require.ErrorIs(t, refused(t, "ollama:other", nil), ErrNotStored)

	put(t, filepath.Join(manifests, "evil", "latest"), layers(`{"mediaType":"application/vnd.ollama.image.model","digest":"../../etc/passwd"}`))
	put(t, filepath.Join(manifests, "short", "latest"), layers(strings.Replace(model, `"size":7`, `"size":8`, 1)))
	put(t, filepath.Join(manifests, "gone", "latest"), layers(strings.Replace(model, "0f", "0e", 1)))
	put(t, filepath.Join(manifests, "none", "latest"), layers())
	put(t, filepath.Join(manifests, "two", "latest"), layers(model, model))
	put(t, filepath.Join(manifests, "broken", "latest"), "{")
	put(t, filepath.Join(manifests, "huge", "latest"), strings.Repeat(" ", maxManifest+1))
	for ref, want := range map[string]error{"evil": tensor.ErrFormat, "short": tensor.ErrFormat, "gone": fs.ErrNotExist, "none": tensor.ErrNotModel, "two": tensor.ErrUnsupported, "broken": tensor.ErrFormat, "huge": tensor.ErrLimit} {
		err := refused(t, "ollama:"+ref, nil)
		require.ErrorIs(t, err, want, ref)
		var known *tensor.FormatError
		require.ErrorAs(t, err, &known)
	}
}

func TestLMStudioFolders(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	today := put(t, filepath.Join(home, ".lmstudio", "models", "maker", "model-GGUF", "m.Q4_K_M.gguf"), "x")
	before := put(t, filepath.Join(home, ".cache", "lm-studio", "models", "maker", "older", "o.gguf"), "x")
	got, _ := find(t, "lmstudio:maker/model-GGUF", nil)
	require.Equal(t, filepath.Dir(today), got)
	got, _ = find(t, "lmstudio:maker/model-GGUF:m.Q4_K_M.gguf", nil)
	require.Equal(t, today, got)
	got, _ = find(t, "lmstudio:maker/older", nil)
	require.Equal(t, filepath.Dir(before), got)

	elsewhere := filepath.Join(t.TempDir(), "models")
	put(t, filepath.Join(home, ".lmstudio", "settings.json"), `{"downloadsFolder":"`+elsewhere+`"}`)
	moved := put(t, filepath.Join(elsewhere, "maker", "moved", "m.gguf"), "x")
	got, _ = find(t, "lmstudio:maker/moved", nil)
	require.Equal(t, filepath.Dir(moved), got)

	require.ErrorIs(t, refused(t, "lmstudio:maker/absent", nil), ErrNotStored)
	require.ErrorContains(t, refused(t, "lmstudio:maker/model-GUFF", nil), "did you mean lmstudio:maker/model-GGUF?")
	require.ErrorContains(t, refused(t, "lmstudio:maker/model/m.gguf", nil), "did you mean lmstudio:maker/model:m.gguf?")
}

// References that cannot be right say what they should be like.
func TestReferences(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("HF_HUB_CACHE", home)
	t.Chdir(home)
	put(t, filepath.Join(home, "models", "llama.safetensors"), "x")
	for _, c := range []struct{ ref, advice string }{
		{"hf:name", ""}, {"hf:", ""}, {"hf:../../etc/passwd", ""}, {"hf:org/name@../../..", ""}, {"hf:org/name:../../x", ""}, {"hf:org/name:/etc/passwd", ""}, {"hf:org/name:a//b", ""},
		{"hf://org/name", "hf:org/name"}, {"hf:org/name/model.gguf", "hf:org/name:model.gguf"}, {"hf:org/name/", "hf:org/name"},
		{"hg:org/name", "hf:org/name"}, {"HF:org/name", "hf:org/name"}, {"olama:tiny:7b", "ollama:tiny:7b"}, {"lmstdio:a/b", "lmstudio:a/b"}, {"htps://a.b/c", "https://a.b/c"},
		{"https:a.b/c", "https://a.b/c"}, {"https:/a.b/c", "https://a.b/c"}, {"https://", ""},
		{"huggingface.co/org/name", "https://huggingface.co/org/name"}, {"org/name", "hf:org/name"},
		{"models/lama.safetensors", "models/llama.safetensors"}, {"modles", "models"}, {"nothing-like-it", ""}, {"s3://bucket/key", ""},
		{"ollama:../x", ""}, {"ollama:", ""}, {"ollama:/tiny", "ollama:tiny"}, {"lmstudio:x", ""}, {"lmstudio:a/b:../../c", ""},
		{"models/ll\x1b[31mama", ""},
	} {
		err := refused(t, c.ref, &Options{Offline: true})
		if c.advice != "" {
			require.ErrorContains(t, err, "did you mean "+c.advice+"?")
		} else {
			require.NotContains(t, err.Error(), "did you mean", c.ref)
		}
		require.NotContains(t, err.Error(), "\x1b")
	}
	got, _ := find(t, "models", nil)
	require.Equal(t, "models", filepath.Clean(got))
	got, _ = find(t, "models/llama.safetensors", nil)
	require.Equal(t, "models/llama.safetensors", got)
	put(t, filepath.Join(home, "odd:name"), "x")
	got, _ = find(t, "odd:name", nil)
	require.Equal(t, "odd:name", got)
	require.ErrorIs(t, refused(t, "https://cdn.example/m.gguf", &Options{Offline: true}), ErrNotStored)
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b string
		n    int
	}{{"", "", 0}, {"a", "", 1}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ollama", "olama", 1}} {
		require.Equal(t, c.n, edits(c.a, c.b))
		require.Equal(t, c.n, edits(c.b, c.a))
	}
}

// Addresses of the hub's pages are references to its models.
func TestHubPages(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("HF_HUB_CACHE", cache)
	t.Setenv("HF_ENDPOINT", "")
	for ref, want := range map[string]string{
		"https://huggingface.co/org/name":                                "hf:org/name",
		"https://huggingface.co/org/name/":                               "hf:org/name",
		"https://huggingface.co/org/name/tree/v2":                        "hf:org/name@v2",
		"https://huggingface.co/org/name/resolve/main/sub/m.gguf":        "hf:org/name@main:sub/m.gguf",
		"https://huggingface.co/org/name/blob/main/model.safetensors?x=": "hf:org/name@main:model.safetensors",
		"https://huggingface.co/datasets/name":                           "",
		"https://huggingface.co.evil.example/org/name/x.gguf":            "",
	} {
		places, err := Find(context.Background(), ref, nil)
		require.NoError(t, err)
		last := places[len(places)-1]
		if want == "" {
			require.IsType(t, &site{}, last.Folder)
			require.Empty(t, last.Folder.(*site).client.token.value)
			continue
		}
		require.Equal(t, want, last.Ref)
		require.IsType(t, &hubRepo{}, last.Folder)
	}
}

// What the hub says of a repository, and what it may not say.
func TestHubRepository(t *testing.T) {
	data := pattern(200_000)
	w := newWorld(t)
	w.hub()
	w.serve("hub.example:443", false, repo(data, "https://cdn.example/x"))
	w.serve("cdn.example:443", false, content(data, `"v1"`))
	ctx := context.Background()
	for _, ref := range []string{"hf:org/name", "hf:org/name@refs/pr/1", "hf:org/name@" + commit} {
		places, err := Find(ctx, ref, w.options())
		require.NoError(t, err)
		f := places[0].Folder.(*hubRepo)
		names, err := f.Names(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"config.json", "model.safetensors", "sub"}, names)
		below, err := f.Below("sub").Names(ctx)
		require.NoError(t, err)
		require.Equal(t, []string{"x.gguf"}, below)
		require.Equal(t, commit, f.Revision())
		require.True(t, f.Has(ctx, "config.json"))
		require.False(t, f.Has(ctx, "absent"))
		small, err := f.Read(ctx, "config.json", 100)
		require.NoError(t, err)
		require.Equal(t, `{"model_type":"llama"}`, string(small))
		_, err = f.Read(ctx, "config.json", 10)
		require.ErrorIs(t, err, tensor.ErrLimit)
		_, err = f.Read(ctx, "absent", 10)
		require.ErrorIs(t, err, fs.ErrNotExist)
		b, err := f.Open(ctx, "model.safetensors")
		require.NoError(t, err)
		id := b.(Identified).Identity()
		require.Len(t, id.SHA256, 64)
		require.Equal(t, commit, id.Commit)
		require.Equal(t, `"v1"`, id.ETag)
		got, err := readAll(b, "x", 1<<20)
		require.NoError(t, err)
		require.Equal(t, data, got)
		require.GreaterOrEqual(t, f.Transferred(), int64(len(data)))
	}
	places, err := Find(ctx, "hf:org/name:sub/x.gguf", w.options())
	require.NoError(t, err)
	require.Equal(t, "x.gguf", places[0].File)
	require.Equal(t, "hf:org/name:sub/x.gguf", places[0].Folder.Label("x.gguf"))
	_, err = places[0].Folder.Open(ctx, "x.gguf")
	require.NoError(t, err)

	_, err = find1(w, "hf:org/absent")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// find1 lists the only place of a reference.
func find1(w *world, ref string) ([]string, error) {
	places, err := Find(context.Background(), ref, w.options())
	if err != nil {
		return nil, err
	}
	return places[0].Folder.Names(context.Background())
}
