//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// stopsWithin is how long a command may take to end after an interrupt: of processor
// time where the system tells it, so that a busy machine does not count.
const stopsWithin = time.Second

// interruptedVerbs are command lines that take a while or write something. Words
// with @ lie in the folder of the run, words with % among the models.
var interruptedVerbs = []string{
	"inspect %a", "inspect %a --tensor model.layers.0.mlp.up_proj.weight --values @out", "fingerprint %a -o @out",
	"compare %a %b --json -o @out", "compare %a %b --budget full --depth full --json -o @out", "compare @a.wfp @b.wfp -o @out", "recipe %b %a -o @out", "diff %a %b -o @out",
	"compare %d %e --depth full --budget full -o @out", "tree %d %e -o @out", "recipe %d %e -o @out", "faithful %d %e -o @out", "case @exhibit %d %e --depth quick --nonce x", "index pairs --index @two.wpi",
	"tree %a %b -o @out", "audit %a -o @out", "show @r.json -o @out", "manifest %a -o @out", "commit %a -o @out",
	"challenge @a.commit @b.commit -o @out", "respond %a --opening @a.commit.opening --challenge @challenge --beacon two -o @out", "check @challenge @a.commit @a.response @b.commit @b.response -o @out",
	"verify @a.wfp %a", "verify @r.json %a %b", "verify @m.json %a --no-signature", "verify @a.commit %a --opening @a.commit.opening",
	"sign @r.json --key @key.pem -o @out", "index add --index @out %a %b", "index search --index @two.wpi %a", "index list --index @two.wpi", "index check --index @two.wpi",
	"index remove --index @two.wpi a", "index merge --index @out @two.wpi", "dispute init @new --question q --beacon x --a A=@pub.pem --b B=@pub.pem --runner R=@pub.pem --key @key.pem",
	"dispute commit @case %a --as a --unseen --opening @out --key @key.pem", "dispute exchange @committed --as a --opening @c.opening --key @key.pem", "dispute close @committed --key @key.pem", "dispute run @opened %a %b --beacon x --key @key.pem", "verify @opened/transcript.jsonl",
	"verify @held", "explain", "policy 2 --json", "demo", "version", "completion bash",
	waits + "serve --index @two.wpi --listen 127.0.0.1:0", waits + "fingerprint --stdin --ndjson", waits + "index add --index @two.wpi --ndjson", waits + "index pairs --index @two.wpi --from -",
}

// waits begins a command line that goes on until it is interrupted; its standard input
// stays open and silent.
const waits = "waiting: "

// fewest is how often a verb is interrupted however long it takes.
const fewest = 4

// waited is the longest such a command is left to itself.
const waited = time.Second

func interruptCommand() *cobra.Command {
	var exe, dir, only string
	var points, mib int
	var seed uint64
	var each time.Duration
	c := &cobra.Command{
		Use:   "interrupt",
		Short: "interrupt every verb at many points and see how soon it ends, and what it leaves",
		Long: `interrupt runs every verb once to its end, then --points times more, each with an
interrupt at a time drawn from --seed. It prints the longest time from the
interrupt to the end and the most processor time spent in it, and fails where that
is more than a second (of processor time, where the system tells it), where a file is
left that neither stood there before nor is there after a whole run, or where one
that stood there is neither as before nor as after a whole run.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			exe, err := filepath.Abs(exe)
			if err != nil {
				return err
			}
			work, err := os.MkdirTemp(dir, "weightprint-interrupt-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(work)
			s := &stopped{ctx: c.Context(), exe: exe, each: each, models: filepath.Join(work, "models"), desk: filepath.Join(work, "desk"), run: filepath.Join(work, "run")}
			if err := s.prepare(mib); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "| verb | whole run s | interrupted | longest ms | processor ms | left behind |\n|---|---:|---:|---:|---:|---|\n")
			bad := 0
			r := rand.New(rand.NewPCG(seed, 0))
			for _, line := range interruptedVerbs {
				if !strings.Contains(line, only) {
					continue
				}
				ok, err := s.verb(c.OutOrStdout(), r, line, points)
				if err != nil {
					return fmt.Errorf("%s: %w", line, err)
				}
				if !ok {
					bad++
				}
			}
			if bad > 0 {
				return fmt.Errorf("%d verbs do not end as they should", bad)
			}
			return nil
		},
	}
	c.Flags().StringVar(&exe, "bin", "weightprint", "the program")
	c.Flags().StringVar(&dir, "dir", "", "where to make the files (default: the system's folder for temporary files)")
	c.Flags().StringVar(&only, "only", "", "verbs whose command line holds this")
	c.Flags().IntVar(&points, "points", 50, "interrupts a verb")
	c.Flags().IntVar(&mib, "mib", 64, "size of the models in MiB")
	c.Flags().Uint64Var(&seed, "seed", 1, "seed of the times")
	c.Flags().DurationVar(&each, "each", time.Hour, "how long a verb is interrupted again; the row says how often it was")
	return c
}

// stopped is where verbs are interrupted: desk holds what they read, run is a copy
// of it for each run.
type stopped struct {
	ctx                    context.Context
	each                   time.Duration
	exe, models, desk, run string
}

// words fills a command line in.
func (s *stopped) words(line, at string) (out []string) {
	for _, w := range strings.Fields(strings.TrimPrefix(line, waits)) {
		w = strings.NewReplacer("@", at+string(filepath.Separator), "%", s.models+string(filepath.Separator)).Replace(w)
		out = append(out, w)
	}
	return out
}

// fresh makes the folder of the next run.
func (s *stopped) fresh() error {
	if err := os.RemoveAll(s.run); err != nil {
		return err
	}
	return os.CopyFS(s.run, os.DirFS(s.desk))
}

// files are the files of the run with their content.
func (s *stopped) files() (map[string]string, error) {
	out := map[string]string{}
	err := filepath.WalkDir(s.run, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	return out, err
}

// verb interrupts one verb at points, and writes its row.
func (s *stopped) verb(w io.Writer, r *rand.Rand, line string, points int) (ok bool, err error) {
	if err := s.fresh(); err != nil {
		return false, err
	}
	before, err := s.files()
	if err != nil {
		return false, err
	}
	whole, text, err := s.whole(line)
	if strings.Contains(text, "unknown command") {
		return true, nil // of another version
	}
	if err != nil && s.ctx.Err() == nil {
		fmt.Fprintf(w, "| %s | | | | | does not run: %.100s |\n", line, strings.TrimSpace(strings.ReplaceAll(text, "\n", " ")))
		return false, nil
	}
	after, err := s.files()
	if err != nil {
		return false, err
	}
	var longest, worked time.Duration
	stops, left, start := 0, map[string]bool{}, time.Now()
	for k := 0; k < points && (k < fewest || time.Since(start) < s.each); k++ {
		if err := errors.Join(s.ctx.Err(), s.fresh()); err != nil {
			return false, err
		}
		took, cpu, interrupted, err := s.interrupt(line, time.Duration(r.Int64N(int64(whole)+1)))
		if err != nil {
			return false, err
		}
		if interrupted {
			stops++
			longest, worked = max(longest, took), max(worked, cpu)
		}
		now, err := s.files()
		if err != nil {
			return false, err
		}
		for _, name := range strays(before, now, after) {
			left[strings.TrimPrefix(name, s.run)] = true
		}
	}
	names := "nothing"
	if len(left) > 0 {
		names = fmt.Sprint(slices.Sorted(func(yield func(string) bool) {
			for n := range left {
				if !yield(n) {
					return
				}
			}
		}))
	}
	fmt.Fprintf(w, "| %s | %.2f | %d | %d | %d | %s |\n", line, whole.Seconds(), stops, longest.Milliseconds(), worked.Milliseconds(), names)
	if tellsWork {
		longest = worked
	}
	return longest <= stopsWithin && len(left) == 0, nil
}

// whole runs a verb to its end: one that waits until it is interrupted.
func (s *stopped) whole(line string) (took time.Duration, text string, err error) {
	if !strings.HasPrefix(line, waits) {
		start := time.Now()
		out, err := exec.CommandContext(s.ctx, s.exe, s.words(line, s.run)...).CombinedOutput()
		return time.Since(start), string(out), err
	}
	_, _, running, err := s.interrupt(line, waited)
	if err == nil && !running {
		err = errors.New("it does not wait")
	}
	return waited, "", err
}

// interrupt runs a verb, interrupts it after a while and says how long it took to
// end, and how much processor time of that.
func (s *stopped) interrupt(line string, after time.Duration) (took, cpu time.Duration, interrupted bool, err error) {
	c := exec.Command(s.exe, s.words(line, s.run)...)
	if strings.HasPrefix(line, waits) {
		silent, err := c.StdinPipe()
		if err != nil {
			return 0, 0, false, err
		}
		defer silent.Close()
	}
	if err := c.Start(); err != nil {
		return 0, 0, false, err
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case <-ended:
		return 0, 0, false, nil
	case <-time.After(after):
	}
	start, before := time.Now(), workOf(c.Process.Pid)
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		<-ended
		return 0, 0, false, nil // it had just ended
	}
	<-ended
	return time.Since(start), c.ProcessState.UserTime() + c.ProcessState.SystemTime() - before, true, nil
}

// tellsWork tells whether workOf knows anything.
const tellsWork = runtime.GOOS == "linux"

// tick is the unit of processor time in /proc.
const tick = 10 * time.Millisecond

// workOf is the processor time of a process so far.
func workOf(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, ok := strings.Cut(string(b), ") ")
	words := strings.Fields(rest)
	if err != nil || !ok || len(words) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(words[11])
	system, _ := strconv.Atoi(words[12])
	return time.Duration(user+system) * tick
}

// strays are files that are neither as before nor as after a whole run: other ones,
// half ones, or ones that are gone. What a run draws anew (a secret, a signature) only
// has to be as long; an index may hold the first of several models.
func strays(before, now, after map[string]string) (out []string) {
	for name, text := range now {
		was, stood := before[name]
		end, ends := after[name]
		if stood && text == was || ends && len(text) == len(end) {
			continue
		}
		if index := filepath.Base(name); ends && len(text) < len(end) && (index == "out" || index == "out.details" || strings.HasPrefix(index, "two.wpi")) && after[filepath.Join(filepath.Dir(name), "out.details")] != "" {
			continue
		}
		out = append(out, name)
	}
	for name := range before {
		if _, there := now[name]; !there {
			if _, ends := after[name]; ends {
				out = append(out, name+" is gone")
			}
		}
	}
	return out
}
