//go:build !nonet && !js

package source

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
)

// maxRedirects bounds the steps from an address to the bytes.
const maxRedirects = 5

// tlsConfig is that of tests; see nonet.go.
type tlsConfig = tls.Config

// client asks servers. It never follows a redirect that guard refuses, sends
// the token to one origin only, uses no proxy, keeps no cookies and counts
// what it receives.
type client struct {
	o        Options
	guard    guard
	http     *http.Transport // follows no redirects, keeps no cookies
	token    secret
	slots    chan struct{} // one for each request under way
	gate     gate
	received atomic.Int64 // bytes of bodies

	leastRate int64 // the slowest transfer that is put up with, in bytes a second
}

// newClient makes a client. endpoint is the hub that the token belongs to, nil
// for none.
func newClient(o Options, endpoint *url.URL, token secret) *client {
	c := &client{o: o, token: token, slots: make(chan struct{}, o.InFlight), leastRate: leastRate, guard: guard{allowPrivate: o.AllowPrivate, endpoint: endpoint, public: o.public}}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: c.guard.control}
	c.http = &http.Transport{
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			if to, ok := o.hosts[strings.ToLower(addr)]; ok {
				addr = to
			}
			return dialer.DialContext(ctx, network, addr)
		},
		TLSClientConfig:        o.tls,
		TLSHandshakeTimeout:    10 * time.Second,
		ResponseHeaderTimeout:  o.Timeout,
		IdleConnTimeout:        90 * time.Second,
		MaxIdleConnsPerHost:    o.InFlight,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true,
		// A connection that died unnoticed would otherwise take every request
		// with it that is made on it.
		HTTP2: &http.HTTP2Config{SendPingTimeout: o.Timeout / 2, PingTimeout: o.Timeout / 2},
	}
	return c
}

// place is an address. It is trusted with the token when it is the hub's and
// nobody but the hub has led there.
type place struct {
	*url.URL
	trusted bool
}

// home is an address that the user, or this library, has named.
func (c *client) home(u *url.URL) place {
	return place{u, c.guard.endpoint != nil && origin(u) == origin(c.guard.endpoint)}
}

// answer is a response and how it was reached.
type answer struct {
	*http.Response
	at   place         // where the response comes from
	hops []http.Header // of the redirects of the hub on the way there
}

// get asks for an address and follows its redirects. The token goes along
// only while the way stays at the hub; once it has left, it is not sent again.
func (c *client) get(ctx context.Context, at place, header http.Header) (*answer, error) {
	if err := c.guard.check(at.URL); err != nil {
		return nil, err
	}
	a := &answer{at: at}
	for range maxRedirects + 1 {
		resp, err := c.ask(ctx, a.at, header)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode < 300 || resp.StatusCode > 399 || resp.StatusCode == http.StatusNotModified {
			a.Response = resp
			return a, nil
		}
		resp.Body.Close()
		if a.at.trusted {
			a.hops = append(a.hops, resp.Header)
		}
		next, err := a.at.Parse(resp.Header.Get("Location"))
		if err != nil || resp.Header.Get("Location") == "" {
			return nil, fmt.Errorf("%w: a redirect without a place to go", ErrAnswer)
		}
		if err := c.guard.redirect(a.at.URL, next); err != nil {
			return nil, err
		}
		a.at = place{next, a.at.trusted && c.home(next).trusted}
	}
	return nil, fmt.Errorf("%w: more than %d redirects", ErrAnswer, maxRedirects)
}

// ask makes one request.
func (c *client) ask(ctx context.Context, at place, header http.Header) (*http.Response, error) {
	clean := *at.URL
	clean.Fragment, clean.RawFragment = "", ""
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, clean.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("%w: it cannot be parsed", ErrAddress)
	}
	for k, v := range header {
		req.Header[k] = v
	}
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "weightprint")
	if at.trusted && c.token.value != "" {
		req.Header.Set("Authorization", "Bearer "+c.token.value)
	}
	resp, err := c.http.RoundTrip(req)
	if err != nil {
		return nil, broken(err)
	}
	c.gate.heed(at.Host, resp.Header)
	return resp, nil
}

// broken says in this library's words why a request failed.
func broken(err error) error {
	var timeout interface{ Timeout() bool }
	var unknown *net.DNSError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, ErrAddress):
		return err
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%w: no answer in time", ErrSlow)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.As(err, &unknown) && unknown.IsNotFound:
		return errNoHost
	case errors.As(err, &certificate):
		return errCertificate
	}
	return fmt.Errorf("%w: %s", ErrUnreachable, escape.Printable(err.Error()))
}

// body fills p from a response, which must hold exactly that much.
func (c *client) body(resp *http.Response, p []byte) error {
	if resp.ContentLength >= 0 && resp.ContentLength != int64(len(p)) {
		return fmt.Errorf("%w: Content-Length is %d for %d bytes", ErrAnswer, resp.ContentLength, len(p))
	}
	n, err := io.ReadFull(resp.Body, p)
	c.received.Add(int64(n))
	if err != nil {
		return broken(err)
	}
	var more [1]byte
	if n, err := resp.Body.Read(more[:]); n > 0 {
		return fmt.Errorf("%w: more bytes follow than the %d asked for", ErrAnswer, len(p))
	} else if err != nil && err != io.EOF {
		return broken(err)
	}
	return nil
}

// whole asks for all of a small file and reads at most so many bytes. It asks by a
// range all the same: some stores answer no other requests.
func (c *client) whole(ctx context.Context, u *url.URL, label string, most int64) ([]byte, error) {
	var out []byte
	err := c.retry(ctx, u.Host, label, c.allowance(most), func(ctx context.Context) error {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		silent := time.AfterFunc(c.allowance(wholeStep), func() { cancel(fmt.Errorf("%w: nothing came for long", ErrSlow)) })
		defer silent.Stop()
		a, err := c.get(ctx, c.home(u), http.Header{"Range": {"bytes=0-"}})
		if err != nil {
			return cmp.Or(slow(ctx), err)
		}
		defer a.Body.Close()
		if a.StatusCode == http.StatusRequestedRangeNotSatisfiable && a.Header.Get("Content-Range") == "bytes */0" {
			out = []byte{}
			return nil
		}
		if err := c.complete(a); err != nil {
			return err
		}
		out, err = readSteps(a.Body, most+1, func() { silent.Reset(c.allowance(wholeStep)) })
		c.received.Add(int64(len(out)))
		switch {
		case ctx.Err() != nil: // a body may seem to end well when its request is given up
			return cmp.Or(slow(ctx), ctx.Err())
		case err != nil:
			return broken(err)
		case int64(len(out)) > most:
			return tensor.Errorf(tensor.ErrLimit, label, 0, "file", "more than %d bytes", most)
		}
		return nil
	})
	return out, err
}

// complete requires an answer that holds a file from its first byte to its last.
func (c *client) complete(a *answer) error {
	if a.StatusCode != http.StatusPartialContent {
		return c.success(a, http.StatusOK)
	}
	if err := c.success(a, http.StatusPartialContent); err != nil {
		return err
	}
	span, total, err := contentRange(a.Header)
	if err == nil && (span.Lo != 0 || span.Hi != total) {
		err = fmt.Errorf("%w: bytes %d to %d of %d where all were asked for", ErrAnswer, span.Lo, span.Hi-1, total)
	}
	return err
}

// wholeStep is how much must come before the time for silence begins anew.
const wholeStep = 64 << 10

// readSteps reads at most so many bytes, and calls after each step.
func readSteps(r io.Reader, most int64, step func()) (out []byte, err error) {
	var b bytes.Buffer
	for err == nil && int64(b.Len()) < most {
		_, err = io.CopyN(&b, r, min(wholeStep, most-int64(b.Len())))
		step()
	}
	if err == io.EOF {
		err = nil
	}
	return b.Bytes(), err
}

// slow is the error of a request that was given up as too slow, or nil.
func slow(ctx context.Context) error {
	if err := context.Cause(ctx); errors.Is(err, ErrSlow) {
		return err
	}
	return nil
}

// success requires a status and a body that is not encoded.
func (c *client) success(a *answer, status int) error {
	if a.StatusCode != status {
		if a.StatusCode >= 200 && a.StatusCode <= 299 {
			return fmt.Errorf("%w: status %d where %d was expected", ErrAnswer, a.StatusCode, status)
		}
		return c.failure(a)
	}
	if e := a.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return fmt.Errorf("%w: the bytes are encoded although none of it was asked for", ErrAnswer)
	}
	return nil
}

// failure is the error of a status that is no success, with how long the
// server asks to wait.
func (c *client) failure(a *answer) error {
	err := error(&StatusError{a.StatusCode})
	if wait := retryAfter(a.Header, time.Now()); wait > 0 {
		err = &laterError{err, wait}
	}
	return err
}
