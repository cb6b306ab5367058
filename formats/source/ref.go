package source

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrNotStored is returned for a reference to a model that is not in the local
// store it names.
var ErrNotStored = errors.New("the model is not in the local store")

// Locate turns a reference into a path. References without a scheme are paths
// already. Others name models in local stores:
//
//	hf:org/name[@revision][:file]   the Hugging Face hub cache (HF_HUB_CACHE, HF_HOME)
//	ollama:name[:tag]               the Ollama store (OLLAMA_MODELS)
//
// No network is used: a model that is not stored gives ErrNotStored.
func Locate(ref string) (string, error) {
	if rest, ok := strings.CutPrefix(ref, "hf:"); ok {
		return locateHub(rest)
	}
	if rest, ok := strings.CutPrefix(ref, "ollama:"); ok {
		return locateOllama(rest)
	}
	return ref, nil
}

// hubName matches org/name, an optional revision and an optional file.
var hubName = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?(?::(.+))?$`)

// locateHub finds a snapshot: models--org--name/refs/REVISION holds a commit,
// snapshots/COMMIT its files.
func locateHub(ref string) (string, error) {
	m := hubName.FindStringSubmatch(ref)
	if m == nil {
		return "", fmt.Errorf("hf:%q is not of the form hf:org/name[@revision][:file]", ref)
	}
	repo := filepath.Join(hubCache(), "models--"+m[1]+"--"+m[2])
	rev, file := m[3], filepath.FromSlash(m[4])
	if rev == "" {
		rev = "main"
	}
	if !filepath.IsLocal(filepath.FromSlash(rev)) || file != "" && !filepath.IsLocal(file) {
		return "", fmt.Errorf("hf:%q leaves the model's folder", ref)
	}
	if commit, err := os.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(rev))); err == nil {
		rev = strings.TrimSpace(string(commit))
	}
	path := filepath.Join(repo, "snapshots", filepath.FromSlash(rev))
	if !filepath.IsLocal(filepath.FromSlash(rev)) {
		return "", fmt.Errorf("%s: the revision leaves the folder", repo)
	}
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("hf:%s: %w: no %s; fetch it first, for example with huggingface-cli download", ref, ErrNotStored, path)
	}
	return filepath.Join(path, file), nil
}

// snapshot matches the folder of one commit in the hub's cache.
var snapshot = regexp.MustCompile(`[/\\]models--[^/\\]+[/\\]snapshots[/\\]([0-9a-f]{40})(?:[/\\]|$)`)

// Revision is the commit that a path in the hub's cache belongs to, "" for
// other paths.
func Revision(path string) string {
	if m := snapshot.FindStringSubmatch(path); m != nil {
		return m[1]
	}
	return ""
}

// hubCache is where the hub's own library keeps models.
func hubCache() string {
	if dir := os.Getenv("HF_HUB_CACHE"); dir != "" {
		return dir
	}
	if home := os.Getenv("HF_HOME"); home != "" {
		return filepath.Join(home, "hub")
	}
	if cache := os.Getenv("XDG_CACHE_HOME"); cache != "" {
		return filepath.Join(cache, "huggingface", "hub")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".cache", "huggingface", "hub")
}

// ollamaName matches [namespace/]name and an optional tag.
var ollamaName = regexp.MustCompile(`^(?:([A-Za-z0-9][\w.-]*)/)?([A-Za-z0-9][\w.-]*)(?::([\w.-]+))?$`)

// maxManifest bounds the manifest of a stored model.
const maxManifest = 1 << 20

// locateOllama reads a manifest and finds the blob of the model's weights.
func locateOllama(ref string) (string, error) {
	m := ollamaName.FindStringSubmatch(ref)
	if m == nil {
		return "", fmt.Errorf("ollama:%q is not of the form ollama:name[:tag]", ref)
	}
	space, tag := m[1], m[3]
	if space == "" {
		space = "library"
	}
	if tag == "" {
		tag = "latest"
	}
	store := ollamaStore()
	file := filepath.Join(store, "manifests", "registry.ollama.ai", space, m[2], tag)
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxManifest {
		return "", fmt.Errorf("ollama:%s: %w: no manifest %s", ref, ErrNotStored, file)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	var manifest struct {
		Layers []struct{ MediaType, Digest string }
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	for _, l := range manifest.Layers {
		if l.MediaType == "application/vnd.ollama.image.model" && blobDigest.MatchString(l.Digest) {
			return filepath.Join(store, "blobs", strings.Replace(l.Digest, ":", "-", 1)), nil
		}
	}
	return "", fmt.Errorf("%s: no layer holds a model", file)
}

var blobDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

func ollamaStore() string {
	if dir := os.Getenv("OLLAMA_MODELS"); dir != "" {
		return dir
	}
	home, err := os.UserHomeDir()
	if err != nil {
		home = "."
	}
	return filepath.Join(home, ".ollama", "models")
}
