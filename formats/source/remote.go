//go:build !nonet && !js

package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

const (
	// firstBytes is what opening asks for: more than a header's first window.
	firstBytes = 65 << 10
	// pieceBytes is the longest range of one request.
	pieceBytes = 1 << 20
	// restBytes is how much a file may hold beyond its beginning to be fetched whole by
	// the second request: of a small file, many short ranges cost a server more.
	restBytes = 256 << 10
	// windowBytes is how much ReadAt works on at once.
	windowBytes = 8 << 20
	// maxAhead bounds what is fetched ahead of someone who reads on and on.
	maxAhead = 4 << 20
)

// Remote is a file on a server, read by ranges. Its size and validator (ETag,
// or the time of its last change) are those of the first answer; an answer
// that differs in either is tensor.ErrChanged.
type Remote struct {
	client *client
	label  string
	ctx    context.Context
	cancel context.CancelFunc
	size   int64
	id     Identity
	pin    validator

	mu      sync.Mutex // guards at
	address place      // as given
	at      place      // where redirects led

	kept    segments  // guarded by kept.cache.mu, as is what follows
	flights []*flight // requests under way
	run     tensor.Span
	asked   bool // for more than the beginning

	spool spool
}

// validator tells whether a file is still the same.
type validator struct{ etag, modified string }

func validatorOf(h http.Header) validator {
	return validator{h.Get("ETag"), h.Get("Last-Modified")}
}

// ifRange is the strongest validator for If-Range, or "".
func (v validator) ifRange() string {
	if v.etag != "" {
		if strings.HasPrefix(v.etag, "W/") {
			return "" // a weak one may not be used
		}
		return v.etag
	}
	return v.modified
}

// differs tells whether an answer is about another content.
func (v validator) differs(now validator) bool {
	if v.etag != "" || now.etag != "" {
		return v.etag != now.etag
	}
	return v.modified != now.modified
}

// openRemote asks for the beginning of a file, and learns its size from the
// answer. ctx also ends later reads.
func (c *client) openRemote(ctx context.Context, u *url.URL, label string, kept *cache) (*Remote, error) {
	r := &Remote{client: c, label: label, address: c.home(u), at: c.home(u)}
	r.ctx, r.cancel = context.WithCancel(ctx)
	r.kept.cache = kept
	err := c.retry(r.ctx, u.Host, label, c.allowance(firstBytes), r.first)
	if err != nil {
		r.cancel()
		return nil, err
	}
	return r, nil
}

// first makes the request that opens the file.
func (r *Remote) first(ctx context.Context) error {
	a, err := r.client.get(ctx, r.address, http.Header{"Range": {fmt.Sprintf("bytes=0-%d", firstBytes-1)}})
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if a.StatusCode == http.StatusRequestedRangeNotSatisfiable && a.Header.Get("Content-Range") == "bytes */0" {
		return r.describe(a)
	}
	if err := r.client.partial(a); err != nil {
		return err
	}
	span, total, err := contentRange(a.Header)
	if err != nil {
		return err
	}
	if want := min(firstBytes, total); span.Lo != 0 || span.Hi != want {
		return fmt.Errorf("%w: bytes %d to %d where 0 to %d were asked for", ErrAnswer, span.Lo, span.Hi-1, want-1)
	}
	data := make([]byte, span.Hi)
	if err := r.client.body(a.Response, data); err != nil {
		return err
	}
	r.size = total
	r.kept.cache.mu.Lock()
	r.kept.insert(0, data)
	r.kept.cache.mu.Unlock()
	return r.describe(a)
}

// describe keeps what the first answer says of the file.
func (r *Remote) describe(a *answer) error {
	r.at, r.pin = a.at, validatorOf(a.Header)
	id, err := r.client.identity(a, r.size)
	r.id = id
	return err
}

var (
	hexSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)
	plainETag = regexp.MustCompile(`^(W/)?"[!#-~]{0,200}"$`)
)

// identity collects what the server, and the hub before it, call the content.
func (c *client) identity(a *answer, size int64) (Identity, error) {
	var id Identity
	if e := a.Header.Get("ETag"); plainETag.MatchString(e) && !c.token.in(e) {
		id.ETag = e
	}
	for _, h := range append(a.hops, a.Header) {
		if s := strings.Trim(h.Get("X-Linked-Etag"), `"`); hexSHA256.MatchString(s) && id.SHA256 == "" {
			id.SHA256 = s
		}
		if s := h.Get("X-Repo-Commit"); hexCommit.MatchString(s) && id.Commit == "" {
			id.Commit = s
		}
		if s := h.Get("X-Linked-Size"); s != "" && s != strconv.FormatInt(size, 10) {
			return id, fmt.Errorf("%w: the hub speaks of %s bytes, the file has %d", ErrAnswer, escape.Printable(s), size)
		}
	}
	return id, nil
}

// partial requires an answer to a range request that is a part of the file.
func (c *client) partial(a *answer) error {
	if a.StatusCode == http.StatusOK {
		return fmt.Errorf("%w: it sends the whole file where a part was asked for", ErrNoRanges)
	}
	return c.success(a, http.StatusPartialContent)
}

var rangeForm = regexp.MustCompile(`^bytes (\d{1,19})-(\d{1,19})/(\d{1,19})$`)

// contentRange reads which part of how large a file an answer holds.
func contentRange(h http.Header) (tensor.Span, int64, error) {
	m := rangeForm.FindStringSubmatch(h.Get("Content-Range"))
	if m == nil {
		return tensor.Span{}, 0, fmt.Errorf("%w: Content-Range %s is not of the form bytes FIRST-LAST/SIZE", ErrAnswer, escape.Printable(h.Get("Content-Range")))
	}
	var n [3]int64
	for i, s := range m[1:] {
		v, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return tensor.Span{}, 0, fmt.Errorf("%w: Content-Range %s is out of bounds", ErrAnswer, m[0])
		}
		n[i] = v
	}
	if n[0] > n[1] || n[1] >= n[2] {
		return tensor.Span{}, 0, fmt.Errorf("%w: Content-Range %s contradicts itself", ErrAnswer, m[0])
	}
	return tensor.Span{Lo: n[0], Hi: n[1] + 1}, n[2], nil
}

// Size is the size that the first answer named.
func (r *Remote) Size() int64 { return r.size }

// Identity is what the server calls the content.
func (r *Remote) Identity() Identity { return r.id }

// Close ends all requests and drops what was kept.
func (r *Remote) Close() error {
	r.cancel()
	r.kept.clear()
	return r.spool.close()
}

// ReadAt reads from the cache and the server.
func (r *Remote) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, tensor.Errorf(fs.ErrInvalid, r.label, off, "read", "the offset is negative")
	}
	n := 0
	for n < len(p) && off+int64(n) < r.size {
		if r.ctx.Err() != nil {
			return n, r.ended()
		}
		at := off + int64(n)
		part := p[n:min(int64(n)+windowBytes, int64(len(p)), int64(n)+r.size-at)]
		if err := r.read(part, at); err != nil {
			return n, err
		}
		n += len(part)
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// ended is why reads are no longer possible.
func (r *Remote) ended() error {
	if err := context.Cause(r.ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return tensor.Errorf(context.Canceled, r.label, -1, "file", "closed, or reading it was cancelled")
}

// read fills p, which lies within the file.
func (r *Remote) read(p []byte, off int64) error {
	if r.spooled(off + int64(len(p))) {
		return r.readSpool(p, off)
	}
	want := tensor.Span{Lo: off, Hi: off + int64(len(p))}
	parts, err := r.obtain(r.ctx, []tensor.Span{want}, true)
	if err != nil {
		return err
	}
	for _, x := range parts {
		x.copyTo(p, off)
	}
	return nil
}

// Fetch gets the spans into the cache, several requests at a time. Of a file that is
// spooled all comes anyway.
func (r *Remote) Fetch(ctx context.Context, spans []tensor.Span) error {
	if r.spooled(r.size) {
		return ctx.Err()
	}
	sorted := make([]tensor.Span, 0, len(spans))
	for _, s := range spans {
		if s.Lo, s.Hi = max(s.Lo, 0), min(s.Hi, r.size); s.Lo < s.Hi {
			sorted = append(sorted, s)
		}
	}
	_, err := r.obtain(ctx, merged(sorted, 0), false)
	return err
}
