package main

import "errors"

// MailCmd is not written yet.
type MailCmd struct{}

// Run is not written yet.
func (c *MailCmd) Run() error { return errors.New("not written yet") }
