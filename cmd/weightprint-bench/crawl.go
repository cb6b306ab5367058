package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/formats"
)

func float32bits(v float64) uint32 { return math.Float32bits(float32(v)) }

// crawlCommand fingerprints a made-up hub, politely.
func crawlCommand() *cobra.Command {
	var repos int
	c := &cobra.Command{
		Use:   "crawl",
		Short: "fingerprint all repositories of a made-up hub on loopback, with 1 and with 64 workers, and count what it is asked for",
		Long: `crawl serves a hub of made-up repositories: one file or shards, weights behind
addresses that expire, requests that are answered 429, repositories that are gone,
gated, or of another size than the hub says, and copies. It fingerprints them, stopped
half way and gone on with, and requires the same digests for 1 and for 64 workers, at
most two requests for a shard in either run, those of several MiB, with a header of 150 KiB
and those whose address expires at once among them, none without Range, and none for
weights whose SHA-256 is known. Files lie in a folder for temporary ones while they are
read, as with fingerprint --spool.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return benchCrawl(c.Context(), c.OutOrStdout(), repos, 1, 64)
		},
	}
	c.Flags().IntVar(&repos, "repositories", 10_000, "repositories")
	return c
}

func benchCrawl(ctx context.Context, w io.Writer, repos int, workers ...int) error {
	var first map[string]string
	for _, n := range workers {
		found, err := crawlOnce(ctx, w, repos, n)
		if err != nil {
			return err
		}
		if first == nil {
			first = found
		}
		for repo, want := range first {
			if got := found[repo]; got != want && (kindOf(got) != kindOf(want) || strings.Contains(got, "b3:")) { // how often a server was asked may differ
				return fmt.Errorf("%d workers found something else for %s: %s, not %s", n, repo, got, want)
			}
		}
	}
	return nil
}

// crawlOnce crawls a new hub in two runs, of which the first is stopped half way.
func crawlOnce(ctx context.Context, w io.Writer, repos, workers int) (map[string]string, error) {
	h, err := serveCrawl(repos)
	if err != nil {
		return nil, err
	}
	defer h.close()
	for name, value := range map[string]string{"HF_ENDPOINT": h.URL, "HF_HUB_CACHE": os.DevNull, "HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": ""} {
		defer restore(name)()
		os.Setenv(name, value)
	}
	begun, cpu := time.Now(), processTime()
	spool, err := os.MkdirTemp("", "weightprint-crawl")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(spool)
	c := &crawler{hub: h, spool: spool, found: map[string]string{}, known: map[string]string{}}
	half, stop := context.WithCancel(ctx)
	c.enough = func(done int) {
		if done >= repos/2 {
			stop()
		}
	}
	err = c.run(half, repos, workers)
	stop()
	if err != nil && !errors.Is(err, context.Canceled) {
		return nil, err
	}
	kept := len(c.found)
	h.nextRun()
	c.enough = func(int) {}
	if err := c.run(ctx, repos, workers); err != nil {
		return nil, err
	}
	if len(c.found) != repos || kept == repos {
		return nil, fmt.Errorf("%d of %d repositories were done, %d of them before the stop", len(c.found), repos, kept)
	}
	took := time.Since(begun)
	counts := map[string]int{}
	for i := range repos {
		counts[kindOf(c.found[repoName(i)])]++
		if err := c.expected(i); err != nil {
			return nil, err
		}
	}
	most, read := h.mostParts()
	figure(w, fmt.Sprintf("Crawl/%d", workers), repos, took, fmt.Sprintf("\t%.1f cpu-s\t%d requests\t%d busy\t%d expired\t%d at most for a shard\t%d without Range\t%d shards read",
		(processTime()-cpu).Seconds(), h.asked, h.busy, h.expired, most, h.whole, read))
	for _, k := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "# %s: %d\n", k, counts[k])
	}
	if h.expired == 0 {
		return nil, errors.New("no address had expired when it was used")
	}
	if most > 2 || h.whole > 0 {
		return nil, fmt.Errorf("a shard was asked for %d times; %d requests had no Range", most, h.whole)
	}
	return c.found, nil
}

func restore(name string) func() {
	old, had := os.LookupEnv(name)
	return func() {
		if had {
			os.Setenv(name, old)
		} else {
			os.Unsetenv(name)
		}
	}
}

func repoName(i int) string { return fmt.Sprintf("made/repo%d", i) }

// kinds of results, by how they read; a root reads like none of them.
var kinds = []struct{ words, kind string }{
	{"copy of ", "known by SHA-256, not read"}, {"answers 404 ", "gone"}, {"answers 403 ", "gated"}, {" bytes, the file has ", "of another size"},
}

func kindOf(result string) string {
	for _, k := range kinds {
		if strings.Contains(result, k.words) {
			return k.kind
		}
	}
	return "fingerprinted"
}

// crawler keeps what was found, by repository: a root, a copy of known weights, or an
// error.
type crawler struct {
	hub    *crawlHub
	spool  string
	mu     sync.Mutex
	found  map[string]string
	known  map[string]string // roots by SHA-256 of single files
	enough func(done int)
}

// run works off what is missing. Copies come after what they may be copies of, so
// that the number of workers changes nothing.
func (c *crawler) run(ctx context.Context, repos, workers int) error {
	for _, later := range []bool{false, true} {
		next := make(chan int)
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := range next {
					c.one(ctx, i)
				}
			})
		}
		for i := range repos {
			if (fateOf(i) == copied) == later && ctx.Err() == nil && !c.has(i) {
				next <- i
			}
		}
		close(next)
		wg.Wait()
	}
	return ctx.Err()
}

func (c *crawler) has(i int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.found[repoName(i)] != ""
}

func (c *crawler) one(ctx context.Context, i int) {
	result, sum := c.result(ctx, i)
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found[repoName(i)] = result
	if sum != "" && kindOf(result) == "fingerprinted" {
		c.known[sum] = result
	}
	c.enough(len(c.found))
}

// result fingerprints a repository, unless the hub names the SHA-256 of weights that
// are known.
func (c *crawler) result(ctx context.Context, i int) (result, sum string) {
	if len(files(i)) == 1 {
		sum = c.identity(ctx, i)
		c.mu.Lock()
		root := c.known[sum]
		c.mu.Unlock()
		if root != "" {
			return "copy of " + root, ""
		}
	}
	m, err := formats.Open(ctx, "hf:"+repoName(i), &formats.Options{AllowPrivate: true, Spool: c.spool})
	if err != nil {
		return err.Error(), ""
	}
	defer m.Close()
	f, err := fingerprint.Compute(ctx, m, nil)
	if err != nil {
		return err.Error(), ""
	}
	return f.Root.String(), sum
}

// identity asks the hub, not its store, what the weights of a repository are.
func (c *crawler) identity(ctx context.Context, i int) string {
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for ctx.Err() == nil {
		r, err := http.NewRequestWithContext(ctx, http.MethodHead, c.hub.URL+"/"+repoName(i)+"/resolve/"+crawlCommit+"/model.safetensors", nil)
		if err != nil {
			return ""
		}
		a, err := client.Do(r)
		if err != nil {
			return ""
		}
		_, _ = bufio.NewReader(a.Body).Discard(1 << 10)
		a.Body.Close()
		if a.StatusCode != http.StatusTooManyRequests {
			return strings.Trim(a.Header.Get("X-Linked-Etag"), `"`)
		}
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
		}
	}
	return ""
}

// expected requires what a repository's fate makes of it.
func (c *crawler) expected(i int) error {
	want := map[fate]string{plain: "fingerprinted", large: "fingerprinted", long: "fingerprinted", wordy: "fingerprinted", sharded: "fingerprinted", gone: "gone", gated: "gated", wrongSize: "of another size", copied: "known by SHA-256, not read"}[fateOf(i)]
	got := c.found[repoName(i)]
	if kindOf(got) != want {
		return fmt.Errorf("%s: %s, expected %s", repoName(i), got, want)
	}
	if fateOf(i) == copied && c.hub.read[fmt.Sprintf("%d/model.safetensors", i)] {
		return fmt.Errorf("%s: its weights were read although their SHA-256 is known", repoName(i))
	}
	return nil
}
