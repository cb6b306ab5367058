package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/internal/fingerprinttest"
	"github.com/weightprint/weightprint/service"
	"github.com/weightprint/weightprint/store"
)

// serveCommand loads a service on loopback.
func serveCommand() *cobra.Command {
	var file string
	var clients, searches, batch, warm int
	c := &cobra.Command{
		Use:   "serve",
		Short: "load the service on loopback with clients that each ask again when they were answered",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return benchServe(c.Context(), c.OutOrStdout(), file, clients, searches, batch, warm)
		},
	}
	fl := c.Flags()
	fl.StringVar(&file, "index", "", "an index that the command index made")
	fl.IntVar(&clients, "clients", 2, "clients at one time")
	fl.IntVar(&searches, "searches", 100, "requests in all")
	fl.IntVar(&batch, "batch", 1, "searches of a request")
	fl.IntVar(&warm, "warm", 1, "requests before those that are timed: what is read first is verified")
	return c
}

func benchServe(ctx context.Context, w io.Writer, file string, clients, searches, batch, warm int) error {
	s := store.FilesInMemory(file, 2<<30)
	defer s.Close()
	if err := s.Ready(ctx); err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	urls, ended := make(chan string, 1), make(chan error, 1)
	o := &service.Options{Rate: 1e9, Burst: 1e9, Running: clients, Patience: 10 * time.Minute}
	go func() {
		ended <- service.New(s, o).Listen(ctx, service.Listening{Address: "127.0.0.1:0", Ready: func(url string) { urls <- url }})
	}()
	var url string
	select {
	case url = <-urls:
	case err := <-ended:
		return err
	}
	bodies, kind, page, err := requests(warm+searches, batch)
	if err != nil {
		return err
	}
	if _, err := load(url+page, kind, bodies[:warm], clients); err != nil { // reads and verifies keys and records
		return err
	}
	begun, cpu := time.Now(), processTime()
	took, err := load(url+page, kind, bodies[warm:], clients)
	if err != nil {
		return err
	}
	all, used := time.Since(begun), (processTime() - cpu).Seconds()
	slices.Sort(took)
	n := float64(searches * batch)
	fmt.Fprintf(w, "BenchmarkServe \t%8d\t%12d ns/op\t%.1f searches/s\t%.4f cpu-s/search\tp50 %v\tp99 %v\tbatch %d\tclients %d\n",
		searches*batch, int64(float64(all)/n), n/all.Seconds(), used/n, took[len(took)/2].Round(time.Millisecond), took[len(took)*99/100].Round(time.Millisecond), batch, clients)
	stop()
	return <-ended
}

// requests are the bodies: strangers of the index's entries.
func requests(searches, batch int) (bodies [][]byte, kind, page string, err error) {
	one := fingerprinttest.Of(fingerprinttest.Middle, 1, &fingerprint.Options{SketchOnly: true})
	one.Tokens = fingerprinttest.Of(fingerprinttest.Middle, 1, nil).Tokens
	r := rand.New(rand.NewPCG(7, 7))
	for range searches {
		var body bytes.Buffer
		for k := range batch {
			var f bytes.Buffer
			if _, err := fingerprinttest.Like(one, r).WriteTo(&f); err != nil {
				return nil, "", "", err
			}
			if batch == 1 {
				body = f
				continue
			}
			if err := json.NewEncoder(&body).Encode(store.Line{Schema: store.LineSchema, Ref: fmt.Sprint(k), Fingerprint: f.Bytes()}); err != nil {
				return nil, "", "", err
			}
		}
		bodies = append(bodies, body.Bytes())
	}
	if batch == 1 {
		return bodies, "application/octet-stream", "/v1/search", nil
	}
	return bodies, "application/x-ndjson", "/v1/searches", nil
}

// load sends all bodies by so many clients and times each answer.
func load(url, kind string, bodies [][]byte, clients int) ([]time.Duration, error) {
	took, errs := make([]time.Duration, len(bodies)), make([]error, clients)
	next := make(chan int, len(bodies))
	for i := range bodies {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			for i := range next {
				begun := time.Now()
				r, err := http.Post(url, kind, bytes.NewReader(bodies[i]))
				if err != nil {
					errs[c] = err
					return
				}
				text, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || r.StatusCode != http.StatusOK {
					errs[c] = fmt.Errorf("status %d, %s: %w", r.StatusCode, text, err)
					return
				}
				took[i] = time.Since(begun)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return took, nil
}
