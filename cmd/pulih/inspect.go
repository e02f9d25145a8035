package main

import "errors"

// InspectCmd is not written yet.
type InspectCmd struct{}

// Run is not written yet.
func (c *InspectCmd) Run() error { return errors.New("not written yet") }
