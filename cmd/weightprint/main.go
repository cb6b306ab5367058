// Command weightprint decides from the weights alone whether two neural
// networks share weights, which parts, how one was made from the other, and
// how sure that is.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats"
	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/formats/tensor"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/internal/outfile"
	"github.com/weightprint/weightprint/internal/softmemory"
	"github.com/weightprint/weightprint/report/dated"
	"github.com/weightprint/weightprint/similarity/index"
)

// Exit codes.
const (
	exitDone         = 0
	exitFinding      = 1  // a relation named by --fail-on was found
	exitError        = 2  // the work could not be completed
	exitInconclusive = 3  // inconclusive, and --fail-on names it
	exitMismatch     = 4  // a digest or a verification differs
	exitUsage        = 64 // the command line is wrong
	exitInterrupted  = 130
)

func main() {
	softmemory.Limit()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, func() {
		stop() // a second signal ends the process at once
		endSoon()
	})
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// usageError is a mistake in the command line.
type usageError struct{ error }

// exitCode ends the program with a code after its result was printed.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// run is main for tests.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	return runWith(ctx, args, os.Stdin, stdout, stderr)
}

func runWith(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &result{Writer: stdout}
	root := rootCommand(out, stderr)
	root.SetIn(stdin)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var code exitCode
	var usage usageError
	switch {
	case out.err != nil:
		err = fmt.Errorf("writing the result: %w", out.err)
	case err == nil:
		return exitDone
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, interrupted)
		return exitInterrupted
	}
	fmt.Fprintf(stderr, "weightprint: %s%s\n", unknownVerb(oneLine(err)), nextStep(err))
	switch {
	case errors.As(err, &usage) || isUsage(err.Error()):
		return exitUsage
	case dated.Refused(err):
		return exitMismatch
	}
	return exitError
}

// usageWords begin the errors of package cobra about a command line.
var usageWords = []string{"unknown command", "unknown flag", "required flag(s)", "if any flags in the group", "at least one of the flags in the group"}

func isUsage(message string) bool {
	return slices.ContainsFunc(usageWords, func(w string) bool { return strings.HasPrefix(message, w) })
}

// nextSteps say what to do about errors that have a usual remedy.
var nextSteps = []struct {
	is   error
	does string
}{
	{outfile.ErrUnwritable, ""},
	{index.ErrMissing, "; index add makes one"},
	{index.ErrDetails, "; it belongs beside the index: copy or move FILE and FILE.details together"},
	{index.ErrEmpty, "; index add begins one"},
	{tensor.ErrForgivable, "; --lenient opens it with a warning"},
	{formats.ErrIncomplete, "; fetch it again"},
	{io.ErrUnexpectedEOF, "; the file is cut short or damaged: compare its size with the source's, and fetch it again"},
	{fs.ErrNotExist, "; a model is a file, a folder with weights, hf:org/name[@revision] or ollama:name[:tag]"},
	{source.ErrNotStored, "; fetch the model first, or name its folder"},
	{fs.ErrPermission, "; the file must be readable by you"},
}

func nextStep(err error) string {
	for _, s := range nextSteps {
		if errors.Is(err, s.is) {
			return s.does
		}
	}
	return ""
}

// oneLine keeps an error on one line, without anything that could steer a
// terminal.
func oneLine(err error) string {
	return escape.Visible(strings.Join(strings.Fields(err.Error()), " "))
}

// rootCommand puts the verbs together.
func rootCommand(stdout, stderr io.Writer) *cobra.Command {
	root := &cobra.Command{
		Use:   "weightprint",
		Short: "decide from the weights whether two neural networks share weights",
		Long: `weightprint decides from the weights alone whether two neural networks share
weights, which parts, how one was made from the other, and how sure that is.

It reads safetensors, GGUF, PyTorch, HDF5, Keras, Flax, ONNX, NumPy, TensorFlow,
TensorFlow Lite, OpenVINO, whisper.cpp and CTranslate2 files, any mix of them, and
by default no more than 64 MiB of each model. It cannot see distillation from outputs,
models behind an API, or training on the same data: weights do not show these.`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetFlagErrorFunc(flagError)
	networkFlags(root, stderr)
	addVerbs(root)
	return root
}

// args wraps a check of positional arguments so that failing it is a usage
// error.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, a []string) error {
		if err := check(c, a); err != nil {
			return usageError{fmt.Errorf("%s %s: %s; see weightprint %s --help", c.Name(), counted(err), wanted(c), strings.TrimPrefix(c.CommandPath(), "weightprint "))}
		}
		return nil
	}
}
