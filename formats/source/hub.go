package source

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
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
	remote, err := newHubRepo(r, commit, o)
	if err != nil {
		return nil, err
	}
	file := ""
	if r.file != "" {
		file = path.Base(r.file)
	}
	return append(local, Found{Folder: remote, File: file, Ref: r.String(), Revision: commit}), nil
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

// hubEndpoint is the hub's address. A plain http one must be named by number
// or as localhost.
func hubEndpoint() (*url.URL, error) {
	s := os.Getenv("HF_ENDPOINT")
	if s == "" {
		s = "https://huggingface.co"
	}
	u, err := url.Parse(strings.TrimRight(s, "/"))
	const name = "HF_ENDPOINT"
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, tensor.Errorf(ErrReference, name, -1, "", "it is an address such as https://huggingface.co, without user name, query or fragment")
	case u.Scheme == "https":
		return u, nil
	case u.Scheme == "http" && loopback(u.Hostname()):
		return u, nil
	}
	return nil, tensor.Errorf(ErrAddress, name, -1, "", "it begins with https://; http:// is for 127.0.0.1, ::1 and localhost only")
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}

// hubToken is the token of the environment.
func hubToken() (secret, error) {
	for _, name := range []string{"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"} {
		if s := os.Getenv(name); strings.TrimSpace(s) != "" {
			return newSecret(name, s)
		}
	}
	return secret{}, nil
}

// hubClient makes a client that knows the hub and its token.
func hubClient(o Options) (*client, error) {
	endpoint, err := hubEndpoint()
	if err != nil {
		return nil, err
	}
	token, err := hubToken()
	if err != nil {
		return nil, err
	}
	return newClient(o, endpoint, token), nil
}

var hubPage = regexp.MustCompile(`^/([^/]+)/([^/]+)(?:/(?:tree|resolve|blob)/([^/]+)(?:/(.+))?)?/?$`)

// asHubRef reads an address of the hub's web pages as a reference.
func asHubRef(u *url.URL) (hubRef, bool) {
	endpoint, err := hubEndpoint()
	if err != nil || origin(endpoint) != origin(u) {
		return hubRef{}, false
	}
	m := hubPage.FindStringSubmatch(strings.TrimPrefix(u.Path, endpoint.Path))
	if m == nil || m[1] == "datasets" || m[1] == "spaces" || m[1] == "api" {
		return hubRef{}, false
	}
	rest := m[1] + "/" + m[2]
	if m[3] != "" {
		rest += "@" + m[3]
	}
	if m[4] != "" {
		rest += ":" + m[4]
	}
	r, err := parseHub(rest)
	return r, err == nil
}
