package main

import "errors"

// CheckCmd is not written yet.
type CheckCmd struct{}

// Run is not written yet.
func (c *CheckCmd) Run() error { return errors.New("not written yet") }
