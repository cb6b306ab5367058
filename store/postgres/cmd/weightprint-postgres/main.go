// Command weightprint-postgres keeps fingerprints in PostgreSQL for weightprint,
// which starts it for `index --dsn` and `serve --dsn`, and works off lists of
// references.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/weightprint/weightprint/store"
	"github.com/weightprint/weightprint/store/postgres"
)

const usage = `usage: WEIGHTPRINT_DSN=postgres://… weightprint-postgres VERB

  serve-store   answer weightprint on the standard streams (it starts this itself)
  migrate       make the tables, or bring them up to date
  enqueue       add the references on the standard input, one a line, to the jobs
  work          fingerprint the references of jobs until none are left
  jobs          count the jobs in each state
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "weightprint-postgres:", err)
		os.Exit(2)
	}
}

func run(ctx context.Context, args []string) error {
	dsn := os.Getenv(store.Variable)
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(64)
	}
	if dsn == "" {
		return fmt.Errorf("the variable %s must hold the DSN", store.Variable)
	}
	s, err := postgres.Open(ctx, dsn)
	if err != nil {
		return err
	}
	defer s.Close()
	return verbs[args[0]](ctx, s, args[1:])
}

var verbs = map[string]func(ctx context.Context, s *postgres.Store, args []string) error{
	"serve-store": func(ctx context.Context, s *postgres.Store, _ []string) error {
		return store.Serve(ctx, s, os.Stdin, os.Stdout)
	},
	"migrate": func(context.Context, *postgres.Store, []string) error { return nil }, // opening has done it
	"enqueue": func(ctx context.Context, s *postgres.Store, _ []string) error {
		return enqueue(ctx, s, os.Stdin, os.Stdout)
	},
	"work": func(ctx context.Context, s *postgres.Store, args []string) error {
		fl := flag.NewFlagSet("work", flag.ExitOnError)
		w := postgres.Worker{Store: s, Log: os.Stderr}
		fl.StringVar(&w.Program, "weightprint", "weightprint", "the program that makes fingerprints")
		fl.IntVar(&w.Batch, "batch", 16, "jobs that are taken at a time")
		fl.DurationVar(&w.Lease, "lease", postgres.DefaultLease, "how long a batch may take before others take its jobs")
		_ = fl.Parse(args)
		done, failed, err := w.Run(ctx)
		fmt.Printf("fingerprinted %d, failed %d\n", done, failed)
		return err
	},
	"jobs": func(ctx context.Context, s *postgres.Store, _ []string) error {
		counts, err := s.JobCounts(ctx)
		for _, state := range []string{"waiting", "running", "done", "quarantined"} {
			fmt.Printf("%s %d\n", state, counts[state])
		}
		return err
	},
}

// enqueue adds references some at a time.
func enqueue(ctx context.Context, s *postgres.Store, in io.Reader, out io.Writer) error {
	var some []string
	added, read := 0, 0
	flush := func() error {
		n, err := s.AddJobs(ctx, some)
		added, read, some = added+n, read+len(some), some[:0]
		return err
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if ref := strings.TrimSpace(lines.Text()); ref != "" {
			some = append(some, ref)
		}
		if len(some) == 1000 {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "added %d of %d\n", added, read)
	return lines.Err()
}
