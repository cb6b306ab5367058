package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/formats/source"
	"github.com/weightprint/weightprint/internal/escape"
	"github.com/weightprint/weightprint/report/intoto"
	"github.com/weightprint/weightprint/report/intoto/oms"
)

// verifyStatement checks a signed or unsigned statement.
func (f *verifyFlags) verifyStatement(c *cobra.Command, file string, text []byte, models []string) error {
	s, by, err := f.open(c.Context(), file, text)
	if errors.Is(err, intoto.ErrSignature) {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s: %s\n", escape.Printable(file), oneLine(err))
		return exitCode(exitMismatch)
	}
	if err != nil {
		return err
	}
	switch s.PredicateType {
	case oms.PredicateType:
		return f.verifyModel(c, file, s, by, models)
	case intoto.ComparisonType:
		return f.verifyComparison(c, file, s, by, models)
	}
	return fmt.Errorf("%s: predicate type %.120q is not one that can be verified here", file, s.PredicateType)
}

// open returns the statement in a file and says in words who signed it.
func (f *verifyFlags) open(ctx context.Context, file string, text []byte) (s *intoto.Statement, by string, err error) {
	e, err := intoto.ParseEnvelope(text)
	switch {
	case errors.Is(err, intoto.ErrTwoForms):
		return nil, "", fmt.Errorf("%s: %w", file, err)
	case err != nil:
		if s, bad := intoto.ParseStatement(text); bad == nil {
			if f.key != "" {
				return nil, "", fmt.Errorf("%s: %w", file, intoto.ErrEnvelope)
			}
			return s, "nobody: it is not signed", nil
		}
		return nil, "", fmt.Errorf("%s: %w", file, err)
	case f.noSignature:
		s, err = e.Unverified()
		by = "nobody: the signature was not checked"
	case f.key == "":
		return nil, "", usageError{fmt.Errorf("verify: %s is signed: name the signer's public key with --key", file)}
	default:
		return f.opened(ctx, e)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", file, err)
	}
	return s, by, err
}

// opened checks the signature with the key of --key.
func (f *verifyFlags) opened(ctx context.Context, e *intoto.Envelope) (s *intoto.Statement, by string, err error) {
	pem, err := readSmall(f.key)
	if err != nil {
		return nil, "", err
	}
	key, err := intoto.ParsePublicKey(pem)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", f.key, err)
	}
	id, err := key.KeyID()
	if err != nil {
		return nil, "", err
	}
	s, err = e.Open(ctx, key)
	f.signed = err == nil
	return s, "key " + id, err
}

// verifyModel holds a model against its manifest.
func (f *verifyFlags) verifyModel(c *cobra.Command, file string, s *intoto.Statement, by string, models []string) error {
	if len(models) != 1 {
		return usageError{fmt.Errorf("verify: a manifest takes one model")}
	}
	if err := takes(c, "a manifest", "key", "no-signature", "ignore-unsigned-files"); err != nil {
		return err
	}
	m, err := oms.FromStatement(s)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	path, err := source.Local(models[0])
	if err != nil {
		return err
	}
	d, err := m.Verify(c.Context(), path, f.extra, file)
	if err != nil {
		return err
	}
	if d != nil {
		fmt.Fprintf(c.OutOrStdout(), "differs: %s %s\n", escape.Printable(d.Name), d.What)
		return exitCode(exitMismatch)
	}
	fmt.Fprintf(c.OutOrStdout(), "verified: %d entries of the manifest are those of the model, root sha256:%s\nsigned by %s\n", len(m.Resources), s.Subject[0].Digest["sha256"], by)
	for _, p := range m.Serialization.IgnorePaths {
		fmt.Fprintf(c.OutOrStdout(), "not covered: %s\n", escape.Printable(p))
	}
	return nil
}

// verifyComparison holds a statement against its report and a comparison made
// anew.
func (f *verifyFlags) verifyComparison(c *cobra.Command, file string, s *intoto.Statement, by string, models []string) error {
	p, err := intoto.ReadComparison(s)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	w := c.OutOrStdout()
	if err := takes(c, "a comparison", "key", "no-signature", "report", "base", "dated", "roots"); err != nil {
		return err
	}
	if len(models) == 0 && !f.signed {
		return usageError{fmt.Errorf("verify: without a signature to check and without models nothing of %s would be checked; give A and B", file)}
	}
	if err := possible(w, &p.Options); err != nil {
		return err
	}
	if err := f.sameReport(w, p); err != nil {
		return err
	}
	switch len(models) {
	case 0:
		fmt.Fprintln(w, "the comparison was not made anew: give A and B for that")
	case 2:
		if err := f.anew(c, file, s, p, models); err != nil {
			return err
		}
	default:
		return usageError{fmt.Errorf("verify: a comparison takes two models, A and B, or none")}
	}
	fmt.Fprintf(w, "signed by %s\nfound: %s of A %s and B %s\n", by, p.Verdict.Relation, escape.Printable(p.Subjects[0].Name), escape.Printable(p.Subjects[1].Name))
	unusual(w, p.Options)
	f.dated.unchecked(w, p.Options)
	return nil
}

// sameReport requires that the report of --report is the one that was signed.
func (f *verifyFlags) sameReport(w io.Writer, p *intoto.Comparison) error {
	if f.report == "" {
		return nil
	}
	text, err := readSmall(f.report)
	if err != nil {
		return err
	}
	if !p.Report.Is(text) {
		fmt.Fprintf(w, "differs: %s is not the report that was signed\n", escape.Printable(f.report))
		return exitCode(exitMismatch)
	}
	return nil
}

// anew makes the comparison that a statement is about and compares.
func (f *verifyFlags) anew(c *cobra.Command, file string, s *intoto.Statement, p *intoto.Comparison, models []string) error {
	r, err := f.again(c, models, p.Options)
	if err != nil {
		return err
	}
	d, err := intoto.Differs(s, r)
	if err != nil {
		return err
	}
	if d != nil {
		words, swapped, err := intoto.Changed(s, r)
		if err != nil {
			return err
		}
		err = differs(c.OutOrStdout(), d, p.Tool.Version)
		explain(c.OutOrStdout(), words, swapped, file, models)
		return err
	}
	fmt.Fprintln(c.OutOrStdout(), "verified: subjects and every number of the statement are as stated")
	return nil
}
