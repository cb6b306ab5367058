package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/softmemory"
)

// speedRow is a piece of work whose cost is measured in a process of its own.
type speedRow struct {
	name, work string
	prepare    func(dir string) error                                   // makes what the work is done on; nil where that is nothing
	run        func(ctx context.Context, w io.Writer, dir string) error // writes what came of it
}

// speedCommand measures what comparisons, indices and headers cost.
func speedCommand() *cobra.Command {
	var only, docs, one, dir string
	var peers []string
	c := &cobra.Command{
		Use:   "speed",
		Short: "measure CPU seconds, memory and bytes read of comparisons, indices and headers",
		Long: `speed runs each row in a process of its own and prints a table. Networks of the
comparisons are drawn from seeds when they are read, so that shapes of 140 GB take no
disk; the time of drawing is part of what is measured. A peer is a command that does the
same work in the folder that was prepared for the row: --peer ROW=COMMAND measures it in
the same run.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if one != "" {
				return oneRow(c.Context(), c.OutOrStdout(), one, dir)
			}
			rows, err := measured(c.Context(), c.ErrOrStderr(), only, peers)
			if err != nil {
				return err
			}
			table := speedTable(rows)
			if docs == "" {
				_, err = io.WriteString(c.OutOrStdout(), table)
				return err
			}
			return fillDocs(docs, "speed", table)
		},
	}
	c.Flags().StringVar(&only, "only", "", "rows whose names contain this")
	c.Flags().StringVar(&docs, "docs", "", "fill the table of this page instead of printing it")
	c.Flags().StringArrayVar(&peers, "peer", nil, "ROW=COMMAND, whose CPU time stands beside the row")
	c.Flags().StringVar(&one, "row", "", "run one row in this process")
	c.Flags().StringVar(&dir, "dir", "", "the folder in which it was prepared")
	_ = c.Flags().MarkHidden("row")
	_ = c.Flags().MarkHidden("dir")
	return c
}

// oneRow runs a row; its parent measures.
func oneRow(ctx context.Context, w io.Writer, name, dir string) error {
	i := slices.IndexFunc(speedRows, func(r speedRow) bool { return r.name == name })
	if i < 0 {
		return fmt.Errorf("no row is called %q", name)
	}
	softmemory.Limit() // as the command does
	return speedRows[i].run(ctx, w, dir)
}

// cost is what a process took.
type cost struct {
	CPU float64 // seconds, user and system
	RSS int64   // bytes at most
}

// costed is a row with its cost and that of a peer, which is nil where there is none.
type costed struct {
	speedRow
	ours  cost
	peer  *cost
	found string
}

func measured(ctx context.Context, log io.Writer, only string, peers []string) ([]costed, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var out []costed
	for _, r := range speedRows {
		if !strings.Contains(r.name, only) {
			continue
		}
		fmt.Fprintln(log, r.name)
		x := costed{speedRow: r}
		if err := x.alone(ctx, self, peers); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		out = append(out, x)
	}
	return out, nil
}

// alone prepares a row and runs it, and its peer, in processes of their own.
func (x *costed) alone(ctx context.Context, self string, peers []string) error {
	dir, err := os.MkdirTemp("", "weightprint-speed-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if x.prepare != nil {
		if err := x.prepare(dir); err != nil {
			return err
		}
	}
	if x.ours, x.found, err = run(exec.CommandContext(ctx, self, "speed", "--row", x.name, "--dir", dir)); err != nil {
		return err
	}
	for _, p := range peers {
		words, ok := strings.CutPrefix(p, x.name+"=")
		if !ok {
			continue
		}
		c := exec.CommandContext(ctx, "sh", "-c", words) // the caller's own command
		c.Dir = dir
		cost, found, err := run(c)
		if err != nil {
			return fmt.Errorf("peer: %w", err)
		}
		x.peer = cost.asSaid(found)
	}
	return nil
}

// asSaid is what a peer took, or what it says that its work took where it says so: a
// peer in Python does not count the start of Python.
func (c cost) asSaid(found string) *cost {
	var own struct {
		CPU *float64 `json:"cpu"`
	}
	if err := json.Unmarshal([]byte(found), &own); err == nil && own.CPU != nil {
		c.CPU = *own.CPU
	}
	return &c
}

// run runs a command to its end and says what it and its children took.
func run(c *exec.Cmd) (cost, string, error) {
	var out, failed bytes.Buffer
	c.Stdout, c.Stderr = &out, &failed
	if err := c.Run(); err != nil {
		return cost{}, "", fmt.Errorf("%w: %s", err, failed.String())
	}
	used := cost{CPU: (c.ProcessState.UserTime() + c.ProcessState.SystemTime()).Seconds()}
	if u, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		used.RSS = int64(u.Maxrss) << 10
	}
	return used, strings.TrimSpace(out.String()), nil
}

// speedTable is the table of the page.
func speedTable(rows []costed) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| work | CPU seconds | memory, MiB | read | outcome | peer, CPU seconds | ratio |\n|---|---|---|---|---|---|---|\n")
	for _, r := range rows {
		var o said
		_ = json.Unmarshal([]byte(r.found), &o)
		peer, ratio := "", ""
		if r.peer != nil {
			peer, ratio = fmt.Sprintf("%.2g", r.peer.CPU), fmt.Sprintf("%.3f", r.ours.CPU/r.peer.CPU)
		}
		fmt.Fprintf(&b, "| %s | %.2f | %d | %s | %s | %s | %s |\n", r.work, r.ours.CPU, r.ours.RSS>>20, o.Read, o.Found, peer, ratio)
	}
	fmt.Fprintf(&b, "\n%s\n", measuredOn())
	return b.String()
}

// measuredOn names the machine.
func measuredOn() string {
	return fmt.Sprintf("Measured on %s, %d of %d processors, %s.", processor(), runtime.GOMAXPROCS(0), runtime.NumCPU(), runtime.Version())
}

// said is what a row says of its work.
type said struct {
	Read  string `json:"read"`
	Found string `json:"found"`
}

// processor is what the system calls its processor, or the architecture.
func processor() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err == nil {
		for line := range strings.Lines(string(b)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				return strings.Trim(name, " \t:\n")
			}
		}
	}
	return runtime.GOARCH
}

// fillDocs puts a table between the lines of the page that name it.
func fillDocs(path, name, table string) error {
	begin, end := "<!-- "+name+": begin -->\n", "<!-- "+name+": end -->\n"
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(b), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no place for the table between %q and %q", path, strings.TrimSpace(begin), strings.TrimSpace(end))
	}
	return os.WriteFile(path, []byte(before+begin+table+end+after), 0o644)
}
