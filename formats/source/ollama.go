package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// ollamaName matches [[host/]namespace/]name and an optional tag.
var ollamaName = regexp.MustCompile(`^(?:(?:([A-Za-z0-9][\w.-]*(?::\d{1,5})?)/)?([A-Za-z0-9][\w.-]*)/)?([A-Za-z0-9][\w.-]*)(?::([\w.-]+))?$`)

// maxManifest bounds the manifest of a stored model.
const maxManifest = 1 << 20

// Media types of an Ollama model's layers.
const (
	ollamaModel   = "application/vnd.ollama.image.model"
	ollamaAdapter = "application/vnd.ollama.image.adapter"
)

var blobDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// findOllama reads a manifest of the Ollama store,
// manifests/HOST/NAMESPACE/NAME/TAG, and finds the blob of the model's weights.
func findOllama(_ context.Context, ref string, o Options) ([]Found, error) {
	m := ollamaName.FindStringSubmatch(strings.TrimPrefix(ref, "ollama:"))
	if m == nil {
		advice := ""
		if plain := "ollama:" + strings.Trim(strings.TrimPrefix(ref, "ollama:"), "/ "); plain != ref && ollamaName.MatchString(strings.TrimPrefix(plain, "ollama:")) {
			advice = plain
		}
		return nil, malformed(ref, "ollama:name[:tag]", advice)
	}
	for i, usual := range []string{"", "registry.ollama.ai", "library", "", "latest"} {
		if m[i] == "" {
			m[i] = usual
		}
	}
	within := filepath.Join("manifests", strings.ReplaceAll(m[1], ":", string(filepath.Separator)), m[2], m[3], m[4])
	for _, store := range ollamaStores() {
		raw, err := readSmall(filepath.Join(store, within))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return ollamaBlob(store, filepath.Join(store, within), raw, ref, o)
	}
	return nil, notInOllama(ref, m)
}

// readSmall reads a manifest, a regular file of modest size.
func readSmall(path string) ([]byte, error) {
	f, err := NewFiles(1).Open(path, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readAll(f, path, maxManifest)
}

// ollamaBlob finds the file that a manifest names.
func ollamaBlob(store, label string, raw []byte, ref string, o Options) ([]Found, error) {
	var manifest struct {
		Layers []struct {
			MediaType, Digest string
			Size              int64
		}
	}
	if err := json.Unmarshal(raw, &manifest); err != nil {
		return nil, tensor.Errorf(tensor.ErrFormat, label, -1, "manifest", "%v", err)
	}
	var out []Found
	var warnings []string
	for _, l := range manifest.Layers {
		switch l.MediaType {
		case ollamaAdapter:
			warnings = append(warnings, "the Ollama model applies an adapter to these weights, which is not read")
		case ollamaModel:
			if !blobDigest.MatchString(l.Digest) {
				return nil, tensor.Errorf(tensor.ErrFormat, label, -1, "digest", "%s is not of the form sha256:<64 hexadecimal digits>", escape.Printable(l.Digest))
			}
			path := filepath.Join(store, "blobs", strings.Replace(l.Digest, ":", "-", 1))
			info, err := os.Stat(path)
			if err != nil {
				return nil, tensor.Errorf(cause(err), path, -1, "file", "the manifest names it, but it cannot be opened: %v", cause(err))
			}
			if info.Size() != l.Size {
				return nil, tensor.Errorf(tensor.ErrFormat, path, -1, "size", "%d bytes, but the manifest says %d", info.Size(), l.Size)
			}
			out = append(out, found(path, info, ref, o)...)
		}
	}
	switch len(out) {
	case 0:
		return nil, tensor.Errorf(tensor.ErrNotModel, label, -1, "layers", "no layer holds a model")
	case 1:
		out[0].Warnings = warnings
		return out, nil
	}
	return nil, tensor.Errorf(tensor.ErrUnsupported, label, -1, "layers", "%d layers hold models", len(out))
}

// notInOllama says what is stored instead.
func notInOllama(ref string, m []string) error {
	var tags, names []string
	for _, store := range ollamaStores() {
		space := filepath.Join(store, "manifests", m[1], m[2])
		tags = append(tags, listed(filepath.Join(space, m[3]))...)
		names = append(names, listed(space)...)
	}
	err := fmt.Errorf("%s: %w: no manifest in %s", escape.Printable(ref), ErrNotStored, strings.Join(ollamaStores(), ", "))
	if len(tags) > 0 {
		return fmt.Errorf("%w; stored tags: %s", err, escape.Printable(strings.Join(tags, ", ")))
	}
	if near := nearest(m[3], names); near != "" {
		return fmt.Errorf("%w; did you mean ollama:%s?", err, escape.Printable(near))
	}
	return err
}

// listed names what lies in a folder, nothing where it cannot be listed.
func listed(path string) []string {
	entries, _ := os.ReadDir(path) // used for advice only
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// ollamaStores lists where Ollama keeps models: of this user, and of the
// system's service.
func ollamaStores() []string {
	if dir := os.Getenv("OLLAMA_MODELS"); dir != "" {
		return []string{dir}
	}
	return []string{filepath.Join(homeDir(), ".ollama", "models"), "/usr/share/ollama/.ollama/models"}
}
