package main

import "errors"

// ClockCmd is not written yet.
type ClockCmd struct{}

// Run is not written yet.
func (c *ClockCmd) Run() error { return errors.New("not written yet") }
