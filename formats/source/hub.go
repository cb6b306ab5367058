package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/saferio"
)

// hubName matches org/name, an optional revision and an optional file.
var hubName = regexp.MustCompile(`^([A-Za-z0-9][\w.-]*)/([A-Za-z0-9][\w.-]*)(?:@([\w./-]+))?(?::(.+))?$`)

// hexCommit is a commit of a repository.
var hexCommit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// hubRef is a parsed hf: reference.
type hubRef struct{ org, name, revision, file string }

// String writes the reference again.
func (r hubRef) String() string {
	s := "hf:" + r.org + "/" + r.name
	if r.revision != "" {
		s += "@" + r.revision
	}
	if r.file != "" {
		s += ":" + r.file
	}
	return s
}

// parseHub reads org/name[@revision][:file].
func parseHub(rest string) (hubRef, error) {
	const form = "hf:org/name[@revision][:file]"
	m := hubName.FindStringSubmatch(rest)
	if m == nil {
		advice := ""
		if plain := strings.Trim(rest, "/"); plain != rest && hubName.MatchString(plain) {
			advice = "hf:" + plain
		} else if parts := strings.SplitN(plain, "/", 3); len(parts) == 3 && hubName.MatchString(parts[0]+"/"+parts[1]+":"+parts[2]) {
			advice = "hf:" + parts[0] + "/" + parts[1] + ":" + parts[2]
		}
		return hubRef{}, malformed("hf:"+rest, form, advice)
	}
	r := hubRef{m[1], m[2], m[3], m[4]}
	for _, s := range []string{r.revision, r.file} {
		if s != "" && (!filepath.IsLocal(filepath.FromSlash(s)) || path.Clean(s) != s || strings.ContainsAny(s, "\\\x00")) {
			return hubRef{}, tensor.Errorf(ErrReference, "hf:"+rest, -1, "", "%s leaves the model's folder", escape.Printable(s))
		}
	}
	return r, nil
}

// findHub looks into the hub's cache, then at the hub.
func findHub(_ context.Context, ref string, o Options) ([]Found, error) {
	r, err := parseHub(strings.TrimPrefix(ref, "hf:"))
	if err != nil {
		return nil, err
	}
	local, commit, err := cachedHub(r, o)
	if err != nil {
		return nil, err
	}
	if o.Offline || offline() {
		if local == nil {
			return nil, fmt.Errorf("%v: %w: it is not in %s, and the hub may not be asked (--offline or HF_HUB_OFFLINE)", r, ErrNotStored, hubCache())
		}
		return local, nil
	}
	remote, err := onHub(r, commit, o)
	if local != nil && errors.Is(err, ErrNotStored) {
		return local, nil
	}
	return append(local, remote...), err
}

// cachedHub finds a snapshot: models--org--name/refs/REVISION holds a commit,
// snapshots/COMMIT its files. It returns nothing where the reference is not
// cached.
func cachedHub(r hubRef, o Options) (places []Found, commit string, err error) {
	repo := filepath.Join(hubCache(), "models--"+r.org+"--"+r.name)
	rev := r.revision
	if rev == "" {
		rev = "main"
	}
	if b, err := saferio.ReadFile(filepath.Join(repo, "refs", filepath.FromSlash(rev)), 1<<10); err == nil {
		rev = strings.TrimSpace(string(b))
	}
	if !filepath.IsLocal(filepath.FromSlash(rev)) {
		return nil, "", tensor.Errorf(tensor.ErrFormat, repo, -1, "refs", "the revision leaves the folder")
	}
	snapshot := filepath.Join(repo, "snapshots", filepath.FromSlash(rev), filepath.FromSlash(r.file))
	if hexCommit.MatchString(rev) {
		commit = rev
	}
	info, err := os.Stat(snapshot)
	if err != nil {
		return nil, commit, nil
	}
	places = found(snapshot, info, r.String(), o)
	places[0].Revision = commit
	return places, commit, nil
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
	return filepath.Join(homeDir(), ".cache", "huggingface", "hub")
}

func homeDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return "."
	}
	return home
}

// offline reads HF_HUB_OFFLINE as the hub's own library does.
func offline() bool {
	switch strings.ToUpper(os.Getenv("HF_HUB_OFFLINE")) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}
