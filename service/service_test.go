package service

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/similarity/index"
	"github.com/weightprint/weightprint/similarity/stats"
	"github.com/weightprint/weightprint/store"
)

var one = sync.OnceValue(func() *fingerprint.Fingerprint { return fingerprinttest.Of(fingerprinttest.Middle, 1, nil) })

// served is a store of one model and some strangers.
func served(t testing.TB) store.Store {
	t.Helper()
	s := store.Files(filepath.Join(t.TempDir(), "x"))
	t.Cleanup(func() { s.Close() })
	r := rand.New(rand.NewPCG(1, 1))
	all := []index.Entry{{Name: "the <one>\u202e", Fingerprint: one()}}
	for i := range 20 {
		all = append(all, index.Entry{Name: fmt.Sprint("stranger ", i), Fingerprint: fingerprinttest.Like(one(), r)})
	}
	_, err := s.Add(context.Background(), all)
	require.NoError(t, err)
	return s
}

func file(t testing.TB, f *fingerprint.Fingerprint) []byte {
	t.Helper()
	var b bytes.Buffer
	_, err := f.WriteTo(&b)
	require.NoError(t, err)
	return b.Bytes()
}

// ask sends a request with headers given as pairs.
func ask(x *Service, method, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, bytes.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	x.ServeHTTP(w, r)
	return w
}

func search(x *Service, target string, body []byte, headers ...string) *httptest.ResponseRecorder {
	return ask(x, "POST", target, body, append([]string{"Content-Type", fingerprintType}, headers...)...)
}

// The answer is what index search --json prints, byte for byte; a batch gives for
// each record what it gives alone.
func TestAnswersAsTheProgramPrints(t *testing.T) {
	s := served(t)
	x := New(s, nil)
	found, err := s.Search(context.Background(), one(), 3, stats.LogP(-2.3))
	require.NoError(t, err)
	var want bytes.Buffer
	require.NoError(t, escape.WriteJSON(&want, store.Describe(found)))
	got := search(x, "/v1/search?top=3&level=0.1", file(t, one()))
	require.Equal(t, 200, got.Code)
	require.Equal(t, want.String(), got.Body.String())
	require.Contains(t, got.Body.String(), `"identical"`)

	stranger := fingerprinttest.Like(one(), rand.New(rand.NewPCG(2, 2)))
	var batch bytes.Buffer
	for i, f := range []*fingerprint.Fingerprint{stranger, one()} {
		require.NoError(t, json.NewEncoder(&batch).Encode(store.Line{Schema: store.LineSchema, Ref: fmt.Sprint("ref ", i), Fingerprint: file(t, f)}))
	}
	got = ask(x, "POST", "/v1/searches?top=3&level=0.1", batch.Bytes(), "Content-Type", linesType)
	require.Equal(t, 200, got.Code, got.Body.String())
	lines := strings.Split(strings.TrimSpace(got.Body.String()), "\n")
	require.Len(t, lines, 2)
	var last result
	require.NoError(t, json.Unmarshal([]byte(lines[1]), &last))
	require.Equal(t, "ref 1", last.Ref)
	var again bytes.Buffer
	require.NoError(t, escape.WriteJSON(&again, last.Found))
	require.Equal(t, want.String(), again.String())
}

// What is added or removed while the service runs is seen by the next search.
func TestSeesWhatIsAdded(t *testing.T) {
	s := served(t)
	x := New(s, nil)
	_, err := s.Add(context.Background(), []index.Entry{{Name: "a copy", Fingerprint: one()}})
	require.NoError(t, err)
	require.Contains(t, search(x, "/v1/search", file(t, one())).Body.String(), "a copy")
	_, err = s.Remove(context.Background(), []string{"a copy"}, nil)
	require.NoError(t, err)
	require.NotContains(t, search(x, "/v1/search", file(t, one())).Body.String(), "a copy")
}

// What is asked for wrongly is refused with a status that the description names,
// and says nothing of the inside.
func TestRefusals(t *testing.T) {
	x := New(served(t), &Options{Rate: 1e6, Burst: 1e6})
	good := file(t, one())
	for _, c := range []struct {
		name, method, target, content string
		body                          []byte
		want                          int
	}{
		{"weights", "POST", "/v1/search", fingerprintType, []byte("\x10\x00\x00\x00\x00\x00\x00\x00{\"__metadata__\":{}}"), 422},
		{"nothing", "POST", "/v1/search", fingerprintType, nil, 422},
		{"a damaged file", "POST", "/v1/search", fingerprintType, append([]byte{1}, good...), 422},
		{"too much", "POST", "/v1/search", fingerprintType, make([]byte, fingerprint.MaxFileBytes+1), 413},
		{"another type", "POST", "/v1/search", "application/json", good, 415},
		{"no type", "POST", "/v1/search", "", good, 415},
		{"top", "POST", "/v1/search?top=0", fingerprintType, good, 400},
		{"top of text", "POST", "/v1/search?top=x", fingerprintType, good, 400},
		{"level", "POST", "/v1/search?level=1", fingerprintType, good, 400},
		{"level that is no number", "POST", "/v1/search?level=NaN", fingerprintType, good, 400},
		{"unknown parameter", "POST", "/v1/search?limit=3", fingerprintType, good, 400},
		{"twice", "POST", "/v1/search?top=3&top=4", fingerprintType, good, 400},
		{"broken query", "POST", "/v1/search?top=%zz", fingerprintType, good, 400},
		{"method", "GET", "/v1/search", "", nil, 405},
		{"page", "GET", "/v1/entries", "", nil, 404},
		{"batch of another type", "POST", "/v1/searches", fingerprintType, good, 415},
		{"batch of nothing", "POST", "/v1/searches", linesType, []byte("\n\n"), 422},
		{"batch of text", "POST", "/v1/searches", linesType, []byte("text\n"), 422},
		{"batch with an error", "POST", "/v1/searches", linesType, []byte(`{"schema":"weightprint.fingerprint/1","ref":"x","error":"gone"}`), 422},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(x, c.method, c.target, c.body, "Content-Type", c.content)
			require.Equal(t, c.want, w.Code, w.Body.String())
			require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"))
			var problem struct {
				Status        int
				Title, Detail string
			}
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &problem))
			require.Equal(t, c.want, problem.Status)
			require.NotEmpty(t, problem.Detail)
			if c.want == 405 {
				require.Equal(t, "POST", w.Header().Get("Allow"))
			}
		})
	}
	broken := New(brokenStore{served(t)}, nil)
	w := search(broken, "/v1/search", good)
	require.Equal(t, 500, w.Code)
	require.NotContains(t, w.Body.String(), "secret")
	require.Equal(t, 503, ask(broken, "GET", "/v1/health", nil).Code)
}

type brokenStore struct{ store.Store }

func (brokenStore) Search(context.Context, *fingerprint.Fingerprint, int, stats.LogP) (*index.Found, error) {
	return nil, errors.New("secret place: broken")
}

func (brokenStore) Ready(context.Context) error { return errors.New("broken") }

// Without a known token there is no search, and none of what others have counts
// against one's own budget.
func TestTokensAndRates(t *testing.T) {
	tokens, err := ReadTokens(strings.NewReader("# who may ask\n\nalice 0123456789abcdef\nbob fedcba9876543210\n"))
	require.NoError(t, err)
	x := New(served(t), &Options{Tokens: tokens, Rate: .5, Burst: 2})
	now := time.Unix(1e9, 0)
	x.limits.now = func() time.Time { return now }
	good := file(t, one())
	for _, header := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Basic 0123456789abcdef", "0123456789abcdef"} {
		w := search(x, "/v1/search", good, "Authorization", header)
		require.Equal(t, 401, w.Code, header)
		require.Equal(t, "Bearer", w.Header().Get("WWW-Authenticate"))
		require.Equal(t, 401, ask(x, "GET", "/metrics", nil, "Authorization", header).Code)
	}
	require.Equal(t, 200, ask(x, "GET", "/v1/health", nil).Code)
	const alice, bob = "Bearer 0123456789abcdef", "bearer fedcba9876543210"
	for range 2 {
		require.Equal(t, 200, search(x, "/v1/search", good, "Authorization", alice).Code)
	}
	w := search(x, "/v1/search", good, "Authorization", alice)
	require.Equal(t, 429, w.Code)
	require.Equal(t, "2", w.Header().Get("Retry-After"))
	require.Equal(t, 200, search(x, "/v1/search", good, "Authorization", bob).Code)
	now = now.Add(2 * time.Second)
	require.Equal(t, 200, search(x, "/v1/search", good, "Authorization", alice).Code)
	require.Equal(t, 429, search(x, "/v1/search", good, "Authorization", alice).Code)

	for _, text := range []string{"", "alice short", "alice", "a b c d"} {
		_, err := ReadTokens(strings.NewReader(text))
		require.Error(t, err, text)
	}
}

// However many clients there are, what is remembered of them is bounded.
func TestLimitsAreBounded(t *testing.T) {
	l := newLimits(1, 1)
	now := time.Unix(1e9, 0)
	l.now = func() time.Time { return now }
	for i := range 3 * maxClients {
		l.take(fmt.Sprint(i))
		require.LessOrEqual(t, len(l.clients), maxClients)
	}
	require.Positive(t, l.take(fmt.Sprint(3*maxClients-1)))
}

// slowStore holds searches until it is told to go on.
type slowStore struct {
	store.Store
	begun, goOn chan struct{}
}

func (s slowStore) Search(ctx context.Context, f *fingerprint.Fingerprint, top int, level stats.LogP) (*index.Found, error) {
	s.begun <- struct{}{}
	select {
	case <-s.goOn:
		return s.Store.Search(ctx, f, top, level)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A search that does not come to its turn in time is told to come again.
func TestTurns(t *testing.T) {
	slow := slowStore{served(t), make(chan struct{}, 9), make(chan struct{})}
	x := New(slow, &Options{Running: 1, Patience: 50 * time.Millisecond})
	w := search(x, "/v1/search", file(t, one()))
	require.Equal(t, 503, w.Code)
	require.Equal(t, "1", w.Header().Get("Retry-After"))
	<-slow.begun
	x.turns <- struct{}{}
	require.Equal(t, 503, search(x, "/v1/search", file(t, one())).Code)
	require.Empty(t, slow.begun, "it did not begin")
}

// When the service is stopped, a search that runs is answered, and no new one is.
func TestStopsGracefully(t *testing.T) {
	slow := slowStore{served(t), make(chan struct{}, 1), make(chan struct{})}
	x := New(slow, nil)
	ctx, stop := context.WithCancel(context.Background())
	urls, ended := make(chan string, 1), make(chan error, 1)
	go func() {
		ended <- x.Listen(ctx, Listening{Address: "127.0.0.1:0", Ready: func(url string) { urls <- url }})
	}()
	url := <-urls
	require.True(t, strings.HasPrefix(url, "http://127.0.0.1:"), url)
	answers := make(chan *http.Response, 1)
	body := file(t, one())
	go func() {
		r, err := http.Post(url+"/v1/search", fingerprintType, bytes.NewReader(body))
		if err != nil {
			t.Error(err)
		}
		answers <- r
	}()
	<-slow.begun
	stop()
	require.Eventually(t, func() bool {
		_, err := http.Get(url + "/v1/health")
		return err != nil
	}, 10*time.Second, 5*time.Millisecond)
	close(slow.goOn)
	r := <-answers
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, 200, r.StatusCode)
	require.Contains(t, string(text), "identical")
	require.NoError(t, <-ended)
}

func TestOthersAreNotLetInByMistake(t *testing.T) {
	tokens, err := ReadTokens(strings.NewReader("alice 0123456789abcdef"))
	require.NoError(t, err)
	for _, o := range []*Options{nil, {Tokens: tokens}} {
		require.ErrorIs(t, New(served(t), o).Listen(context.Background(), Listening{Address: "0.0.0.0:0"}), ErrExposed)
	}
}

func TestTLS(t *testing.T) {
	pair := httptest.NewUnstartedServer(nil)
	pair.StartTLS()
	defer pair.Close()
	dir := t.TempDir()
	cert, key := writePair(t, dir, pair.TLS.Certificates[0])
	ctx, stop := context.WithCancel(context.Background())
	urls, ended := make(chan string, 1), make(chan error, 1)
	x := New(served(t), nil)
	go func() {
		ended <- x.Listen(ctx, Listening{Address: "127.0.0.1:0", Cert: cert, Key: key, Ready: func(url string) { urls <- url }})
	}()
	url := <-urls
	require.True(t, strings.HasPrefix(url, "https://"), url)
	r, err := pair.Client().Get(url + "/v1/health")
	require.NoError(t, err)
	require.Equal(t, 200, r.StatusCode)
	_, err = http.Get(url + "/v1/health")
	require.Error(t, err, "a certificate that nobody knows")
	stop()
	require.NoError(t, <-ended)
	_, err = os.Stat(cert)
	require.NoError(t, err)
}

func TestMetrics(t *testing.T) {
	x := New(served(t), nil)
	search(x, "/v1/search", file(t, one()))
	search(x, "/v1/search", nil)
	ask(x, "GET", "/a/page/that/is/made-up", nil)
	text := ask(x, "GET", "/metrics", nil).Body.String()
	for _, line := range []string{
		`weightprint_requests_total{path="/v1/search",status="200"} 1`,
		`weightprint_requests_total{path="/v1/search",status="422"} 1`,
		`weightprint_requests_total{path="other",status="404"} 1`,
		`weightprint_searches_running 0`,
		`weightprint_search_seconds_bucket{le="+Inf"} 1`,
		`weightprint_search_seconds_count 1`,
	} {
		require.Contains(t, text, line+"\n")
	}
	require.NotContains(t, text, "made-up")
}

// The description lists the pages that there are, and every status that they
// answer with.
func TestDescription(t *testing.T) {
	x := New(served(t), nil)
	var d struct {
		Paths map[string]map[string]struct {
			Responses map[string]any
			Security  []map[string]any
		}
	}
	require.NoError(t, json.Unmarshal(Description, &d))
	n := 0
	for _, r := range x.routes {
		o, ok := d.Paths[r.path][strings.ToLower(r.method)]
		require.True(t, ok, r.path)
		require.Contains(t, o.Responses, "200")
		require.Equal(t, r.open, len(o.Security) == 0, r.path)
		if r.counted {
			for _, status := range []string{"400", "401", "413", "415", "422", "429", "500", "503"} {
				require.Contains(t, o.Responses, status, r.path)
			}
		}
		n += len(d.Paths[r.path])
	}
	require.Equal(t, len(x.routes), n)
	require.Len(t, d.Paths, len(x.routes))
	require.Equal(t, Description, ask(x, "GET", "/openapi.json", nil).Body.Bytes())
}

// FuzzQueries: no batch makes the service panic.
func FuzzQueries(f *testing.F) {
	f.Add([]byte("{}\n"))
	f.Add([]byte(`{"schema":"weightprint.fingerprint/1","ref":"x","fingerprint":"AAAA"}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		q, err := readQueries(bytes.NewReader(b))
		var known *failure
		require.True(t, err == nil && len(q) > 0 || errors.As(err, &known), err)
	})
}
