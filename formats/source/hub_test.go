package source

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What the hub lists of large files names their content before any of it is read;
// a redirect that says otherwise is refused.
func TestListedDigests(t *testing.T) {
	data := pattern(100_000)
	sum := sha256.Sum256(data)
	digest := hex.EncodeToString(sum[:])
	other := strings.Repeat("ab", 32)
	for _, c := range []struct {
		listed, linked string
		want           string // "" where opening is refused
		stands         bool
	}{
		{digest, digest, digest, true},
		{digest, "", digest, true},
		{"", digest, digest, false},
		{"no digest", digest, digest, false},
		{other, digest, "", false},
		{digest, other, "", false},
	} {
		w := newWorld(t)
		w.hub()
		w.serve("hub.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/api/") {
				require.Equal(t, "true", r.URL.Query().Get("blobs"))
				fmt.Fprintf(rw, `{"sha":%q,"siblings":[{"rfilename":"unet/model.safetensors","blobId":"0","size":100000,"lfs":{"sha256":%q,"size":100000,"pointerSize":134}}]}`, commit, c.listed)
				return
			}
			require.Equal(t, "/org/name/resolve/"+commit+"/unet/model.safetensors", r.URL.Path)
			if c.linked != "" {
				rw.Header().Set("X-Linked-Etag", `"`+c.linked+`"`)
			}
			rw.Header().Set("X-Xet-Hash", other)
			http.Redirect(rw, r, "https://cdn.example/xet?X-Amz-Expires=3600&Signature=s", http.StatusFound)
		})
		w.serve("cdn.example:443", false, content(data, `"v1"`))
		places, err := Find(context.Background(), "hf:org/name", w.options())
		require.NoError(t, err)
		below := places[0].Folder.(*hubRepo).Below("unet")
		b, err := below.Open(context.Background(), "model.safetensors")
		if c.want == "" {
			require.ErrorIs(t, err, ErrAnswer)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, c.want, b.(Identified).Identity().SHA256)
		require.Equal(t, c.stands, b.(Identified).Identity().Listed)
		require.Empty(t, w.leaks("hub.example:443"))
	}
}

// Every request asks for a range: there are stores that answer no other. An answer
// to a small file that holds a part of it only is refused.
func TestSmallFilesByRange(t *testing.T) {
	const text = `{"model_type":"llama"}`
	answers := map[string]struct {
		status int
		header string
		body   string
		ok     bool
	}{
		"a range":          {http.StatusPartialContent, "bytes 0-21/22", text, true},
		"all of it":        {http.StatusOK, "", text, true},
		"nothing":          {http.StatusRequestedRangeNotSatisfiable, "bytes */0", "", true},
		"a part":           {http.StatusPartialContent, "bytes 0-9/22", text[:10], false},
		"the end":          {http.StatusPartialContent, "bytes 12-21/22", text[12:], false},
		"no Content-Range": {http.StatusPartialContent, "", text, false},
		"unsatisfiable":    {http.StatusRequestedRangeNotSatisfiable, "bytes */22", "", false},
	}
	for name, c := range answers {
		w := newWorld(t)
		w.serve("cdn.example:443", false, func(rw http.ResponseWriter, r *http.Request) {
			require.NotEmpty(t, r.Header.Get("Range"))
			if c.header != "" {
				rw.Header().Set("Content-Range", c.header)
			}
			rw.WriteHeader(c.status)
			fmt.Fprint(rw, c.body)
		})
		places, err := Find(context.Background(), "https://cdn.example/m.gguf", w.options())
		require.NoError(t, err)
		got, err := places[0].Folder.Read(context.Background(), "config.json", 1000)
		if !c.ok {
			require.Error(t, err, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.body, string(got), name)
	}
}
