//go:build race

package letter

// raceEnabled: the race detector's shadow memory doesn't fit below RLIMIT_DATA.
const raceEnabled = true
