package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source/sourcetest"
	"github.com/weightprint/weightprint/report"
)

// remoteCommand measures comparisons over HTTP.
func remoteCommand() *cobra.Command {
	var delay time.Duration
	var depth string
	c := &cobra.Command{
		Use:   "remote DIR A B…",
		Short: "compare folders in DIR with A over HTTP on loopback, and print what was transferred",
		Args:  cobra.MinimumNArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			for _, b := range args[2:] {
				if err := measureRemote(c.Context(), args[0], args[1], b, delay, report.Depth(depth)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	c.Flags().DurationVar(&delay, "delay", 0, "wait before each answer, as a distant server does")
	c.Flags().StringVar(&depth, "depth", string(report.Normal), "quick, normal or full")
	return c
}

// measureRemote compares two folders, each behind a server of its own, so that
// each side's bytes are counted by who sends them.
func measureRemote(ctx context.Context, dir, a, b string, delay time.Duration, depth report.Depth) error {
	var servers [2]*sourcetest.Server
	for i := range servers {
		s, err := sourcetest.Serve(dir)
		if err != nil {
			return err
		}
		defer s.Close()
		s.Delay = delay
		servers[i] = s
	}
	start := time.Now()
	r, err := report.Compare(ctx, servers[0].URL+a+"/", servers[1].URL+b+"/", &report.Options{Private: true, Depth: depth})
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "BenchmarkRemote/%s-%s 1 %d ns/op %d A-bytes/op %d B-bytes/op %d A-requests/op %d B-requests/op\n", a, b, time.Since(start).Nanoseconds(),
		servers[0].Bytes.Load(), servers[1].Bytes.Load(), servers[0].Requests.Load(), servers[1].Requests.Load())
	fmt.Fprintf(os.Stderr, "%s; reported %d and %d bytes\n", r.Summary(), r.Subjects[0].BytesRead, r.Subjects[1].BytesRead)
	return nil
}
