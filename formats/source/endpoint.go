//go:build !nonet && !js

package source

import (
	"net/netip"
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"

	"github.com/weightprint/weightprint/formats/tensor"
)

// onHub is the place of a model on the hub.
func onHub(r hubRef, commit string, o Options) ([]Found, error) {
	remote, err := newHubRepo(r, commit, o)
	if err != nil {
		return nil, err
	}
	file := ""
	if r.file != "" {
		file = path.Base(r.file)
	}
	return []Found{{Folder: remote, File: file, Ref: r.String(), Revision: commit}}, nil
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
