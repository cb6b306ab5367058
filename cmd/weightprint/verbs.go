package main

import "github.com/spf13/cobra"

// further are verbs that only some builds have: the manual is written by one with the
// tag "manual", as what renders it is a megabyte that no user needs.
var further []func() *cobra.Command
