package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/fingerprint"
	"github.com/weightprint/weightprint/fingerprint/commitment"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/closed"
)

func checkCommand() *cobra.Command {
	var against, answers []string
	var asJSON, noAccess bool
	var file string
	c := &cobra.Command{
		Use:   "check FILE…",
		Short: "verify responses to a challenge and say what follows from them",
		Long: `check takes a challenge, the commitments that it names, and one or two responses,
in any order: files say themselves what they are. It verifies every proof,
recomputes the sketches of all opened rows, compares the two responses, and says
what is proved and what is not. It needs neither model.

--against MODEL compares one response with a model that everybody has.
--assume-no-access states that neither side had the other's model before its own
was fixed. Without it corresponding labels give no relation: whoever has both
models can arrange the units of one after the other.
--answer DIGEST, once for each response, is a digest that a party published
before the second beacon value: the response has to be that answer.

It exits with 4 when anything does not hold.`,
		Example: "  weightprint check ab.challenge a.commit a.response b.commit b.response",
		Args:    args(cobra.MinimumNArgs(3)),
		RunE: func(c *cobra.Command, a []string) error {
			if len(against) > 1 {
				return usageError{fmt.Errorf("check: --against is given once")}
			}
			to, err := destine(c, a, file, isResult)
			if err != nil {
				return err
			}
			f, err := sortFiles(a)
			if err != nil {
				return mismatch(c.OutOrStdout(), err, asJSON)
			}
			x, err := f.check(c.Context(), against, answers, noAccess)
			if err != nil {
				return mismatch(c.OutOrStdout(), err, asJSON)
			}
			if asJSON {
				return to.write(x.WriteJSON)
			}
			return to.write(x.WriteText)
		},
	}
	fl := c.Flags()
	fl.StringArrayVar(&against, "against", nil, "model to compare one response with")
	fl.BoolVar(&noAccess, "assume-no-access", false, "state that neither side had the other's model before its own was fixed: needed for a relation, shown by nothing")
	fl.StringArrayVar(&answers, "answer", nil, "digest of an answer as it was published")
	fl.BoolVar(&asJSON, "json", false, "print JSON")
	fl.StringVarP(&file, "output", "o", "", "write the result to a file")
	return c
}

// mismatch prints what does not hold; other errors pass.
func mismatch(w io.Writer, err error, asJSON bool) error {
	switch {
	case !errors.Is(err, commitment.ErrMismatch) && !errors.Is(err, commitment.ErrDamaged):
		return err
	case asJSON:
		if err := escape.WriteJSON(w, map[string]string{"schema": closed.Schema, "mismatch": oneLine(err)}); err != nil {
			return err
		}
	default:
		fmt.Fprintf(w, "MISMATCH: %s\n", oneLine(err))
	}
	return exitCode(exitMismatch)
}

// sealedFiles is what check was given.
type sealedFiles struct {
	challenge   *commitment.Challenge
	commitments []commitment.Commitment
	responses   []*commitment.Response
	names       []string // of the responses
}

// sortFiles reads files and tells them apart.
func sortFiles(names []string) (*sealedFiles, error) {
	f := &sealedFiles{}
	for _, name := range names {
		x, err := readSealed(name, commitment.Decode)
		if err != nil {
			return nil, err
		}
		switch x := x.(type) {
		case *commitment.Challenge:
			if f.challenge != nil {
				return nil, usageError{fmt.Errorf("check: %s is a second challenge", name)}
			}
			f.challenge = x
		case commitment.Commitment:
			f.commitments = append(f.commitments, x)
		case *commitment.Response:
			f.responses, f.names = append(f.responses, x), append(f.names, name)
		default:
			return nil, usageError{fmt.Errorf("check: %s is an opening; openings are secret and not needed here", name)}
		}
	}
	if n := len(f.responses); f.challenge == nil || n < 1 || n > 2 {
		return nil, usageError{fmt.Errorf("check: one challenge and one or two responses are needed")}
	}
	return f, nil
}

// check verifies everything against everything.
func (f *sealedFiles) check(ctx context.Context, against, published []string, noAccess bool) (*closed.Result, error) {
	if err := f.belong(published); err != nil {
		return nil, err
	}
	var parties []closed.Party
	for i, r := range f.responses {
		s, err := f.challenge.Check(r)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.names[i], err)
		}
		parties = append(parties, closed.Party{Ref: f.names[i], Response: r, Sketches: s})
	}
	for _, ref := range against {
		if len(parties) != 1 {
			return nil, usageError{fmt.Errorf("check: --against goes with one response")}
		}
		m, err := openModel(ctx, ref, nil)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		s, err := commitment.SketchUnder(ctx, m, f.challenge)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ref, err)
		}
		parties = append(parties, closed.Party{Ref: ref, Sketches: s})
	}
	return closed.New(f.challenge, nil, noAccess, parties...), nil
}

// belong verifies that the commitments are those of the challenge, the
// responses of different parties, and the answers those published.
func (f *sealedFiles) belong(published []string) error {
	given := map[fingerprint.Digest]bool{}
	for _, c := range f.commitments {
		given[c.Root] = true
	}
	for _, d := range f.challenge.Commitments {
		if !given[d] {
			return fmt.Errorf("%w: the challenge names the commitment %s, which is not among the files", commitment.ErrMismatch, d)
		}
	}
	if len(given) != len(f.challenge.Commitments) {
		return fmt.Errorf("%w: there are commitments that the challenge does not name", commitment.ErrMismatch)
	}
	if r := f.responses; len(r) == 2 && r[0].Answer.Commitment == r[1].Answer.Commitment {
		return fmt.Errorf("%w: both responses are for the commitment %s", commitment.ErrMismatch, r[0].Answer.Commitment)
	}
	known := map[fingerprint.Digest]bool{}
	for _, s := range published {
		d, err := fingerprint.ParseDigest(s)
		if err != nil {
			return usageError{fmt.Errorf("--answer: %w", err)}
		}
		known[d] = true
	}
	for i, r := range f.responses {
		if d := r.Answer.Digest(); len(known) > 0 && !known[d] {
			return fmt.Errorf("%w: %s gives the answer %s, which is not among those published", commitment.ErrMismatch, f.names[i], d)
		}
	}
	return nil
}
