package sop

import "time"

// Calendar is an agency's office hours and closed days.
type Calendar struct{ Zone *time.Location }
