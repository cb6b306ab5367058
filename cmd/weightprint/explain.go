package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/weightprint/weightprint/internal/columns"
	"github.com/weightprint/weightprint/internal/glossary"
	"github.com/weightprint/weightprint/report/verdict"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [WORD…]",
		Short: "look up a word of a report: a relation, kind, test, exit code or term",
		Long: `explain says what a word of a report means: a relation, a kind, a test, an exit
code, an outcome of an audit or any other term. It needs no network. Without a
word it lists all that it knows.`,
		Example: "  weightprint explain shared-init\n  weightprint explain H0\n  weightprint explain 3",
		Args:    args(cobra.ArbitraryArgs),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return glossary.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, a []string) error {
			t := &columns.Text{Columns: columnsOf(c.OutOrStdout())}
			if len(a) == 0 {
				listTerms(t)
			} else if err := lookUp(t, c.Root(), strings.Join(a, " ")); err != nil {
				return err
			}
			_, err := io.WriteString(c.OutOrStdout(), t.String())
			return err
		},
	}
}

// explanations are asked before the glossary: whoever knows more of a word than
// one entry says gives a function that writes it, and tells whether it did.
var explanations = []func(t *columns.Text, term string) bool{policyNumbered}

// policyNumbered explains "policy N", as the verb policy does.
func policyNumbered(t *columns.Text, term string) bool {
	digits, ok := strings.CutPrefix(strings.ToLower(term), "policy ")
	n, err := strconv.Atoi(digits)
	p, known := verdict.PolicyOf(n)
	if !ok || err != nil || !known {
		return false
	}
	var b strings.Builder
	if explainPolicy(&b, p, false) != nil {
		return false
	}
	t.Raw(b.String())
	return true
}

// lookUp writes what is known of a term, or names near ones.
func lookUp(t *columns.Text, root *cobra.Command, term string) error {
	for _, more := range explanations {
		if more(t, term) {
			return nil
		}
	}
	found := glossary.Find(term)
	for i, e := range found {
		if i > 0 {
			t.Line("")
		}
		t.Line("%s (%s)", e.Term, e.Group)
		t.Hang("  ", e.Words)
	}
	if verb := verbNamed(root, term); verb != nil {
		if len(found) > 0 {
			t.Line("")
		}
		t.Line("%s (verb)", verb.CommandPath())
		t.Hang("  ", "To "+verb.Short+". See "+verb.CommandPath()+" --help.")
		return nil
	}
	if len(found) > 0 {
		return nil
	}
	if group := glossary.Group(strings.TrimSuffix(strings.ToLower(term), "s")); group != nil {
		t.Line("%s", group[0].Group)
		t.Hang("  ", strings.Join(termsOf(group), ", "))
		return nil
	}
	hint := didYouMean(strings.ToLower(term), glossary.Names())
	if near := termsOf(glossary.Mentions(term)); hint == "" && len(term) > 2 && len(near) > 0 {
		hint = "; it stands in the words on " + strings.Join(near[:min(5, len(near))], ", ")
	}
	if hint == "" {
		hint = "; weightprint explain, without a word, lists all"
	}
	return usageError{fmt.Errorf("explain: %q is not known%s", term, hint)}
}

// verbNamed is the verb of a name, nil for none.
func verbNamed(root *cobra.Command, term string) *cobra.Command {
	c, rest, err := root.Find(strings.Fields(strings.TrimPrefix(strings.ToLower(term), "weightprint ")))
	if err != nil || len(rest) > 0 || !c.HasParent() {
		return nil
	}
	return c
}

// listTerms lists every term under its group.
func listTerms(t *columns.Text) {
	all := glossary.All()
	for len(all) > 0 {
		n := slices.IndexFunc(all, func(e glossary.Entry) bool { return e.Group != all[0].Group })
		if n < 0 {
			n = len(all)
		}
		t.Line("%s", all[0].Group)
		t.Hang("  ", strings.Join(termsOf(all[:n]), ", "))
		all = all[n:]
	}
}

func termsOf(all []glossary.Entry) []string {
	out := make([]string, len(all))
	for i, e := range all {
		out[i] = e.Term
	}
	return out
}
