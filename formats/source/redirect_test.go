package source

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/formats/tensor"
)

// The token goes to the hub and to nobody else, wherever the hub sends us.
func TestTokenStaysHome(t *testing.T) {
	data := pattern(200_000)
	for _, c := range []struct {
		name, location string
		ok             bool  // the file can be read all the same
		err            error // where not
	}{
		{"another host", "https://cdn.example/file", true, nil},
		{"another host that signs", "https://cdn.example/file?X-Amz-Signature=abc&x=" + token[:6], true, nil},
		{"a subdomain", "https://cdn.hub.example/file", true, nil},
		{"a longer name", "https://hub.example.evil.example/file", true, nil},
		{"a name that ends alike", "https://xhub.example/file", true, nil},
		{"another port", "https://hub.example:8443/file", true, nil},
		{"the same host", "https://hub.example/file", true, nil},
		{"the same host in capitals", "https://HUB.example/file", true, nil},
		{"the same host, relative", "/file", true, nil},
		{"the same host, its port written out", "https://hub.example:443/file", true, nil},
		{"without scheme", "//cdn.example/file", true, nil},
		{"there and back", "https://cdn.example/back", true, nil},
		{"to itself through others", "https://evil.example/to-hub", true, nil},
		{"no encryption", "http://cdn.example/file", false, ErrAddress},
		{"no encryption, same host", "http://hub.example/file", false, ErrAddress},
		{"no encryption, second step", "https://evil.example/to-http", false, ErrAddress},
		{"a file", "file:///etc/passwd", false, ErrAddress},
		{"another scheme", "ftp://cdn.example/file", false, ErrAddress},
		{"data", "data:text/plain,x", false, ErrAddress},
		{"user and password", "https://user:pa55@cdn.example/file", false, ErrAddress},
		{"the host as a user", "https://hub.example@evil.example/file", false, ErrAddress},
		{"loopback", "https://127.0.0.1/file", false, ErrAddress},
		{"loopback, another number", "https://127.99.1.2/file", false, ErrAddress},
		{"loopback, IPv6", "https://[::1]/file", false, ErrAddress},
		{"loopback, mapped", "https://[::ffff:127.0.0.1]/file", false, ErrAddress},
		{"loopback, NAT64", "https://[64:ff9b::7f00:1]/file", false, ErrAddress},
		{"loopback, 6to4", "https://[2002:7f00:1::]/file", false, ErrAddress},
		{"localhost", "https://localhost/file", false, ErrAddress},
		{"localhost with a dot", "https://localhost./file", false, ErrAddress},
		{"the clouds' credentials", "https://169.254.169.254/latest/meta-data/iam", false, ErrAddress},
		{"the clouds' credentials, plain", "http://169.254.169.254/latest/meta-data/iam", false, ErrAddress},
		{"the clouds' credentials, mapped", "https://[::ffff:a9fe:a9fe]/", false, ErrAddress},
		{"the clouds' credentials, IPv6", "https://[fd00:ec2::254]/", false, ErrAddress},
		{"link-local with a zone", "https://[fe80::1%25eth0]/", false, ErrAddress},
		{"a private network", "https://10.1.2.3/file", false, ErrAddress},
		{"a home network", "https://192.168.0.1/file", false, ErrAddress},
		{"another private network", "https://172.16.5.4/file", false, ErrAddress},
		{"a carrier's network", "https://100.64.0.1/file", false, ErrAddress},
		{"a private IPv6 network", "https://[fc00::1]/file", false, ErrAddress},
		{"this host", "https://0.0.0.0/file", false, ErrAddress},
		{"multicast", "https://224.0.0.1/file", false, ErrAddress},
		{"a public name that leads inside", "https://rebound.example/file", false, ErrAddress},
		{"a private address, second step", "https://evil.example/to-private", false, ErrAddress},
		{"nowhere", "", false, ErrAnswer},
		{"unreadable", "https://%zz/", false, ErrAnswer},
		{"round and round", "https://evil.example/loop", false, ErrAnswer},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.hub()
			serve := content(data, `"v1"`)
			main := repo(data, c.location)
			w.serve("hub.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/file" {
					serve(rw, r)
					return
				}
				main(rw, r)
			})
			for _, host := range []string{"cdn.example:443", "cdn.hub.example:443", "hub.example.evil.example:443", "xhub.example:443", "hub.example:8443", "evil.example:443"} {
				w.serve(host, false, func(rw http.ResponseWriter, r *http.Request) {
					steps := map[string]string{"/back": "https://hub.example/file", "/to-hub": "https://cdn.example/back", "/to-http": "http://cdn.example/file", "/to-private": "https://10.0.0.1/x", "/loop": "https://evil.example/loop"}
					if to := steps[r.URL.Path]; to != "" {
						http.Redirect(rw, r, to, http.StatusTemporaryRedirect)
						return
					}
					serve(rw, r)
				})
			}
			// This one's name leads to a loopback address that does not count as
			// public: what a name server does that changes its mind.
			inside := w.serve("rebound.example:443", false, serve)
			delete(w.public, inside.Listener.Addr().String())

			places, err := Find(context.Background(), "hf:org/name", w.options())
			require.NoError(t, err)
			require.Len(t, places, 1)
			blob, err := places[0].Folder.Open(context.Background(), "model.safetensors")
			if c.ok {
				require.NoError(t, err)
				b, err := readAll(blob, "x", 1<<20)
				require.NoError(t, err)
				require.Equal(t, data, b)
			} else {
				require.ErrorIs(t, err, c.err)
				var known *tensor.FormatError
				require.ErrorAs(t, err, &known)
				require.NotContains(t, err.Error(), "pa55")
				require.NotContains(t, err.Error(), token)
			}
			require.Empty(t, w.leaks("hub.example:443"))
			require.Zero(t, w.count("rebound.example:443"))
			require.NotContains(t, w.log.String(), token)
			// The hub did get it, but not again once the way had left it.
			away := strings.HasSuffix(c.location, "/back") || strings.HasSuffix(c.location, "/to-hub")
			for _, r := range w.asked {
				switch {
				case r.host != "hub.example:443":
				case r.path == "/file" && away:
					require.Empty(t, r.authorization)
				case !away:
					require.Equal(t, "Bearer "+token, r.authorization, r.path)
				}
			}
		})
	}
}

// A reference of the user's own that leads to such places is refused as well,
// without any token.
func TestAddressesOfUsers(t *testing.T) {
	w := newWorld(t)
	w.hub()
	for _, ref := range []string{"http://cdn.example/m.gguf", "http://127.0.0.1:1/m.gguf", "https://127.0.0.1:1/m.gguf", "https://localhost/m.gguf", "https://10.0.0.1/m.gguf", "https://169.254.169.254/m.gguf", "https://user:secret@cdn.example/m.gguf", "https://[::1]/m.gguf"} {
		_, err := Find(context.Background(), ref, w.options())
		require.ErrorIs(t, err, ErrAddress, ref)
		require.NotContains(t, err.Error(), "secret")
	}
	o := w.options()
	o.AllowPrivate = true
	for _, ref := range []string{"http://127.0.0.1:1/m.gguf", "https://127.0.0.1:1/m.gguf", "https://localhost/m.gguf", "http://localhost:8000/m.gguf", "https://10.0.0.1/m.gguf", "http://192.168.1.2/m.gguf"} {
		_, err := Find(context.Background(), ref, o)
		require.NoError(t, err, ref)
	}
	for _, ref := range []string{"http://cdn.example/m.gguf", "http://8.8.8.8/m.gguf", "https://169.254.169.254/m.gguf", "http://169.254.169.254/m.gguf", "https://[fe80::1]/m.gguf", "https://0.0.0.0/m.gguf"} {
		_, err := Find(context.Background(), ref, o)
		require.ErrorIs(t, err, ErrAddress, ref)
	}
	require.Empty(t, w.asked)
}

// A name whose address is private is refused when it is connected to.
func TestNamesAreJudgedByTheirAddress(t *testing.T) {
	w := newWorld(t)
	s := w.serve("rebound.example:443", false, content(pattern(100), `"v1"`))
	delete(w.public, s.Listener.Addr().String())
	open := func(o *Options) error {
		places, err := Find(context.Background(), "https://rebound.example/m.gguf", o)
		require.NoError(t, err)
		_, err = places[0].Folder.Open(context.Background(), "m.gguf")
		return err
	}
	require.ErrorIs(t, open(w.options()), ErrAddress)
	require.Zero(t, w.count("rebound.example:443"))
	o := w.options()
	o.AllowPrivate = true
	require.NoError(t, open(o))
}

func TestEndpoint(t *testing.T) {
	for _, c := range []struct {
		value string
		ok    bool
	}{
		{"", true}, {"https://hub.example", true}, {"https://hub.example/mirror/", true}, {"http://127.0.0.1:8080", true}, {"http://localhost:8080", true}, {"http://[::1]:8080", true},
		{"http://hub.example", false}, {"http://10.0.0.1", false}, {"https://user:pw@hub.example", false}, {"ftp://hub.example", false}, {"hub.example", false}, {"https://hub.example?x=y", false},
	} {
		t.Setenv("HF_ENDPOINT", c.value)
		_, err := hubEndpoint()
		require.Equal(t, c.ok, err == nil, "%s: %v", c.value, err)
	}
}

// A token never shows, however it is printed.
func TestSecretsDoNotShow(t *testing.T) {
	s, err := newSecret("HF_TOKEN", " "+token+"\n")
	require.NoError(t, err)
	require.Equal(t, token, s.value)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.NotContains(t, fmt.Sprintf(verb, s), token)
		require.NotContains(t, fmt.Sprintf(verb, struct{ X secret }{s}), token)
	}
	for _, bad := range []string{"a b", "a\nb", "é", "a\x00"} {
		_, err := newSecret("HF_TOKEN", bad)
		require.Error(t, err)
		require.NotContains(t, err.Error(), bad)
	}
}

func TestOrigin(t *testing.T) {
	for _, c := range [][2]string{
		{"https://a.b/x", "https://a.b:443"}, {"https://A.b:443/y", "https://a.b:443"}, {"http://a.b", "http://a.b:80"}, {"https://a.b:444", "https://a.b:444"}, {"https://a.b.", "https://a.b.:443"},
	} {
		u, err := url.Parse(c[0])
		require.NoError(t, err)
		require.Equal(t, c[1], origin(u))
	}
}
