package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// further are verbs that only some builds have: the manual is written by one with the
// tag "manual", as what renders it is a megabyte that no user needs.
var further []func() *cobra.Command

// verbs are all verbs, in the groups in which help lists them.
var verbs = []struct {
	group string
	make  []func() *cobra.Command
}{
	{"Compare models:", []func() *cobra.Command{compareCommand, diffCommand, recipeCommand, faithfulCommand, treeCommand, demoCommand}},
	{"Look at one, keep and search many:", []func() *cobra.Command{inspectCommand, fingerprintCommand, indexCommand, serveCommand}},
	{"Claims, reports and exhibits:", []func() *cobra.Command{auditCommand, caseCommand, showCommand, verifyCommand, manifestCommand, signCommand, policyCommand}},
	{"Closed weights and disputes:", []func() *cobra.Command{commitCommand, challengeCommand, respondCommand, checkCommand, disputeCommand}},
	{"Help:", []func() *cobra.Command{explainCommand, versionCommand}},
}

// withoutSubverb shows the verbs of a verb, and names those that may be meant by a word
// that is none of them.
func withoutSubverb(c *cobra.Command, words []string) error {
	if len(words) == 0 {
		return c.Help()
	}
	c.SuggestionsMinimumDistance = 2
	hint := "; " + c.CommandPath() + " --help lists them"
	if meant := c.SuggestionsFor(words[0]); len(meant) > 0 {
		hint = "; did you mean " + strings.Join(meant, " or ") + "?"
	}
	return usageError{fmt.Errorf("unknown command %q for %q%s", words[0], c.CommandPath(), hint)}
}

// addVerbs adds all verbs, and those for help that every program of this kind has.
func addVerbs(root *cobra.Command) {
	last := ""
	for _, g := range verbs {
		root.AddGroup(&cobra.Group{ID: g.group, Title: g.group})
		for _, verb := range g.make {
			c := verb()
			c.GroupID, last = g.group, g.group
			if c.HasSubCommands() && !c.Runnable() {
				c.Args, c.RunE = cobra.ArbitraryArgs, withoutSubverb
			}
			root.AddCommand(c)
		}
	}
	for _, verb := range further {
		root.AddCommand(verb())
	}
	root.SetHelpCommandGroupID(last)
	root.SetCompletionCommandGroupID(last)
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.Short = "show how a verb is used"
		case "completion":
			c.Short = "write the script with which a shell completes verbs, flags and their words"
		}
	}
}
