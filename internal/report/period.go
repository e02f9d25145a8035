package report

import (
	"fmt"
	"time"
)

// ParsePeriod reads a month ("2026-11"), a week from Monday ("2026-W47", ISO 8601) or a day ("2026-11-23") in the agency's zone. Until is
// exclusive.
func ParsePeriod(text string, zone *time.Location) (from, until time.Time, err error) {
	if from, err = time.ParseInLocation("2006-01", text, zone); err == nil {
		return from, from.AddDate(0, 1, 0), nil
	}
	if from, err = time.ParseInLocation("2006-01-02", text, zone); err == nil {
		return from, from.AddDate(0, 0, 1), nil
	}
	var year, week int
	if n, err := fmt.Sscanf(text, "%4d-W%2d", &year, &week); n == 2 && err == nil && week > 0 {
		fourth := time.Date(year, 1, 4, 0, 0, 0, 0, zone) // lies in week 1
		from = monday(fourth.AddDate(0, 0, 1)).AddDate(0, 0, 7*(week-1))
		if y, w := from.ISOWeek(); y == year && w == week {
			return from, from.AddDate(0, 0, 7), nil
		}
	}
	return from, until, fmt.Errorf("%q is no period; expected a month (2026-11), a week (2026-W47) or a day (2026-11-23)", text)
}
