//go:build !nonet && !js

package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/weightprint/weightprint/formats/tensor"
)

// flight is one range being fetched. Whoever needs part of it waits for it.
type flight struct {
	tensor.Span
	done chan struct{}
	data []byte
	err  error
}

// merged sorts spans and joins those that are no further apart than gap.
func merged(spans []tensor.Span, gap int64) []tensor.Span {
	slices.SortFunc(spans, func(a, b tensor.Span) int { return cmp.Compare(a.Lo, b.Lo) })
	out := spans[:0]
	for _, s := range spans {
		if n := len(out); n > 0 && s.Lo <= out[n-1].Hi+gap {
			out[n-1].Hi = max(out[n-1].Hi, s.Hi)
			continue
		}
		out = append(out, s)
	}
	return out
}

// obtain returns parts that together cover the spans, which are disjoint and
// ascending. Where someone else is fetching a part already it waits for that.
func (r *Remote) obtain(ctx context.Context, spans []tensor.Span, ahead bool) ([]part, error) {
	for {
		have, mine, others := r.claim(spans, ahead)
		for _, f := range mine {
			go r.fly(ctx, f)
		}
		// All of one's own are waited for, so that none outlives the call.
		var failed error
		for _, f := range mine {
			<-f.done
			failed = cmp.Or(failed, f.err)
			have = append(have, part{f.Lo, f.data})
		}
		if failed != nil {
			return nil, failed
		}
		again := false
		for _, f := range others {
			select {
			case <-f.done:
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			have = append(have, part{f.Lo, f.data})
			again = again || f.err != nil // it was someone else's request, perhaps cancelled: ask oneself
		}
		if !again {
			return have, nil
		}
	}
}

// claim looks up what the cache holds, registers requests for what nobody has
// asked for yet, and lists the requests of others to wait for.
func (r *Remote) claim(spans []tensor.Span, ahead bool) (have []part, mine, others []*flight) {
	r.kept.cache.mu.Lock()
	defer r.kept.cache.mu.Unlock()
	var missing []tensor.Span
	for _, s := range spans {
		h, gaps := r.kept.lookup(s)
		have = append(have, h...)
		if len(gaps) > 0 && !r.asked {
			gaps = r.rest(gaps)
		}
		if ahead {
			gaps = r.further(s, gaps)
		}
		for _, g := range gaps {
			left, waits := r.unasked(g)
			missing = append(missing, left...)
			others = append(others, waits...)
		}
	}
	for _, s := range merged(missing, r.client.o.NearBytes) {
		for lo := s.Lo; lo < s.Hi; lo += pieceBytes {
			f := &flight{Span: tensor.Span{Lo: lo, Hi: min(lo+pieceBytes, s.Hi)}, done: make(chan struct{})}
			mine = append(mine, f)
		}
	}
	r.flights = append(r.flights, mine...)
	return have, mine, others
}

// rest adds to the first gaps of a small file what else the cache does not hold of it.
func (r *Remote) rest(gaps []tensor.Span) []tensor.Span {
	r.asked = true
	more := r.size - firstBytes
	if more > min(restBytes, r.kept.cache.spare) {
		return gaps
	}
	r.kept.cache.spare -= more
	_, all := r.kept.lookup(tensor.Span{Hi: r.size})
	return all
}

// further notes that a span is read, and lengthens its last gap where the
// reader has been going through the file without a break: by as much as has
// been read, within bounds.
func (r *Remote) further(s tensor.Span, gaps []tensor.Span) []tensor.Span {
	if s.Lo != r.run.Hi {
		r.run.Lo = s.Lo
	}
	r.run.Hi = s.Hi
	read := s.Lo - r.run.Lo
	if n := len(gaps); n > 0 && gaps[n-1].Hi == s.Hi && read >= firstBytes {
		end := min(s.Hi+min(read, maxAhead), r.size)
		_, more := r.kept.lookup(tensor.Span{Lo: s.Hi, Hi: end})
		gaps = append(gaps, more...)
	}
	return gaps
}

// unasked splits a gap into what no request is under way for, and the requests
// that cover the rest.
func (r *Remote) unasked(gap tensor.Span) (left []tensor.Span, waits []*flight) {
	left = []tensor.Span{gap}
	for _, f := range r.flights {
		if f.Hi <= gap.Lo || f.Lo >= gap.Hi {
			continue
		}
		waits = append(waits, f)
		var rest []tensor.Span
		for _, s := range left {
			if lo := (tensor.Span{Lo: s.Lo, Hi: min(s.Hi, f.Lo)}); lo.Lo < lo.Hi {
				rest = append(rest, lo)
			}
			if hi := (tensor.Span{Lo: max(s.Lo, f.Hi), Hi: s.Hi}); hi.Lo < hi.Hi {
				rest = append(rest, hi)
			}
		}
		left = rest
	}
	return left, waits
}

// fly makes one request and files what it brings.
func (r *Remote) fly(ctx context.Context, f *flight) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)() // Close ends it
	r.mu.Lock()
	host := r.at.Host
	r.mu.Unlock()
	data := make([]byte, f.Hi-f.Lo)
	f.err = r.client.retry(ctx, host, r.label, r.client.allowance(f.Hi-f.Lo), func(ctx context.Context) error { return r.ranged(ctx, f.Span, data) })
	if f.err != nil && r.ctx.Err() != nil {
		f.err = r.ended()
	}
	r.kept.cache.mu.Lock()
	defer r.kept.cache.mu.Unlock()
	if f.err == nil {
		f.data = data
		r.kept.insert(f.Lo, data)
	}
	r.flights = slices.DeleteFunc(r.flights, func(x *flight) bool { return x == f })
	close(f.done)
}

// ranged asks for one range.
func (r *Remote) ranged(ctx context.Context, s tensor.Span, p []byte) error {
	return r.anew(func(at place) error {
		return r.rangedAt(ctx, at, s, func(a *http.Response) error { return r.client.body(a, p) })
	})
}

// anew asks where redirects led the first time. Such addresses expire; then the way is
// taken once more.
func (r *Remote) anew(ask func(at place) error) error {
	r.mu.Lock()
	at := r.at
	r.mu.Unlock()
	err := ask(at)
	var status *StatusError
	if at == r.address || !errors.As(err, &status) || passing(err) {
		return err
	}
	return ask(r.address)
}

// rangedAt hands on the body of one range and requires that the answer is about
// exactly it, and about the same file as before.
func (r *Remote) rangedAt(ctx context.Context, at place, s tensor.Span, take func(*http.Response) error) error {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", s.Lo, s.Hi-1)}}
	if v := r.pin.ifRange(); v != "" {
		header.Set("If-Range", v)
	}
	a, err := r.client.get(ctx, at, header)
	if err != nil {
		return err
	}
	defer a.Body.Close()
	if err := r.same(a); err != nil {
		return err
	}
	if err := r.client.partial(a); err != nil {
		return err
	}
	span, total, err := contentRange(a.Header)
	switch {
	case err != nil:
		return err
	case total != r.size:
		return r.changed("%d bytes, %d before", total, r.size)
	case span != s:
		return fmt.Errorf("%w: bytes %d to %d where %d to %d were asked for", ErrAnswer, span.Lo, span.Hi-1, s.Lo, s.Hi-1)
	}
	if err := take(a.Response); err != nil {
		return err
	}
	r.mu.Lock()
	r.at = a.at
	r.mu.Unlock()
	return nil
}

// same requires that an answer is about the file that was opened.
func (r *Remote) same(a *answer) error {
	switch {
	case a.StatusCode == http.StatusRequestedRangeNotSatisfiable, a.StatusCode == http.StatusPreconditionFailed:
		return r.changed("the server no longer has this range")
	case a.StatusCode != http.StatusOK && a.StatusCode != http.StatusPartialContent:
		return nil // judged as a failure
	case r.pin.differs(validatorOf(a.Header)):
		return r.changed("its ETag or time of change is another")
	}
	id, err := r.client.identity(a, r.size)
	if err == nil && id.SHA256 != "" && id.SHA256 != r.id.SHA256 {
		return r.changed("the hub names another content")
	}
	return err
}

func (r *Remote) changed(format string, args ...any) error {
	return tensor.Errorf(tensor.ErrChanged, r.label, -1, "file", "changed while being read: "+format, args...)
}
