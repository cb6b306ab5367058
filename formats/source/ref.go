package source

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// Found is one place where a referenced model may lie.
type Found struct {
	Folder   Folder
	File     string // the file that the reference names; "" where it names the folder
	Ref      string // the reference without anything that should not be repeated
	Revision string // commit of the repository, 40 hexadecimal digits; "" if unknown
	Warnings []string
}

// scheme is one kind of reference.
type scheme struct {
	prefix string
	find   func(ctx context.Context, ref string, o Options) ([]Found, error)
}

// schemes lists the kinds of references besides paths.
var schemes = []scheme{{"hf:", findHub}, {"ollama:", findOllama}, {"lmstudio:", findLMStudio}, {"https:", findWeb}, {"http:", findWeb}}

// Find says where the model that ref names lies, the preferred place first:
//
//	path                            a file or folder of this machine
//	hf:org/name[@revision][:file]   the Hugging Face hub's cache, then the hub
//	ollama:name[:tag]               the Ollama store
//	lmstudio:publisher/model[:file] the folders of LM Studio
//	https://host/path               a file, or a folder that ends in "/"
//
// Addresses on the hub itself are taken as hf: references. The environment is
// heard: HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_ENDPOINT, HF_HUB_OFFLINE,
// OLLAMA_MODELS. Close the folders after use.
func Find(ctx context.Context, ref string, o *Options) ([]Found, error) {
	opt := o.filled()
	for _, s := range schemes {
		if strings.HasPrefix(ref, s.prefix) {
			return s.find(ctx, ref, opt)
		}
	}
	return findPath(ref, opt)
}

// Local is the path on this machine at which a referenced model lies. No server
// is asked; a model that lies on one is ErrNotStored.
func Local(ref string) (path string, err error) {
	places, err := Find(context.Background(), ref, &Options{Offline: true})
	if err != nil {
		return "", err
	}
	for _, f := range places {
		if d, here := f.Folder.(*dir); here && path == "" {
			path = filepath.Join(d.path, f.File)
		}
		f.Folder.Close()
	}
	if path == "" {
		return "", fmt.Errorf("%s: %w: it does not lie on this machine", Redacted(ref), ErrNotStored)
	}
	return path, nil
}

// malformed refuses a reference and shows the form it should have.
func malformed(ref, form, advice string) error {
	rule := "is not of the form " + form
	if advice != "" {
		rule += "; did you mean " + escape.Printable(advice) + "?"
	}
	return tensor.Errorf(ErrReference, ref, -1, "", "%s", rule)
}

// findPath looks at this machine's files.
func findPath(ref string, o Options) ([]Found, error) {
	info, err := os.Stat(ref)
	if err != nil {
		if advice := instead(ref); advice != "" {
			return nil, tensor.Errorf(cause(err), ref, -1, "file", "cannot be opened: %v; did you mean %s?", cause(err), escape.Printable(advice))
		}
		return nil, tensor.Errorf(cause(err), ref, -1, "file", "cannot be opened: %v", cause(err))
	}
	if !info.IsDir() {
		return found(ref, info, ref, o), nil
	}
	path, commit, err := snapshot(ref)
	switch {
	case err != nil:
		return nil, err
	case path != "":
		places := found(path, info, ref, o)
		places[0].Revision = commit
		return places, nil
	}
	if stored := repositories(ref); stored != "" {
		return nil, tensor.Errorf(tensor.ErrNotModel, ref, -1, "folder", "it is a hub's cache; name one of its models: %s", stored)
	}
	return found(ref, info, ref, o), nil
}

// found is a place on this machine.
func found(path string, info fs.FileInfo, ref string, o Options) []Found {
	files := NewFiles(o.MaxOpenFiles)
	if info.IsDir() {
		return []Found{{Folder: &dir{path, files}, Ref: ref}}
	}
	return []Found{{Folder: &dir{filepath.Dir(path), files}, File: filepath.Base(path), Ref: ref}}
}

var (
	schemeLike = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9+.-]{1,15}):(//)?(.*)$`)
	hostLike   = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}/.+`)
	repoLike   = regexp.MustCompile(`^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$`)
)

// instead guesses what was meant by a path that does not exist.
func instead(ref string) string {
	if m := schemeLike.FindStringSubmatch(ref); m != nil {
		names := make([]string, len(schemes))
		for i, s := range schemes {
			names[i] = strings.TrimSuffix(s.prefix, ":")
		}
		if near := nearest(strings.ToLower(m[1]), names); near != "" {
			if strings.HasPrefix(near, "http") {
				m[3] = "//" + strings.TrimLeft(m[3], "/")
			}
			return near + ":" + m[3]
		}
		return ""
	}
	switch {
	case hostLike.MatchString(ref):
		return "https://" + ref
	case repoLike.MatchString(ref) && !strings.Contains(filepath.Base(ref), ".safetensors") && !strings.HasSuffix(ref, ".gguf"):
		if _, err := os.Stat(filepath.Dir(ref)); err != nil {
			return "hf:" + ref
		}
	}
	if entries, err := os.ReadDir(filepath.Dir(ref)); err == nil {
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if near := nearest(filepath.Base(ref), names); near != "" {
			return filepath.Join(filepath.Dir(ref), near)
		}
	}
	return ""
}

// nearest picks the name that differs least from what was asked for, by one
// letter or at most a third of them; "" if none does.
func nearest(want string, names []string) string {
	best, least := "", max(1, len(want)/3)+1
	for _, n := range slices.Sorted(slices.Values(names)) {
		if len(n) > 200 || len(want) > 200 || len(want) < 2 {
			continue
		}
		if d := edits(want, n); d < least {
			best, least = n, d
		}
	}
	return best
}

// edits counts the letters to insert, drop, change or swap with their
// neighbour to turn a into b.
func edits(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			change := 1
			if a[i] == b[j] {
				change = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+change)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
