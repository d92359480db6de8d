package cli

import "github.com/spf13/cobra"

func tourCommand(u *ui) *cobra.Command    { return &cobra.Command{Use: "tour", GroupID: "learn", Run: func(*cobra.Command, []string) {}} }
func tourEndCommand(u *ui) *cobra.Command { return &cobra.Command{Use: "tour-end", Hidden: true, Run: func(*cobra.Command, []string) {}} }
