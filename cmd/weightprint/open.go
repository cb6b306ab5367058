package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
)

// network is what the flags of all verbs say of how references are opened, and
// of those that lead away from this machine. It travels with the command's
// context.
type network struct {
	private, offline, lenient bool
	component                 string
	near                      int64  // the gap below which one request fetches two ranges, 0 for the default
	spool                     string // the folder in which remote files lie while they are read, "" for none
	progress                  string // how progress is shown: one of progressForms

	log *slog.Logger
}

type networkKey struct{}

// networkFlags adds the flags that all verbs that open models share.
func networkFlags(root *cobra.Command, stderr io.Writer) {
	n := &network{log: slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: withoutTime}))}
	fl := root.PersistentFlags()
	fl.BoolVar(&n.private, "allow-private", false, "let references lead to loopback and private addresses")
	fl.BoolP("quiet", "q", false, "show no progress")
	fl.Bool("force", false, "let an output replace a file that this program did not write; never one that is read")
	fl.BoolVar(&n.offline, "offline", false, "open only what lies on this machine")
	fl.BoolVar(&n.lenient, "lenient", false, "open files that break a rule harmlessly, with a warning")
	fl.StringVar(&n.component, "component", "", "the part of a pipeline that is meant, such as unet, transformer, vae or text_encoder")
	fl.StringVar(&n.progress, "progress", "terminal", "show progress on a terminal, or as lines of JSON on the standard error: terminal, json")
	completes(root, "progress", progressForms)
	completes(root, "component", []string{"unet", "transformer", "vae", "text_encoder"})
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error {
		c.SetContext(context.WithValue(c.Context(), networkKey{}, n))
		if !slices.Contains(progressForms, n.progress) {
			return usageError{oneOf("progress", n.progress, progressForms)}
		}
		return nil
	}
}

// withoutTime leaves the time out of log lines.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// networkOf returns what the flags of the running command say.
func networkOf(ctx context.Context) *network {
	if n, ok := ctx.Value(networkKey{}).(*network); ok {
		return n
	}
	return &network{}
}

// openModel opens a model as the flags of the running command allow. Nil
// options are the defaults.
func openModel(ctx context.Context, ref string, o *formats.Options) (*formats.Checkpoint, error) {
	var f formats.Options
	if o != nil {
		f = *o
	}
	n := networkOf(ctx)
	f.AllowPrivate, f.Offline, f.Log, f.Lenient = n.private, n.offline, n.log, f.Lenient || n.lenient
	f.Component, f.NearBytes, f.Spool = n.component, n.near, n.spool
	m, err := formats.Open(ctx, ref, &f)
	if err != nil {
		if hint := folderHint(ref, err); hint != "" {
			err = fmt.Errorf("%w%s", err, hint)
		}
	}
	return m, err
}
