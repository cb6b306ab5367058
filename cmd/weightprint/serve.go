package main

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/saferio"
	"github.com/weightprint/weightprint/report"
	"github.com/weightprint/weightprint/service"
	"github.com/weightprint/weightprint/store"
)

func serveCommand() *cobra.Command {
	var at place
	var o service.Options
	var l service.Listening
	var tokens, memory string
	var verbose bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "answer searches of an index over HTTP",
		Long: `serve answers searches of an index or a database over HTTP: a fingerprint is
uploaded, never weights, and what comes back is the JSON of index search. The
service describes itself under /openapi.json and counts under /metrics.

It listens on loopback. To be reached by others it needs --tokens, a file with a
name and a token on each line, and a certificate. It sees what is added while it
runs, and lets running searches end when it is stopped.`,
		Example: "  weightprint serve --index models.wpi\n  curl --data-binary @suspect.wfp -H 'Content-Type: application/octet-stream' http://127.0.0.1:7391/v1/search",
		Args:    args(cobra.NoArgs),
		RunE: func(c *cobra.Command, _ []string) (err error) {
			if (l.Cert == "") != (l.Key == "") {
				return usageError{errors.New("serve: --tls-cert and --tls-key go together")}
			}
			if tokens != "" {
				if o.Tokens, err = readTokens(tokens); err != nil {
					return err
				}
			}
			if verbose {
				o.Log = slog.New(slog.NewTextHandler(c.ErrOrStderr(), nil))
			}
			held, err := report.ParseBytes(memory)
			if err != nil {
				return usageError{fmt.Errorf("serve: --memory: %w", err)}
			}
			s, err := at.openToServe(c, int64(held))
			if err != nil {
				return err
			}
			defer s.Close()
			if err := s.Ready(c.Context()); err != nil { // says now what every search would
				return err
			}
			if err := warnOfFlaws(c, s); err != nil {
				return err
			}
			l.Ready = func(url string) { fmt.Fprintf(c.ErrOrStderr(), "weightprint: listening on %s\n", url) }
			drains.Store(true)
			if err = service.New(s, &o).Listen(c.Context(), l); errors.Is(err, service.ErrExposed) {
				return usageError{fmt.Errorf("serve: %w: --tokens FILE, --tls-cert FILE and --tls-key FILE, or --insecure", err)}
			}
			return err
		},
	}
	at.flags(c)
	fl := c.Flags()
	fl.StringVar(&l.Address, "listen", service.DefaultAddress, "address and port; port 0 takes a free one")
	fl.StringVar(&tokens, "tokens", "", "file of those who may search: a name and a token on each line")
	fl.StringVar(&l.Cert, "tls-cert", "", "certificate, PEM")
	fl.StringVar(&l.Key, "tls-key", "", "its key, PEM")
	fl.BoolVar(&l.Insecure, "insecure", false, "let others in without tokens or without TLS")
	fl.Float64Var(&o.Rate, "rate", 10, "searches a second of each client; a batch is one")
	fl.IntVar(&o.Burst, "burst", 20, "searches that a client may ask for at once")
	fl.IntVar(&o.Running, "running", 4, "searches at one time")
	fl.StringVar(&memory, "memory", "2GiB", "how much of an index file is held in memory, 1280 bytes an entry at most: the rest is read at each search")
	fl.DurationVar(&o.Patience, "patience", 30*time.Second, "how long a search may wait and take")
	fl.BoolVarP(&verbose, "verbose", "v", false, "log each request")
	return c
}

// openToServe reaches the store; of files, keys of so many bytes are held in memory.
func (p *place) openToServe(c *cobra.Command, bytes int64) (store.Store, error) {
	if p.dsn == "" {
		return store.FilesInMemory(p.file, bytes), nil
	}
	return p.open(c)
}

// warnOfFlaws says before the first search what no search will find.
func warnOfFlaws(c *cobra.Command, s store.Store) error {
	f, ok := s.(store.Flawed)
	if !ok {
		return nil
	}
	bad, lost, err := f.Flaws()
	if err != nil {
		return err
	}
	warnOf(c, bad)
	warnOfLost(c, lost)
	return nil
}

func readTokens(file string) (service.Tokens, error) {
	f, _, err := saferio.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := service.ReadTokens(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return t, nil
}
