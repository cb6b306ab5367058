package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// tried is what was done of one target, and what came of it.
type tried struct {
	Executions int64   `json:"executions"`
	Seconds    float64 `json:"seconds"`         // of processors for mutants, of the clock for fuzzing
	Seed       uint64  `json:"seed"`            // of the mutators; fuzzing has none
	Found      string  `json:"found,omitempty"` // the first failure
}

// fuzzState is the state of a campaign, as its file holds it.
type fuzzState struct {
	file    string
	Targets map[string]*tried `json:"targets"`
	order   []string
}

func campaignCommand() *cobra.Command {
	var module, state, only, to string
	var seed uint64
	var most, number int64
	var each time.Duration
	c := &cobra.Command{
		Use:   "campaign",
		Short: "run all fuzz targets and the structured mutators, and print a table",
		Long: `campaign gives every reader damaged files until each has had --executions of
them: first mutants of the files under testdata, taken apart by their format
and made in this process from --seed, then go's fuzzing of every target for at
most --time each. After one turn for every reader, the one that needs least to its
goal goes on. The state file says how far each target has come; a campaign that was
stopped goes on from there.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if to != "" {
				b, err := madeMutant(module, only, seed, number)
				if err != nil {
					return err
				}
				return os.WriteFile(to, b, 0o644)
			}
			s, err := readCampaign(state)
			if err != nil {
				return err
			}
			err = s.mutants(c.Context(), module, only, seed, most)
			if err == nil && !strings.HasPrefix(only, "mutants") {
				err = s.fuzz(c.Context(), module, only, most, each, c.ErrOrStderr())
			}
			s.table(c.OutOrStdout())
			if err == nil && s.found() > 0 {
				err = fmt.Errorf("%d targets failed", s.found())
			}
			return err
		},
	}
	fl := c.Flags()
	fl.StringVar(&module, "module", ".", "the folder of the module's source")
	fl.StringVar(&state, "state", "campaign.json", "where the state is kept")
	fl.StringVar(&only, "only", "", "targets whose name holds this")
	fl.Uint64Var(&seed, "seed", 1, "seed of the mutators")
	fl.Int64Var(&most, "executions", 10_000_000, "executions a target")
	fl.StringVar(&to, "make", "", "only write one mutant, of the reader that --only names, into this file")
	fl.Int64Var(&number, "number", 0, "its number")
	fl.DurationVar(&each, "time", time.Hour, "longest time a fuzz target")
	return c
}

func readCampaign(file string) (*fuzzState, error) {
	s := &fuzzState{file: file, Targets: map[string]*tried{}}
	b, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err == nil {
		err = json.Unmarshal(b, s)
	}
	return s, err
}

// target returns the state of a target.
func (s *fuzzState) target(name string) *tried {
	if s.Targets[name] == nil {
		s.Targets[name] = &tried{}
	}
	s.order = append(s.order, name)
	return s.Targets[name]
}

// save puts the state down, whole or not at all.
func (s *fuzzState) save() error {
	b, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(s.file+".new", b, 0o644); err != nil {
		return err
	}
	return os.Rename(s.file+".new", s.file)
}

func (s *fuzzState) found() (n int) {
	for _, t := range s.Targets {
		if t.Found != "" {
			n++
		}
	}
	return n
}

func (s *fuzzState) table(w io.Writer) {
	fmt.Fprintf(w, "| target | executions | a second | seed | found |\n|---|---:|---:|---:|---|\n")
	for _, name := range s.order {
		t := s.Targets[name]
		found := t.Found
		if found == "" {
			found = "nothing"
		}
		fmt.Fprintf(w, "| %s | %d | %.0f | %d | %s |\n", name, t.Executions, float64(t.Executions)/max(t.Seconds, 1e-9), t.Seed, strings.ReplaceAll(found, "|", "/"))
	}
}

// fuzz runs every fuzz target of the module. Minimising inputs is cut short: it
// would take most of the time, and says nothing that the input does not.
func (s *fuzzState) fuzz(ctx context.Context, module, only string, most int64, each time.Duration, log io.Writer) error {
	targets, err := fuzzTargets(ctx, module)
	if err != nil {
		return err
	}
	for _, x := range targets {
		name := strings.TrimPrefix(x.pkg, "github.com/weightprint/weightprint/") + " " + x.name
		if !strings.Contains(name, only) {
			continue
		}
		t := s.target(name)
		for t.Executions < most && t.Seconds < each.Seconds() && t.Found == "" {
			part := min(time.Minute, each-time.Duration(t.Seconds*float64(time.Second)))
			if err := fuzzOnce(ctx, module, x.pkg, x.name, max(part, time.Second), t); err != nil {
				return err
			}
			fmt.Fprintf(log, "%s: %d executions\n", name, t.Executions)
			if err := s.save(); err != nil {
				return err
			}
		}
	}
	return nil
}

type fuzzTarget struct{ pkg, name string }

// fuzzTargets lists the fuzz targets of the module.
func fuzzTargets(ctx context.Context, module string) (out []fuzzTarget, err error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-list", "^Fuzz", "./...")
	cmd.Dir = module
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing the fuzz targets: %w", err)
	}
	var names []string
	for _, line := range strings.Split(string(text), "\n") {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && strings.HasPrefix(line, "Fuzz"):
			names = append(names, line)
		case len(words) > 1 && words[0] == "ok":
			for _, n := range names {
				out = append(out, fuzzTarget{words[1], n})
			}
			names = nil
		}
	}
	return out, nil
}

var executions = regexp.MustCompile(`execs: (\d+)`)

// fuzzOnce runs one target for a while and adds up what it did.
func fuzzOnce(ctx context.Context, module, pkg, name string, length time.Duration, t *tried) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-fuzz", "^"+name+"$", "-fuzztime", length.String(), "-fuzzminimizetime", "10x", pkg)
	cmd.Dir = module
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	var count int64
	failure := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if m := executions.FindStringSubmatch(lines.Text()); m != nil {
			count, _ = strconv.ParseInt(m[1], 10, 64)
		}
		if strings.Contains(lines.Text(), "Failing input written to") {
			failure = strings.TrimSpace(lines.Text())
		}
	}
	err = cmd.Wait()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil && failure == "" {
		failure = err.Error()
	}
	t.Executions, t.Seconds, t.Found = t.Executions+count, t.Seconds+length.Seconds(), failure
	return nil
}
